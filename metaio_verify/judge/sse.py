"""Server-sent events from the bytes of a body, with the time at which each was complete.

Lines end in CR LF, LF or CR and in nothing else: `str.splitlines` would also split at U+2028 or
U+0085, which are legal inside `data:`. The body is parsed as a whole, so the pieces in which it
arrived decide about times only, never about content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from msgspec import Struct, field

from metaio_verify.judge.document import NotJSONError, decode

_BOM = b"\xef\xbb\xbf"
_LOOKS_LIKE_EVENTS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:event|data|id|retry)?:")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class _NotJSON:
    """Stands for the data of an event that is no JSON; JSON's own null is `None`."""

    def __repr__(self) -> str:
        return "NOT_JSON"


NOT_JSON: Final = _NotJSON()


class RawEvent(Struct, frozen=True, gc=False):
    """One dispatched event.

    As in the SDKs, a block of lines is dispatched when it has an `event:` or a `data:` line; the
    browser standard would drop one without `data:`, which would hide a defect.
    """

    number: int
    """Counts from 1."""
    at: float
    """Arrival of the piece that completed it, in seconds from the request."""
    name: str | None
    """The `event:` line; none when it is missing or empty."""
    data: str
    """The `data:` lines, joined by line feeds; invalid UTF-8 is replaced by U+FFFD."""
    has_data: bool = True
    """False when there was no `data:` line at all."""
    valid_utf8: bool = True


class Comment(Struct, frozen=True, gc=False):
    """A line that begins with a colon; servers send them to keep the connection busy."""

    at: float
    text: str


class SseStream(Struct, frozen=True, dict=True):
    """A whole body, parsed."""

    events: list[RawEvent] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    tail: bytes = b""
    """An event that the end of the body cut off; clients never see it."""

    @cached_property
    def documents(self) -> list[Any]:
        """The decoded JSON of each event's data, or `NOT_JSON`; shared by all who read it."""
        return [_document(event.data) for event in self.events]


def _document(text: str) -> Any:
    if not text:
        return NOT_JSON
    try:
        return decode(text)
    except NotJSONError:
        return NOT_JSON


def looks_like_events(body: bytes) -> bool:
    """Whether a body begins as streams of events do, whatever its media type says."""
    return _LOOKS_LIKE_EVENTS.match(body) is not None


def lines(body: bytes, begin: int = 0) -> Iterator[tuple[int, int, int]]:
    """The begin, the end, and the end with its line end, of each line.

    One at a time, as a list of all lines of a hostile body would be many times its size.
    """
    for end in _LINE_END.finditer(body, begin):
        yield begin, end.start(), end.end()
        begin = end.end()
    if begin < len(body):
        yield begin, len(body), len(body)


def parse(body: bytes, chunks: Sequence[tuple[float, int]]) -> SseStream:
    """Parse a body.

    Args:
        body: the bytes, with content-coding taken off
        chunks: arrival and length of each piece of the body; when they do not add up to it, the
            last known time is used for what follows

    """
    events: list[RawEvent] = []
    comments: list[Comment] = []
    arrival = _Arrivals(chunks)
    name: bytes | None = None
    data: list[bytes] = []
    begin = len(_BOM) if body.startswith(_BOM) else 0
    pending = False
    for offset, end, after in lines(body, begin):
        content = body[offset:end]
        complete = end < after
        if not content:
            if name is not None or data:
                at = arrival.of(offset)
                events.append(_event(len(events) + 1, at, name, data))
                name, data = None, []
            pending = False
        elif content.startswith(b":"):
            comments.append(
                Comment(arrival.of(offset + len(content)), content[1:].decode(errors="replace"))
            )
        else:
            if not pending:
                pending, begin = True, offset
            key, _, value = content.partition(b":")
            value = value.removeprefix(b" ")
            # Half a line may hold half a name; it only matters that the event was begun.
            if key == b"data" and complete:
                data.append(value)
            elif key == b"event" and complete:
                name = value
    return SseStream(events, comments, body[begin:] if pending else b"")


def _event(number: int, at: float, name: bytes | None, data: list[bytes]) -> RawEvent:
    joined = b"\n".join(data)
    try:
        return RawEvent(number, at, (name or b"").decode() or None, joined.decode(), bool(data))
    except UnicodeDecodeError:
        label = (name or b"").decode(errors="replace") or None
        text = joined.decode(errors="replace")
        return RawEvent(number, at, label, text, bool(data), valid_utf8=False)


class _Arrivals:
    """Finds the arrival of a byte; offsets must be asked for in ascending order."""

    def __init__(self, chunks: Sequence[tuple[float, int]]) -> None:
        self._chunks: Iterator[tuple[float, int]] = iter(chunks)
        self._at = 0.0
        self._end = 0

    def of(self, offset: int) -> float:
        """Return the time at which the byte at this offset had arrived."""
        while offset >= self._end and (chunk := next(self._chunks, None)) is not None:
            self._at = chunk[0]
            self._end += chunk[1]
        return self._at
