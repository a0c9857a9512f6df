"""Requests in an OpenAI dialect that carry no mark: the lab's model answers them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from metaio_verify.lab import tokens
from metaio_verify.lab.app import Lab
from metaio_verify.lab.cache import PromptCache
from metaio_verify.lab.message import compose
from metaio_verify.lab.types import Answer
from metaio_verify.lab.upstream.play import SPEAKERS, dialect_of
from metaio_verify.lab.upstream.scripts import Failure, JsonObject, Script

_WINDOW = 200_000


def answer(lab: Lab, path: str, body: bytes) -> Answer:
    """Return what the lab's model says, in the dialect that was asked for."""
    if path.rstrip("/").endswith("/models"):
        entries = [
            {"id": model.id, "object": "model", "created": 0, "owned_by": "metaio-verify"}
            for model in lab.models
        ]
        return Answer.of_json({"object": "list", "data": entries})
    speaker = SPEAKERS[dialect_of(path)]
    try:
        asked = msgspec.json.decode(body)
    except msgspec.DecodeError:
        asked = None
    if not isinstance(asked, dict):
        failure = Failure(400, "invalid_request_error", "the body is no JSON object")
        return speaker.error(failure, "VERIFY-UNMARKED")
    own = _as_messages(asked)
    segments = tokens.segments(own)
    message = compose(own, PromptCache().use(segments, own), _WINDOW, lab.key)
    script = Script()
    if asked.get("stream") is not True:
        return Answer.of_json(speaker.plain(script, message))
    head = [("content-type", "text/event-stream; charset=utf-8")]
    events = speaker.events(script, message, asked)
    return Answer(200, head, stream=[event.encode() for event in events])


def _as_messages(asked: JsonObject) -> JsonObject:
    """Return the request as one to the Anthropic API, as far as the lab's model reads it."""
    turns: list[JsonObject] = []
    system: list[str] = []
    given = asked.get("messages", asked.get("input"))
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if isinstance(asked.get("instructions"), str):
        system.append(asked["instructions"])
    for item in given if isinstance(given, list) else []:
        if isinstance(item, dict) and item.get("role") in ("system", "developer"):
            system += [block["text"] for block in _blocks(item) if "text" in block]
        elif isinstance(item, dict):
            role = _role(item)
            blocks = list(_blocks(item))
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": role, "content": blocks})
    limits = (asked.get(key) for key in _LIMITS)
    body: JsonObject = {
        "model": asked.get("model"),
        "max_tokens": next((limit for limit in limits if isinstance(limit, int)), 4096),
        "messages": turns,
    }
    stops = asked.get("stop")
    optional = {
        "system": "\n\n".join(system),
        "tools": [tool for one in asked.get("tools") or [] if (tool := _tool(one))],
        "stop_sequences": [stops] if isinstance(stops, str) else stops,
        "tool_choice": _choice(asked.get("tool_choice")),
        "output_config": _output(asked),
    }
    return {**body, **{name: value for name, value in optional.items() if value}}


_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


def _role(item: JsonObject) -> str:
    called = item.get("role") == "assistant" or item.get("type") in ("function_call", "reasoning")
    return "assistant" if called else "user"


def _blocks(item: JsonObject) -> Iterator[JsonObject]:
    match item:
        case {"role": "tool", "tool_call_id": id_}:
            yield {"type": "tool_result", "tool_use_id": id_, "content": _text(item)}
            return
        case {"type": "function_call_output", "call_id": id_}:
            output = item.get("output")
            yield {"type": "tool_result", "tool_use_id": id_, "content": _text({"content": output})}
            return
        case {"type": "function_call", "name": name}:
            yield _call(item.get("call_id"), name, item.get("arguments"))
            return
    content = item.get("content")
    if isinstance(content, str) and content:
        yield {"type": "text", "text": content}
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield {"type": "text", "text": part["text"]}
        elif isinstance(part, dict) and (data := _data(part)):
            yield data
    for call in item.get("tool_calls") or []:
        function = call.get("function") or {}
        yield _call(call.get("id"), function.get("name"), function.get("arguments"))


def _data(part: JsonObject) -> JsonObject | None:
    """Return an image or a file."""
    match part:
        case {"image_url": {"url": str(url)}} | {"image_url": str(url)}:
            kind = "image"
        case {"file": {"file_data": str(url)}} | {"file_data": str(url)}:
            kind = "document"
        case _:
            return None
    head, comma, data = url.partition(";base64,")
    if not comma:
        return {"type": kind, "source": {"type": "url", "url": url}}
    media = head.removeprefix("data:")
    return {"type": kind, "source": {"type": "base64", "media_type": media, "data": data}}


def _output(asked: JsonObject) -> JsonObject | None:
    """Return the form that the answer is to have."""
    match asked:
        case {"response_format": {"json_schema": {"schema": schema}}}:
            return {"format": {"type": "json_schema", "schema": schema}}
        case {"text": {"format": {"schema": schema}}}:
            return {"format": {"type": "json_schema", "schema": schema}}
    return None


def _text(item: JsonObject) -> str:
    blocks = _blocks({"content": item.get("content")})
    return "".join(block["text"] for block in blocks if "text" in block)


def _call(id_: Any, name: Any, arguments: Any) -> JsonObject:
    try:
        given = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, TypeError):
        given = {}
    return {"type": "tool_use", "id": id_, "name": name, "input": given}


def _tool(tool: Any) -> JsonObject | None:
    function = tool.get("function", tool) if isinstance(tool, dict) else {}
    if not isinstance(function.get("name"), str):
        return None
    return {
        "name": function["name"],
        "description": function.get("description") or "",
        "input_schema": function.get("parameters") or {"type": "object"},
    }


def _choice(choice: Any) -> JsonObject | None:
    match choice:
        case "required":
            return {"type": "any"}
        case "none" | "auto":
            return {"type": choice}
        case {"function": {"name": name}} | {"type": "function", "name": name}:
            return {"type": "tool", "name": name}
    return None
