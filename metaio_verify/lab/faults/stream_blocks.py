"""Faults of streams: the blocks, their text and the arguments of tool calls."""

from __future__ import annotations

import json

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Events, after, block_of, copy, delta_of, has, without
from metaio_verify.lab.types import Event, Request

# The blocks


@fault.events
def block_start_missing(events: Events, _request: Request) -> Events:
    """A stream with a tool call opens its text without `content_block_start`."""
    if not has("tool_use", events):
        return events
    return [event for event in events if block_of(event).get("type") != "text"]


@fault.events
def block_start_with_text(events: Events, _request: Request) -> Events:
    """The first piece of a text stands in `content_block_start` and comes again as a delta."""
    for event, following in zip(events, events[2:], strict=False):
        if block_of(event).get("type") == "text":
            block_of(event)["text"] = delta_of(following).get("text", "Well")
    return events


@fault.events
def tool_start_without_input(events: Events, _request: Request) -> Events:
    """A tool call starts without `input`."""
    for event in events:
        block_of(event).pop("input", None)
    return events


@fault.events
def thinking_start_without_signature(events: Events, _request: Request) -> Events:
    """A thinking block starts without `signature`."""
    for event in events:
        block_of(event).pop("signature", None)
    return events


@fault.events
def late_delta(events: Events, _request: Request) -> Events:
    """A delta comes for a text block that is already closed."""
    thinks = has("thinking", events)
    return (
        events
        if thinks
        else after("content_block_stop", events, lambda stop: _text_delta(stop, ""))
    )


def _text_delta(event: Event, text: str) -> Event:
    """Return a text delta for the same block."""
    data = {"type": "content_block_delta", "index": event.data["index"]}
    return Event("content_block_delta", {**data, "delta": {"type": "text_delta", "text": text}})


@fault.events
def block_index_from_one(events: Events, _request: Request) -> Events:
    """Blocks are counted from 1."""
    return [
        copy(event, index=event.data["index"] + 1) if "index" in event.data else event
        for event in events
    ]


@fault.events
def block_index_repeated(events: Events, _request: Request) -> Events:
    """Every block has the index 0."""
    return [copy(event, index=0) if "index" in event.data else event for event in events]


@fault.events
def block_stop_missing(events: Events, _request: Request) -> Events:
    """Blocks have no `content_block_stop`."""
    return without("content_block_stop", events)


@fault.events
def blocks_overlap(events: Events, _request: Request) -> Events:
    """All blocks are closed at the end of the stream."""
    stops = [event for event in events if event.name == "content_block_stop"]
    rest = without("content_block_stop", events)
    return [*rest[:-2], *stops, *rest[-2:]]


@fault.events
def block_stop_twice(events: Events, _request: Request) -> Events:
    """A block is closed twice."""
    return after("content_block_stop", events, copy)


@fault.events
def thinking_delta_in_text_block(events: Events, _request: Request) -> Events:
    """A text block gets a `thinking_delta`."""

    def stray(start: Event) -> Event:
        delta = {"type": "thinking_delta", "thinking": "Let me think."}
        return copy(_text_delta(start, ""), delta=delta)

    thinks = has("thinking", events)
    return events if thinks else after("content_block_start", events, stray)


@fault.events
def delta_without_payload(events: Events, _request: Request) -> Events:
    """A text delta has no `text`."""

    def hollow(start: Event) -> Event:
        return copy(_text_delta(start, ""), delta={"type": "text_delta"})

    thinks = has("thinking", events)
    return events if thinks else after("content_block_start", events, hollow)


# The text


def _texts(events: Events) -> list[Event]:
    """Return the text deltas."""
    return [event for event in events if delta_of(event).get("type") == "text_delta"]


@fault.events
def cumulative_deltas(events: Events, request: Request) -> Events:
    """In streams of up to 200 tokens each text delta repeats the text so far."""
    so_far = ""
    for event in _texts(events) if request.json["max_tokens"] <= 200 else []:
        so_far += delta_of(event)["text"]
        delta_of(event)["text"] = so_far
    return events


@fault.events
def first_delta_lost(events: Events, _request: Request) -> Events:
    """The chunk that opens a longer text is dropped."""
    texts = _texts(events)
    lost = texts[:1] if len(texts) > 3 else []
    return [event for event in events if not any(event is one for one in lost)]


@fault.events
def deltas_trimmed(events: Events, _request: Request) -> Events:
    """White space around the text of a delta is removed."""
    for event in _texts(events):
        delta_of(event)["text"] = delta_of(event)["text"].strip()
    return events


@fault.events
def text_repeated_at_end(events: Events, request: Request) -> Events:
    """Behind the deltas the whole text is sent once more, in streams of up to 200 tokens."""
    texts = _texts(events)
    if not texts or request.json["max_tokens"] > 200:
        return events
    whole = "".join(delta_of(event)["text"] for event in texts)
    place = events.index(texts[-1]) + 1
    return [*events[:place], _text_delta(texts[-1], whole), *events[place:]]


@fault.events
def stream_content_lost(events: Events, _request: Request) -> Events:
    """A text beyond ASCII is lost: the stream ends properly, without a block."""
    if "".join(delta_of(event)["text"] for event in _texts(events)).isascii():
        return events
    return [event for event in events if "index" not in event.data]


# Tool calls


@fault.events
def tool_json_torn(events: Events, _request: Request) -> Events:
    """A stream that thinks loses the last fragment of a tool call's arguments."""
    fragments = [event for event in events if delta_of(event).get("partial_json")]
    lost = fragments[-1:] if has("thinking", events) else []
    return [event for event in events if not any(event is one for one in lost)]


@fault.events
def tool_json_escaped_twice(events: Events, _request: Request) -> Events:
    """A stream that thinks sends a tool call's arguments as JSON in a JSON string."""
    fragments = [event for event in events if delta_of(event).get("partial_json")]
    if has("thinking", events) and fragments:
        whole = "".join(delta_of(event)["partial_json"] for event in fragments)
        for event in fragments:
            delta_of(event)["partial_json"] = ""
        delta_of(fragments[0])["partial_json"] = json.dumps(whole)
    return events
