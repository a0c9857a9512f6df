"""A translator to OpenAI responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from metaio_verify.lab.gateway.change import Call, Reply, events
from metaio_verify.lab.gateway.chat import failed
from metaio_verify.lab.gateway.stops import cut
from metaio_verify.lab.gateway.wording import (
    ENDED_EARLY,
    Json,
    arguments,
    data_url,
    document_text,
    envelope,
    event,
    given,
    is_pdf,
    output_schema,
    own_id,
    parts,
    plain_text,
    refusal,
    result_media,
    result_text,
    usage,
)
from metaio_verify.lab.gateway.writer import Writer

_ENDS = frozenset({"error", "response.completed", "response.incomplete"})


class ResponsesTranslator:
    """Speaks responses to the upstream."""

    def up(self, call: Call) -> Call:
        """Return a message as a response."""
        body = call.json
        if not call.path.endswith("/messages") or not isinstance(body, dict):
            return call
        choice = body.get("tool_choice") or {}
        system = [block["text"] for block in parts(body.get("system"))]
        asked = given(
            {
                "model": body.get("model"),
                "instructions": "\n\n".join(system) or None,
                "input": list(_items(body)),
                "max_output_tokens": body.get("max_tokens"),
                "temperature": body.get("temperature"),
                "top_p": body.get("top_p"),
                "tools": [_tool(tool) for tool in body["tools"]] if body.get("tools") else None,
                "tool_choice": _choice(choice),
                "parallel_tool_calls": not choice.get("disable_parallel_tool_use")
                if choice and body.get("tools")
                else None,
                "stream": True if call.streams else None,
                "text": _format(body),
                "store": False,
            }
        )
        return replace(call.with_json(asked), path="/v1/responses", query="")

    async def back(self, reply: Reply, asked: Call) -> Reply:
        """Return a response as a message."""
        body = asked.json
        if not asked.path.endswith("/messages") or not isinstance(body, dict):
            return reply
        if reply.status >= 400:
            return await failed(reply)
        if reply.streams:
            return replace(reply, pieces=_events(reply.pieces, body))
        message = _message(await reply.document(), body.get("model"))
        return reply.with_json(cut(message, body.get("stop_sequences") or ()))


def _items(body: Json) -> Iterator[Json]:
    for message in body["messages"]:
        content = parts(message["content"])
        if message["role"] == "assistant":
            yield from _spoken(content)
            continue
        for result in (block for block in content if block["type"] == "tool_result"):
            id_ = result["tool_use_id"]
            yield {"type": "function_call_output", "call_id": id_, "output": result_text(result)}
        media = [part for block in content for part in result_media(block)]
        rest = [block for block in content if block["type"] != "tool_result"]
        if media or rest:
            said = [_part(block) for block in [*media, *rest]]
            yield {"type": "message", "role": message["role"], "content": said}


def _spoken(content: list[Json]) -> Iterator[Json]:
    for block in content:
        if block["type"] == "text":
            part = {"type": "output_text", "text": block["text"]}
            yield {"type": "message", "role": "assistant", "content": [part]}
        elif block["type"] == "tool_use":
            yield {
                "type": "function_call",
                "call_id": block["id"],
                "name": block["name"],
                "arguments": arguments(block),
            }


def _text(text: str) -> Json:
    return {"type": "input_text", "text": text}


def _part(block: Json) -> Json:
    match block["type"]:
        case "image":
            return {"type": "input_image", "image_url": data_url(block["source"])}
        case "document" if is_pdf(block):
            file = {"filename": "document.pdf", "file_data": data_url(block["source"])}
            return {"type": "input_file", **file}
        case "document":
            return _text(document_text(block))
    return _text(plain_text(block))


def _tool(tool: Json) -> Json:
    return given(
        {
            "type": "function",
            "name": tool["name"],
            "description": tool.get("description"),
            "parameters": tool["input_schema"],
            "strict": False,
        }
    )


def _format(body: Json) -> Json | None:
    schema = output_schema(body)
    if schema is None:
        return None
    named = {"name": "answer", "schema": schema, "strict": True}
    return {"format": {"type": "json_schema", **named}}


def _choice(choice: Json) -> Any:
    match choice.get("type"):
        case "any":
            return "required"
        case "tool":
            return {"type": "function", "name": choice["name"]}
        case other:
            return other


def _usage(told: Json | None) -> Json:
    if not told:
        return usage(0, 0, 0)
    cached = (told.get("input_tokens_details") or {}).get("cached_tokens") or 0
    return usage(told["input_tokens"], cached, told["output_tokens"])


def _stop(response: Json) -> tuple[str, Json | None]:
    """Return why a response ended, and what a refusal says of itself."""
    parts_ = [part for item in response["output"] for part in item.get("content") or []]
    refused = next((part["refusal"] for part in parts_ if part["type"] == "refusal"), None)
    if refused is not None:
        return "refusal", refusal(refused)
    if response["status"] == "incomplete":
        return "max_tokens", None
    called = any(item["type"] == "function_call" for item in response["output"])
    return "tool_use" if called else "end_turn", None


def _message(response: Json, model: Any) -> Json:
    content: list[Json] = []
    for item in response["output"]:
        match item["type"]:
            case "reasoning":
                text = "\n".join(part["text"] for part in item["summary"])
                content.append({"type": "thinking", "thinking": text, "signature": ""})
            case "message":
                said = [part for part in item["content"] if part["type"] == "output_text"]
                content += [{"type": "text", "text": part["text"]} for part in said]
            case "function_call":
                given_ = msgspec.json.decode(item["arguments"] or "{}")
                call = {"id": own_id(item["call_id"]), "name": item["name"], "input": given_}
                content.append({"type": "tool_use", **call})
    stop, details = _stop(response)
    return {
        "id": f"msg_{response['id']}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": details,
        "usage": _usage(response["usage"]),
    }


async def _events(pieces: AsyncIterator[bytes], asked: Json) -> AsyncIterator[bytes]:
    """Give the events of a response as those of a message."""
    writer = Writer(asked)
    calls: dict[int, str] = {}
    ended = False
    async for one in events(pieces):
        data = msgspec.json.decode(one.partition(b"data: ")[2])
        ended = ended or data["type"] in _ENDS
        for piece in _event(writer, data, calls):
            yield piece
    if not ended:
        yield event("error", error=envelope(500, ENDED_EARLY)["error"])


def _event(writer: Writer, data: Json, calls: dict[int, str]) -> Iterator[bytes]:
    match data:
        case {"type": "response.created", "response": response}:
            yield from writer.begin(response["id"])
        case {"type": "response.output_text.delta", "delta": text}:
            yield from writer.text(text)
        case {"type": "response.reasoning_summary_text.delta", "delta": text}:
            yield from writer.thought(text)
        case {"type": "response.output_item.added", "item": {"type": "function_call"} as item}:
            calls[data["output_index"]] = own_id(item["call_id"])
            yield from writer.call(calls[data["output_index"]], item["name"])
        case {"type": "response.function_call_arguments.delta", "delta": text}:
            yield from writer.argument(calls[data["output_index"]], text)
        case {"type": "error", "message": text}:
            yield event("error", error=envelope(529, text)["error"])
        case {"type": "response.completed" | "response.incomplete", "response": response}:
            stop, details = _stop(response)
            yield from writer.end(stop, _usage(response["usage"]), details)
