"""Faults of streams: the answer as a whole, its events, its beginning and its end.

Some act only where a tool is called or where the model thinks, because the defect that they stand
for does, or because every reader of the stream would otherwise stumble over it as well.
"""

from __future__ import annotations

from dataclasses import replace

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Events, Json, after, copy, has, rewritten, without
from metaio_verify.lab.types import CUT, Answer, Event, Piece, Request

# The answer as a whole


@fault.request
def stream_as_json(request: Request) -> Request:
    """`stream` true is ignored: the answer is one JSON document."""
    if request.is_messages and request.wants_stream:
        return rewritten(request, {**request.json, "stream": False})
    return request


@fault.answer
def stream_content_type_plain(answer: Answer, _request: Request) -> Answer:
    """A stream is labelled `text/plain`."""
    return answer if answer.stream is None else answer.with_header("content-type", "text/plain")


@fault.wire
def stream_of_many_tools_empty(pieces: list[Piece], request: Request) -> list[Piece]:
    """With three or more tools a stream is 200 and empty: the upstream gave no iterator."""
    return [] if len(request.json.get("tools") or []) > 2 else pieces


@fault.wire
def thinking_stream_cut(pieces: list[Piece], request: Request) -> list[Piece]:
    """The connection drops in the first block of a stream that thinks."""
    return [*pieces[:4], CUT] if "thinking" in request.json else pieces


@fault.answer
def stream_buffered(answer: Answer, request: Request) -> Answer:
    """A stream of more than 200 tokens is collected and sent in one piece at the end."""
    if answer.stream is None or request.json["max_tokens"] <= 200:
        return answer
    body = b"".join(piece for piece in answer.stream if isinstance(piece, bytes))
    return replace(answer, stream=[body[:1], 2.5, body[1:]])


# The events themselves


@fault.events
def stream_without_event_lines(events: Events, _request: Request) -> Events:
    """Events have a data line only."""
    return [replace(event, name=None) for event in events]


@fault.events
def event_names_shortened(events: Events, _request: Request) -> Events:
    """The name of `content_block_delta` is written `delta`."""
    return [
        replace(event, name="delta") if event.name == "content_block_delta" else event
        for event in events
    ]


@fault.events
def ping_without_type(events: Events, _request: Request) -> Events:
    """A ping has the data `{}`."""
    return [replace(event, data={}) if event.name == "ping" else event for event in events]


@fault.events
def stream_data_torn(events: Events, _request: Request) -> Events:
    """One delta is written cut in half, and then again whole."""
    torn = Event("content_block_delta", '{"type": "content_block_delta", "ind')
    return after("content_block_start", events, lambda _: torn)


@fault.events
def stream_event_without_data(events: Events, _request: Request) -> Events:
    """A keep-alive ends an event before its data is there."""
    return after("content_block_start", events, lambda _: Event("content_block_delta", ""))


@fault.events
def stream_done_sentinel(events: Events, _request: Request) -> Events:
    """A stream ends with an unnamed `data: [DONE]`."""
    return [*events, Event(None, "[DONE]")]


@fault.events
def stream_named_done(events: Events, _request: Request) -> Events:
    """A stream ends with `event: done` and `data: [DONE]`."""
    return [*events, Event("done", "[DONE]")]


