"""A finished message as a stream: the grammar of events that clients rely on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from metaio_verify.lab import tokens
from metaio_verify.lab.prompt import JsonObject
from metaio_verify.lab.types import Event

_IN_DELTA = ("stop_reason", "stop_sequence", "stop_details", "container", "safeguard_results")
_MOST_DELTAS = 400
_JSON_PIECE = 12


def events_of(message: JsonObject) -> list[Event]:
    """Return the events that a client rebuilds exactly this message from."""
    content = message.get("content")
    events = [_event("message_start", message=_opening(message))]
    for index, block in enumerate(content if isinstance(content, list) else []):
        events += _block_events(index, block)
    if len(events) > 1:
        events.insert(2, _event("ping"))
    return [*events, _closing(message), _event("message_stop")]


def _event(name: str, **fields: Any) -> Event:
    return Event(name, {"type": name, **fields})


def _opening(message: JsonObject) -> JsonObject:
    """Return the message as it is known before the first token."""
    opening = {
        name: value
        for name, value in message.items()
        if name not in ("safeguard_results", "context_management", "container")
    }
    opening |= {"content": [], "stop_reason": None, "stop_sequence": None}
    if "stop_details" in opening:
        opening["stop_details"] = None
    usage = message.get("usage")
    if isinstance(usage, dict):
        opening["usage"] = {
            name: value for name, value in usage.items() if name != "output_tokens_details"
        }
        if isinstance(usage.get("output_tokens"), int):
            opening["usage"]["output_tokens"] = min(1, usage["output_tokens"])
    return opening


def _closing(message: JsonObject) -> Event:
    """Return the `message_delta`: how it ended, and the final, cumulative usage."""
    delta = {name: message[name] for name in _IN_DELTA if name in message}
    if delta.get("stop_details") is None:
        delta.pop("stop_details", None)
    usage = message.get("usage")
    if isinstance(usage, dict):
        usage = {
            name: value
            for name, value in usage.items()
            if name not in ("service_tier", "cache_creation")
        }
    fields: JsonObject = {"delta": delta}
    if "usage" in message:
        fields["usage"] = usage
    if "context_management" in message:
        fields["context_management"] = message["context_management"]
    return _event("message_delta", **fields)


def _block_events(index: int, block: Any) -> list[Event]:
    empty, deltas = _parts(block)
    return [
        _event("content_block_start", index=index, content_block=empty),
        *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]


def _parts(block: Any) -> tuple[Any, list[JsonObject]]:
    """Return a block as it starts, and what is added to it bit by bit."""
    match block:
        case {"type": "text", "text": str(text)}:
            return {**block, "text": ""}, [
                {"type": "text_delta", "text": piece} for piece in _pieces(text)
            ]
        case {"type": "thinking", "thinking": str(text)}:
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(text)]
            start = {**block, "thinking": ""}
            if "signature" in block:
                start["signature"] = ""
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            return start, deltas
        case {"type": "tool_use" | "server_tool_use", "input": value}:
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in _json_pieces(value)
            ]
        case _:
            return block, []


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in several pieces that never split a character."""
    size = 2 if len(text) < _MOST_DELTAS else 2 + len(text) // (4 * _MOST_DELTAS)
    stream = tokens.words(text)
    while piece := "".join(islice(stream, size)):
        yield piece


def _json_pieces(value: Any) -> list[str]:
    """Return the arguments of a call in pieces, the first one empty, as the API sends them."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = "" if text == "{}" else text
    starts = range(0, len(text), _JSON_PIECE)
    return ["", *(text[start : start + _JSON_PIECE] for start in starts)]
