"""The upstream as OpenAI responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from metaio_verify.lab.stream import events_of
from metaio_verify.lab.types import Answer, Event, HeaderLines
from metaio_verify.lab.upstream import chat
from metaio_verify.lab.upstream.scripts import Failure, JsonObject, Script

_CREATED: Final = 1795000000


def headers(token: str) -> HeaderLines:
    """Return what every answer carries."""
    return chat.headers(token)


def plain(_script: Script, message: JsonObject) -> JsonObject:
    """Return the message as a response."""
    return _response(message, "completed", [_item(message, n) for n in range(_count(message))])


def _count(message: JsonObject) -> int:
    return 1 if message["stop_reason"] == "refusal" else len(message["content"])


def _response(message: JsonObject, status: str, output: list[JsonObject]) -> JsonObject:
    cut = status == "completed" and message["stop_reason"] == "max_tokens"
    spent = chat.usage(message)
    return {
        "id": message["id"].replace("msg_01", "resp_"),
        "object": "response",
        "created_at": _CREATED,
        "status": "incomplete" if cut else status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "model": message["model"],
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": spent["prompt_tokens"],
            "input_tokens_details": spent["prompt_tokens_details"],
            "output_tokens": spent["completion_tokens"],
            "output_tokens_details": spent["completion_tokens_details"],
            "total_tokens": spent["total_tokens"],
        }
        if status == "completed"
        else None,
    }


def _item(message: JsonObject, number: int, *, empty: bool = False) -> JsonObject:
    """Return one item of the output, as a whole or as it is when it is added to a stream."""
    own = message["id"].removeprefix("msg_01")
    status = "in_progress" if empty else "completed"
    if message["stop_reason"] == "refusal":
        part = {"type": "refusal", "refusal": message["stop_details"]["explanation"]}
        parts = [] if empty else [part]
        return _message_item(f"msg_{own}{number}", status, parts)
    block = message["content"][number]
    match block["type"]:
        case "thinking":
            summary = [{"type": "summary_text", "text": block["thinking"]}]
            return {
                "id": f"rs_{own}{number}",
                "type": "reasoning",
                "summary": [] if empty else summary,
            }
        case "tool_use":
            arguments = msgspec.json.encode(block["input"]).decode()
            return {
                "id": f"fc_{own}{number}",
                "type": "function_call",
                "status": status,
                "arguments": "" if empty else arguments,
                "call_id": chat.call_id(block),
                "name": block["name"],
            }
    part = {"type": "output_text", "text": block["text"], "annotations": []}
    return _message_item(f"msg_{own}{number}", status, [] if empty else [part])


def _message_item(id_: str, status: str, parts: list[JsonObject]) -> JsonObject:
    return {"id": id_, "type": "message", "status": status, "role": "assistant", "content": parts}


def events(_script: Script, message: JsonObject, _request: Any) -> list[Event]:
    """Return the message as a stream of typed events, numbered as the API numbers them."""
    whole = [_item(message, number) for number in range(_count(message))]
    told: list[JsonObject] = [
        {"type": "response.created", "response": _response(message, "in_progress", [])},
        {"type": "response.in_progress", "response": _response(message, "in_progress", [])},
    ]
    for number, item in enumerate(whole):
        begun = _item(message, number, empty=True)
        told.append({"type": "response.output_item.added", "output_index": number, "item": begun})
        told += _item_events(message, number, item)
        told.append({"type": "response.output_item.done", "output_index": number, "item": item})
    final = _response(message, "completed", whole)
    told.append({"type": f"response.{final['status']}", "response": final})
    return [
        Event(data["type"], {**data, "sequence_number": number}) for number, data in enumerate(told)
    ]


def _item_events(message: JsonObject, number: int, item: JsonObject) -> Iterator[JsonObject]:
    place: JsonObject = {"item_id": item["id"], "output_index": number}
    match item:
        case {"type": "function_call"}:
            name = "response.function_call_arguments"
            for piece in _pieces(message, number, "partial_json"):
                yield {"type": f"{name}.delta", **place, "delta": piece}
            yield {"type": f"{name}.done", **place, "arguments": item["arguments"]}
        case {"type": "reasoning", "summary": [part]}:
            at = {**place, "summary_index": 0}
            name = "response.reasoning_summary"
            empty = {**part, "text": ""}
            yield {"type": f"{name}_part.added", **at, "part": empty}
            for piece in _pieces(message, number, "thinking"):
                yield {"type": f"{name}_text.delta", **at, "delta": piece}
            yield {"type": f"{name}_text.done", **at, "text": part["text"]}
            yield {"type": f"{name}_part.done", **at, "part": part}
        case {"content": [{"type": "refusal", "refusal": text} as part]}:
            at = {**place, "content_index": 0}
            empty = {**part, "refusal": ""}
            yield {"type": "response.content_part.added", **at, "part": empty}
            yield {"type": "response.refusal.delta", **at, "delta": text}
            yield {"type": "response.refusal.done", **at, "refusal": text}
            yield {"type": "response.content_part.done", **at, "part": part}
        case {"content": [part]}:
            at = {**place, "content_index": 0}
            yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
            for piece in _pieces(message, number, "text"):
                yield {"type": "response.output_text.delta", **at, "delta": piece}
            yield {"type": "response.output_text.done", **at, "text": part["text"]}
            yield {"type": "response.content_part.done", **at, "part": part}


def _pieces(message: JsonObject, number: int, key: str) -> list[str]:
    """Return a block in the pieces in which the Anthropic API would stream it."""
    alone = events_of({**message, "content": [message["content"][number]]})
    deltas = (event.data["delta"] for event in alone if "delta" in event.data)
    return [delta[key] for delta in deltas if delta.get(key)]


def is_delta(event: Event) -> bool:
    """Whether an event brings something of the answer."""
    return str(event.name).endswith(".delta")


def ping() -> Event | None:
    """Return none: this API sends nothing while it is silent."""
    return None


def failed(failure: Failure, token: str) -> Event:
    """Return the error within a stream."""
    kind, code = chat.ERROR_TYPES.get(failure.status, ("server_error", None))
    text = failure.message.replace("{token}", token)
    data = {"type": "error", "code": code or kind, "message": text, "param": None}
    return Event("error", {**data, "sequence_number": 99})


def error(failure: Failure, token: str) -> Answer:
    """Return an error before any stream."""
    return chat.error(failure, token)
