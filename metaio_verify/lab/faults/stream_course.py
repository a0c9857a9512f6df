"""Faults in the course of a stream: silence, failure, what stands where, clients that leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Events, asked, block_of, copy, has, refused, without
from metaio_verify.lab.types import Answer, Event, Piece, Request

_SILENCE = 4.3
_LONG = 20
"""Pieces of a stream that is long enough to be left in the middle."""
_WORK = 5.0
"""Seconds for which a long answer is worked on, if nobody leaves."""


def _shows_thinking(request: Request) -> bool:
    """Tell whether a request wants to see how the model thinks."""
    return (asked(request).get("thinking") or {}).get("display") == "summarized"


# Silence and failure


@fault.wire
def silent_while_thinking(pieces: list[Piece], request: Request) -> list[Piece]:
    """While a model thinks, only comment lines are sent."""
    if not _shows_thinking(request):
        return pieces
    return [*pieces[:2], _SILENCE / 2, b": keep-alive\n\n", _SILENCE / 2, *pieces[2:]]


def _until_text(events: Events) -> Events:
    """Return the events before the first text block."""
    texts = [n for n, event in enumerate(events) if block_of(event).get("type") == "text"]
    return events[: texts[0]] if texts else events


@fault.events
def stream_fails_after_thinking(events: Events, request: Request) -> Events:
    """The upstream breaks when the model has thought; the stream ends in an error event."""
    if not _shows_thinking(request) or not has("thinking", events):
        return events
    error = {"type": "api_error", "message": "upstream connect error"}
    return [*_until_text(events), Event("error", {"type": "error", "error": error})]


@fault.events
def stream_error_misshapen(events: Events, request: Request) -> Events:
    """The upstream breaks when the model has thought; its message is sent in a form of its own."""
    if not _shows_thinking(request) or not has("thinking", events):
        return events
    failure = {"type": "error", "message": "upstream connect error", "code": 502}
    return [*_until_text(events), Event("error", failure)]


# What stands where


@fault.wire
def stream_lines_end_in_cr(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Lines of a stream end in a lone CR."""
    return [one.replace(b"\n", b"\r") if isinstance(one, bytes) else one for one in pieces]


@fault.events
def unknown_event_sent(events: Events, _request: Request) -> Events:
    """A stream holds an event of the gateway's own."""
    return [events[0], Event("gateway_route", {"type": "gateway_route", "id": 7}), *events[1:]]


@fault.events
def model_in_every_event(events: Events, _request: Request) -> Events:
    """The gateway writes the model's public name into every event."""
    first, *rest = events
    return [first, *(copy(event, model="public-name") for event in rest)]


@fault.events
def usage_details_in_start(events: Events, _request: Request) -> Events:
    """`message_start` already has the details of the output tokens."""
    events[0].data["message"]["usage"]["output_tokens_details"] = {"thinking_tokens": 0}
    return events


@fault.events
def context_management_in_delta(events: Events, _request: Request) -> Events:
    """The edits of the context stand inside `delta`."""
    for event in events:
        if event.name == "message_delta" and "context_management" in event.data:
            event.data["delta"]["context_management"] = event.data.pop("context_management")
    return events


@fault.events
def empty_block_streamed(events: Events, request: Request) -> Events:
    """An answer without text is streamed with an empty text block."""
    if any("index" in event.data for event in events) or "stop_sequences" not in asked(request):
        return events
    block = {"type": "text", "text": ""}
    start = {"type": "content_block_start", "index": 0, "content_block": block}
    stop = {"type": "content_block_stop", "index": 0}
    opened = [Event("content_block_start", start), Event("content_block_stop", stop)]
    return [*without("message_delta", events)[:-1], *opened, *events[-2:]]


# Clients that leave


class _Held(list[Piece]):
    """The pieces of a stream; when the last one was taken, its session is free."""

    def __init__(self, pieces: list[Piece], sessions: set[str], session: str) -> None:
        super().__init__(pieces)
        self._sessions = sessions
        self._session = session

    def __iter__(self) -> Iterator[Piece]:
        yield from super().__iter__()
        self._sessions.discard(self._session)


@fault.answer
def left_session_stays_locked(answer: Answer, request: Request) -> Answer:
    """A session whose client left a stream takes no further request."""
    body = asked(request)
    session = str((body.get("metadata") or {}).get("user_id", ""))
    if not session or "tools" in body:
        return answer
    busy: set[str] = request.memory.setdefault("left-session-stays-locked", set())
    if session in busy:
        return refused("A request of this session is being processed already", 409).answer()
    if answer.stream is None or len(answer.stream) < _LONG:
        return answer
    busy.add(session)
    pieces = [*answer.stream[:_LONG], _WORK, *answer.stream[_LONG:]]
    return replace(answer, stream=_Held(pieces, busy, session))
