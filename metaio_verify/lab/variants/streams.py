"""Variants of the stream: events that may be there or not, and how its bytes are written."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import count

from metaio_verify.lab import variant
from metaio_verify.lab.prompt import JsonObject
from metaio_verify.lab.types import Event, Piece, Request

_MANY_TOOLS = 10
_LONG_PROMPT = 2.2
"""Seconds."""
_PING = Event("ping", {"type": "ping"})


# Events


@variant.events
def no_pings(events: list[Event], _request: Request) -> list[Event]:
    """A stream has no pings."""
    return [event for event in events if event.name != "ping"]


@variant.events
def pings_everywhere(events: list[Event], _request: Request) -> list[Event]:
    """After message_start a ping stands between any two events."""
    return [events[0], *(one for event in events[1:] for one in (_PING, event))]


@variant.events
def unknown_events(events: list[Event], _request: Request) -> list[Event]:
    """Events that no client knows yet stand at several places."""
    new = Event("progress", {"type": "progress", "percent": 50, "index": 7})
    return [events[0], new, *events[1:-2], new, *events[-2:]]


@variant.events
def unknown_deltas(events: list[Event], _request: Request) -> list[Event]:
    """Text blocks get a delta of a type that no client knows yet."""
    result = []
    for event in events:
        result.append(event)
        block = event.data.get("content_block", {})
        if block.get("type") == "text":
            delta = {"type": "mood_delta", "mood": "calm"}
            index = event.data["index"]
            data = {"type": "content_block_delta", "index": index, "delta": delta}
            result.append(Event("content_block_delta", data))
    return result


@variant.message
def unknown_blocks(message: JsonObject, _request: Request) -> JsonObject:
    """Before a plain text stands a block of a type that no client knows yet."""
    content = message["content"]
    if [block["type"] for block in content] != ["text"]:
        return message
    return {**message, "content": [{"type": "fallback", "from": "claude-lab-4"}, *content]}


@variant.events
def several_message_deltas(events: list[Event], _request: Request) -> list[Event]:
    """The usage comes in two message_delta events; the last one has the stop reason."""
    place = next(n for n, event in enumerate(events) if event.name == "message_delta")
    early = deepcopy(events[place])
    early.data["delta"] = {"stop_reason": None, "stop_sequence": None}
    return [*events[:place], early, *events[place:]]


@variant.events
def late_usage_is_output_only(events: list[Event], _request: Request) -> list[Event]:
    """The message_delta counts output tokens and nothing else."""
    for event in events:
        if event.name == "message_delta":
            event.data["usage"] = {"output_tokens": event.data["usage"]["output_tokens"]}
    return events


@variant.events
def input_counted_late(events: list[Event], _request: Request) -> list[Event]:
    """The message_start counts no tokens yet; the message_delta has all of them."""
    usage = events[0].data["message"]["usage"]
    events[0].data["message"]["usage"] = {**usage, "input_tokens": 0, "output_tokens": 0}
    return events


@variant.events
def thoughts_are_counted(events: list[Event], _request: Request) -> list[Event]:
    """Each thinking_delta estimates its tokens."""
    for event in events:
        delta = event.data.get("delta", {})
        if delta.get("type") == "thinking_delta":
            delta["estimated_tokens"] = 1
    return events


@variant.events
def one_delta_for_each_character(events: list[Event], _request: Request) -> list[Event]:
    """Text comes one character at a time."""
    result = []
    for event in events:
        text = event.data.get("delta", {}).get("text")
        if not isinstance(text, str):
            result.append(event)
            continue
        for character in text:
            data = {**event.data, "delta": {**event.data["delta"], "text": character}}
            result.append(Event(event.name, data))
    return result


@variant.events
def empty_deltas(events: list[Event], _request: Request) -> list[Event]:
    """Each text block begins with a delta that adds nothing."""
    result = []
    for event in events:
        result.append(event)
        if event.data.get("content_block", {}).get("type") == "text":
            delta = {"type": "text_delta", "text": ""}
            data = {"type": "content_block_delta", "index": event.data["index"], "delta": delta}
            result.append(Event("content_block_delta", data))
    return result


@variant.events
def event_data_escaped(events: list[Event], _request: Request) -> list[Event]:
    """The data of events is pure ASCII, and spread out."""
    return [Event(event.name, json.dumps(event.data)) for event in events]


@variant.events
def event_keys_reversed(events: list[Event], _request: Request) -> list[Event]:
    """The type stands last in the data of each event."""
    return [Event(event.name, dict(reversed(event.data.items()))) for event in events]


@variant.events
def overloaded_in_the_middle(events: list[Event], request: Request) -> list[Event]:
    """A stream with many tools ends in an overloaded_error."""
    if len(request.json.get("tools") or []) < _MANY_TOOLS:
        return events
    error = {"type": "overloaded_error", "message": "Overloaded"}
    return [*events[:2], Event("error", {"type": "error", "error": error})]


@variant.events
def overloaded_at_first(events: list[Event], request: Request) -> list[Event]:
    """Each stream with many tools ends in an overloaded_error once; sent again it is whole."""
    seen = request.memory.setdefault("overloaded-at-first", set())
    if request.body in seen:
        return events
    seen.add(request.body)
    return overloaded_in_the_middle(events, request)


# Bytes


def _each(pieces: list[Piece], old: bytes, new: bytes) -> list[Piece]:
    return [one.replace(old, new) if isinstance(one, bytes) else one for one in pieces]


@variant.wire
def lines_end_in_crlf(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Lines of a stream end in CR LF."""
    return _each(pieces, b"\n", b"\r\n")


@variant.wire
def no_space_after_colon(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Fields of a stream have no space after the colon, as the standard allows."""
    return _each(_each(pieces, b"event: ", b"event:"), b"\ndata: ", b"\ndata:")


@variant.wire
def comments(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Comment lines stand between the events, as proxies write them to keep the line open."""
    return [one for piece in pieces for one in (b": keep-alive\n\n", piece)]


@variant.wire
def event_ids_and_retry(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Events have ids, and the stream names a time to reconnect."""
    numbers = count(1)
    return [
        b"retry: 3000\nid: %d\n" % next(numbers) + one if isinstance(one, bytes) else one
        for one in pieces
    ]


@variant.wire
def a_byte_at_a_time(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Each byte of a stream is written by itself, so characters and lines are torn."""
    return [
        part
        for piece in pieces
        for part in ([bytes([byte]) for byte in piece] if isinstance(piece, bytes) else [piece])
    ]


@variant.wire
def prompt_read_slowly(pieces: list[Piece], request: Request) -> list[Piece]:
    """Before a stream without tools begins, its prompt takes a while; then all comes at once."""
    if "tools" in request.json:
        return pieces
    return [_LONG_PROMPT, *in_one_piece(pieces, request)]


@variant.wire
def in_one_piece(pieces: list[Piece], _request: Request) -> list[Piece]:
    """A fast model's stream arrives as a whole."""
    return [b"".join(piece for piece in pieces if isinstance(piece, bytes))]


@variant.wire
def odd_pieces(pieces: list[Piece], _request: Request) -> list[Piece]:
    """A stream is written in pieces of seven bytes, whatever they hold."""
    whole = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return [whole[place : place + 7] for place in range(0, len(whole), 7)]