@fault.wire
def stream_characters_torn(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Each chunk of the upstream is decoded by itself: an emoji becomes U+FFFD."""
    return [_replaced(piece, "🙂".encode(), "\ufffd\ufffd".encode()) for piece in pieces]


@fault.wire
def stream_invalid_utf8(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Only the first half of an emoji's bytes is written."""
    return [_replaced(piece, "🙂".encode(), "🙂".encode()[:2]) for piece in pieces]


def _replaced(piece: Piece, old: bytes, new: bytes) -> Piece:
    return piece.replace(old, new) if isinstance(piece, bytes) else piece


# The beginning


@fault.events
def message_start_missing(events: Events, _request: Request) -> Events:
    """A stream with a tool call has no `message_start`."""
    return without("message_start", events) if has("tool_use", events) else events


@fault.events
def message_start_after_first_block(events: Events, _request: Request) -> Events:
    """A stream with a tool call begins with `content_block_start`."""
    return [events[1], events[0], *events[2:]] if has("tool_use", events) else events


@fault.events
def message_start_twice(events: Events, _request: Request) -> Events:
    """`message_start` is sent twice."""
    return [events[0], *events]


@fault.events
def message_start_content_null(events: Events, _request: Request) -> Events:
    """`message_start` has `content` null."""
    events[0].data["message"]["content"] = None
    return events


@fault.events
def message_start_without_usage(events: Events, _request: Request) -> Events:
    """`message_start` has no `usage`."""
    del events[0].data["message"]["usage"]
    return events


@fault.events
def message_start_counts_missing(events: Events, _request: Request) -> Events:
    """The usage of `message_start` counts neither input nor output."""
    usage = events[0].data["message"]["usage"]
    del usage["input_tokens"], usage["output_tokens"]
    return events


@fault.events
def message_start_input_zero(events: Events, _request: Request) -> Events:
    """`message_start` counts no input; only `message_delta` does."""
    usage = events[0].data["message"]["usage"]
    usage |= {name: 0 for name, value in usage.items() if isinstance(value, int)}
    return events


@fault.events
def stop_reason_in_start(events: Events, _request: Request) -> Events:
    """`message_start` already says `end_turn`."""
    events[0].data["message"]["stop_reason"] = "end_turn"
    return events


# The end


@fault.message
def stream_ends_otherwise(message: Json, request: Request) -> Json:
    """A complete streamed answer says `pause_turn`; the plain one says `end_turn`."""
    if request.wants_stream and message["stop_reason"] == "end_turn":
        message["stop_reason"] = "pause_turn"
    return message


@fault.events
def message_delta_missing(events: Events, _request: Request) -> Events:
    """A stream that thinks has no `message_delta`."""
    return without("message_delta", events) if has("thinking", events) else events


@fault.events
def message_delta_without_usage(events: Events, _request: Request) -> Events:
    """The `message_delta` of a tool call has no `usage`."""
    for event in events:
        if event.name == "message_delta" and has("tool_use", events):
            del event.data["usage"]
    return events


@fault.events
def stop_reason_reset(events: Events, _request: Request) -> Events:
    """A second `message_delta` brings usage only and takes the stop reason back."""
    empty = {"stop_reason": None, "stop_sequence": None}
    return after("message_delta", events, lambda last: copy(last, delta=empty))


@fault.events
def stop_reason_never(events: Events, _request: Request) -> Events:
    """The `message_delta` of a stream that thinks has a null stop reason."""
    for event in events:
        if event.name == "message_delta" and has("thinking", events):
            event.data["delta"]["stop_reason"] = None
    return events


@fault.events
def stop_sequence_key_left_out(events: Events, _request: Request) -> Events:
    """`message_delta` has no `stop_sequence` where it should be null."""
    for event in events:
        if event.name == "message_delta" and event.data["delta"].get("stop_sequence") is None:
            event.data["delta"].pop("stop_sequence", None)
    return events


@fault.events
def stream_usage_incremental(events: Events, _request: Request) -> Events:
    """`message_delta` counts the tokens since the one before."""
    last = next(event for event in events if event.name == "message_delta")
    total = last.data["usage"]["output_tokens"]
    if total < 3:
        return events
    last.data["usage"]["output_tokens"] = total - 1
    return after(
        "message_delta",
        events,
        lambda one: copy(one, usage={**one.data["usage"], "output_tokens": 1}),
    )


@fault.events
def stream_output_tokens_zero(events: Events, _request: Request) -> Events:
    """A stream counts no output tokens, from its beginning to its end."""
    events[0].data["message"]["usage"]["output_tokens"] = 0
    for event in events:
        if event.name == "message_delta":
            event.data["usage"]["output_tokens"] = 0
    return events


@fault.events
def message_stop_missing(events: Events, _request: Request) -> Events:
    """A stream has no `message_stop`."""
    return without("message_stop", events)


@fault.events
def message_stop_twice(events: Events, _request: Request) -> Events:
    """`message_stop` is sent twice."""
    return [*events, events[-1]]


@fault.events
def event_after_message_stop(events: Events, _request: Request) -> Events:
    """A late chunk of usage makes a second `message_delta` behind `message_stop`."""
    return [*events, events[-2]]


@fault.events
def truncated_stream_unfinished(events: Events, _request: Request) -> Events:
    """A stream that runs into `max_tokens` has neither `message_delta` nor `message_stop`."""
    truncated = events[-2].data["delta"]["stop_reason"] == "max_tokens"
    return events[:-2] if truncated else events
