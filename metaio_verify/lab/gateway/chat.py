"""A translator to OpenAI chat completions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, Final

import msgspec

from metaio_verify.lab.gateway.change import Call, Reply, events
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

# Stop sequences are the gateway's own business: the answer would not say which of them was met.
STOP: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


class ChatTranslator:
    """Speaks chat completions to the upstream."""

    def up(self, call: Call) -> Call:
        """Return a message as a chat completion."""
        body = call.json
        if not call.path.endswith("/messages") or not isinstance(body, dict):
            return call
        choice = body.get("tool_choice") or {}
        asked = given(
            {
                "model": body.get("model"),
                "messages": list(_messages(body)),
                "max_completion_tokens": body.get("max_tokens"),
                "temperature": body.get("temperature"),
                "top_p": body.get("top_p"),
                "response_format": _format(body),
                "tools": [_tool(tool) for tool in body["tools"]] if body.get("tools") else None,
                "tool_choice": _choice(choice),
                "parallel_tool_calls": not choice.get("disable_parallel_tool_use")
                if choice and body.get("tools")
                else None,
                "stream": True if call.streams else None,
                "stream_options": {"include_usage": True} if call.streams else None,
            }
        )
        return replace(call.with_json(asked), path="/v1/chat/completions", query="")

    async def back(self, reply: Reply, asked: Call) -> Reply:
        """Return a chat completion as a message."""
        body = asked.json
        if not asked.path.endswith("/messages") or not isinstance(body, dict):
            return reply
        if reply.status >= 400:
            return await failed(reply)
        if reply.streams:
            return replace(reply, pieces=_events(reply.pieces, body))
        message = _message(await reply.document(), body.get("model"))
        return reply.with_json(cut(message, body.get("stop_sequences") or ()))


async def failed(reply: Reply) -> Reply:
    """Return an error of OpenAI's as one of this API."""
    # This API knows 529 where others say that they are not available.
    status = 529 if reply.status == 503 else reply.status
    document = await reply.document()
    return reply.with_json(envelope(status, document["error"]["message"]), status)


def _messages(body: Json) -> Iterator[Json]:
    if system := parts(body.get("system")):
        yield {"role": "system", "content": [_text(block["text"]) for block in system]}
    for message in body["messages"]:
        content = parts(message["content"])
        if message["role"] == "assistant":
            yield _spoken(content)
            continue
        for result in (block for block in content if block["type"] == "tool_result"):
            id_ = result["tool_use_id"]
            yield {"role": "tool", "tool_call_id": id_, "content": result_text(result)}
        media = [part for block in content for part in result_media(block)]
        rest = [block for block in content if block["type"] != "tool_result"]
        if media or rest:
            said = [_part(block) for block in [*media, *rest]]
            yield {"role": message["role"], "content": said}


def _spoken(content: list[Json]) -> Json:
    texts = [block["text"] for block in content if block["type"] == "text"]
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": arguments(block)},
        }
        for block in content
        if block["type"] == "tool_use"
    ]
    said: Json = {"role": "assistant", "content": "\n".join(texts) or None}
    return {**said, "tool_calls": calls} if calls else said


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _part(block: Json) -> Json:
    match block["type"]:
        case "image":
            return {"type": "image_url", "image_url": {"url": data_url(block["source"])}}
        case "document" if is_pdf(block):
            file = {"filename": "document.pdf", "file_data": data_url(block["source"])}
            return {"type": "file", "file": file}
        case "document":
            return _text(document_text(block))
    return _text(plain_text(block))


def _tool(tool: Json) -> Json:
    function = {
        "name": tool["name"],
        "description": tool.get("description"),
        "parameters": tool["input_schema"],
    }
    return {"type": "function", "function": given(function)}


def _format(body: Json) -> Json | None:
    schema = output_schema(body)
    if schema is None:
        return None
    named = {"name": "answer", "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _choice(choice: Json) -> Any:
    match choice.get("type"):
        case "any":
            return "required"
        case "tool":
            return {"type": "function", "function": {"name": choice["name"]}}
        case other:
            return other


def _usage(told: Json) -> Json:
    details = told.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens") or 0
    return usage(told["prompt_tokens"], cached, told["completion_tokens"])


def _message(completion: Json, model: Any) -> Json:
    choice = completion["choices"][0]
    told = choice["message"]
    content: list[Json] = []
    if told.get("reasoning_content"):
        thought = told["reasoning_content"]
        content.append({"type": "thinking", "thinking": thought, "signature": ""})
    if told.get("content"):
        content.append(_text(told["content"]))
    content += [
        {
            "type": "tool_use",
            "id": own_id(call["id"]),
            "name": call["function"]["name"],
            "input": msgspec.json.decode(call["function"]["arguments"] or "{}"),
        }
        for call in told.get("tool_calls") or []
    ]
    stop = STOP.get(choice["finish_reason"], "end_turn")
    return {
        "id": f"msg_{completion['id']}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": refusal(told.get("refusal")) if stop == "refusal" else None,
        "usage": _usage(completion["usage"]),
    }


async def _events(pieces: AsyncIterator[bytes], asked: Json) -> AsyncIterator[bytes]:
    """Give the chunks of a completion as events."""
    writer = Writer(asked)
    calls: dict[int, str] = {}
    finish, spent, refused = "", usage(0, 0, 0), None
    async for one in events(pieces):
        data = one.partition(b"data: ")[2].strip()
        if data == b"[DONE]":
            break
        chunk = msgspec.json.decode(data)
        if "error" in chunk:
            yield event("error", error=envelope(529, chunk["error"]["message"])["error"])
            return
        for piece in writer.begin(chunk["id"]):
            yield piece
        if chunk.get("usage"):
            spent = _usage(chunk["usage"])
        for choice in chunk["choices"]:
            refused = choice["delta"].get("refusal") or refused
            finish = choice["finish_reason"] or finish
            for piece in _delta(writer, choice["delta"], calls):
                yield piece
    if not finish:
        yield event("error", error=envelope(500, ENDED_EARLY)["error"])
        return
    stop = STOP.get(finish, "end_turn")
    for piece in writer.end(stop, spent, refusal(refused) if stop == "refusal" else None):
        yield piece


def _delta(writer: Writer, delta: Json, calls: dict[int, str]) -> Iterator[bytes]:
    if delta.get("reasoning_content"):
        yield from writer.thought(delta["reasoning_content"])
    if delta.get("content"):
        yield from writer.text(delta["content"])
    for call in delta.get("tool_calls") or []:
        function = call.get("function") or {}
        if call.get("id"):
            calls[call["index"]] = own_id(call["id"])
            yield from writer.call(calls[call["index"]], function["name"])
        if function.get("arguments"):
            yield from writer.argument(calls[call["index"]], function["arguments"])
