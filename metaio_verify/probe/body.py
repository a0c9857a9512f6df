"""Collecting a body within bounds: decoded, timed, and cut where an answer goes too far."""

from __future__ import annotations

import zlib

from msgspec import Struct

from metaio_verify.judge.sse import looks_like_events
from metaio_verify.judge.wording import short

KEPT = 64 * 1024
"""Bytes that are kept of a body that broke a bound: enough to see what it was."""

_LINES_AN_EVENT = 4
"""More lines, or pieces, than this for each event that is allowed are no stream of messages."""
_TIMED = 4096
"""Pieces that are timed one by one; of later ones those within `_MOMENT` seconds are one."""
_MOMENT = 0.01
_SNIFFED = 4096
"""Bytes from which a body's kind is told."""


class BodyError(Exception):
    """The rest of a body is not read; the message is one sentence for a person."""


class CodingError(BodyError):
    """The body is not what its content-encoding says."""


class TooLargeError(BodyError):
    """The body goes beyond a bound."""


class Room(Struct):
    """The bytes that all answers of a run may bring together, so that many cannot fill memory."""

    size: int
    taken: int = 0


class Body:
    """The body of one answer, as far as it came."""

    def __init__(self, *, coding: str, streamed: bool, limit: int, events: int, room: Room) -> None:
        """Prepare for a body; `streamed` says that its media type is that of a stream."""
        self.content = bytearray()
        self.chunks: list[tuple[float, int]] = []
        self.pieces = 0
        self._most_pieces = _LINES_AN_EVENT * events
        self._searched = 0
        self._limit = limit
        self._room = room
        self._coding = _Coding(coding)
        self._lines = _Lines(events, streamed=streamed)

    def feed(self, raw: bytes, at: float) -> None:
        """Take what just arrived.

        Raises:
            CodingError: it does not decode
            TooLargeError: a bound is reached; what came before is kept

        """
        piece = self._coding.decode(raw, self._limit - len(self.content) + 1)
        self.pieces += 1
        if self.pieces > self._most_pieces:
            self._cut()
            raise TooLargeError(f"the body comes in more than {self._most_pieces:,} pieces")
        if not piece:
            return
        self.content += piece
        self._room.taken += len(piece)
        if len(self.chunks) >= _TIMED and at - self.chunks[-1][0] < _MOMENT:
            before, length = self.chunks[-1]
            self.chunks[-1] = (before, length + len(piece))
        else:
            self.chunks.append((at, len(piece)))
        if problem := self._excess(piece):
            self._cut()
            raise TooLargeError(problem)

    def holds(self, mark: bytes) -> bool:
        """Whether a text has come; asked after each piece, it looks at the new ones only."""
        found = self.content.find(mark, max(0, self._searched - len(mark))) >= 0
        self._searched = len(self.content)
        return found

    def finish(self) -> None:
        """Check that the coded body was whole; an answer to HEAD is labelled but has no body."""
        self._coding.finish()

    def _excess(self, piece: bytes) -> str:
        if len(self.content) > self._limit:
            return f"the body is larger than {self._limit:,} bytes"
        if self._room.taken > self._room.size and len(self.content) > KEPT:
            return f"the answers of this run are larger than {self._room.size:,} bytes in total"
        return self._lines.excess(piece, self.content)

    def _cut(self) -> None:
        """Keep the beginning only: an answer that breaks a bound is not worth more memory."""
        kept = min(len(self.content), KEPT, self._limit)
        self._room.taken -= len(self.content) - kept
        del self.content[kept:]
        chunks, left = [], kept
        for at, length in self.chunks:
            chunks.append((at, min(length, left)))
            left -= chunks[-1][1]
            if not left:
                break
        self.chunks = chunks


class _Lines:
    """Counts the lines and the events of a stream while it comes."""

    def __init__(self, events: int, *, streamed: bool) -> None:
        self._most = events
        self._streamed = streamed
        self._ends = self._blank = 0
        self._last = b""

    def excess(self, piece: bytes, content: bytearray) -> str:
        """What is too much, if something is."""
        text = self._last + piece
        self._last = text[-2:]
        # Line ends are CR LF, LF or CR. Two in a row end an event.
        ends = piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")
        self._ends += ends
        self._blank += text.count(b"\n\n") + text.count(b"\r\r") + text.count(b"\n\r\n")
        if self._blank <= self._most and self._ends <= _LINES_AN_EVENT * self._most:
            return ""
        if not self._streamed and not looks_like_events(bytes(content[:_SNIFFED])):
            return ""
        if self._blank > self._most:
            return f"the stream has more than {self._most:,} events"
        return f"the stream has more than {_LINES_AN_EVENT * self._most:,} lines"


class _Coding:
    """Takes off a content-coding, never more at a time than asked for."""

    def __init__(self, name: str) -> None:
        self._name = name.strip().lower()
        self._fed = False
        match self._name:
            case "" | "identity":
                self._inflate = None
            case "gzip" | "x-gzip":
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            case "deflate":
                self._inflate = zlib.decompressobj()
            case _:
                label = short(self._name, 40)
                raise CodingError(
                    f"the body is encoded as {label!r}, which the request did not offer"
                )

    def decode(self, raw: bytes, most: int) -> bytes:
        """At most so many bytes of what the raw ones stand for."""
        self._fed = self._fed or bool(raw)
        if self._inflate is None:
            return raw[:most]
        try:
            return self._inflate.decompress(raw, most)
        except zlib.error:
            message = f"the body is labelled {self._name!r} but does not decode"
            raise CodingError(message) from None

    def finish(self) -> None:
        """Check that the end was reached."""
        if self._inflate is not None and self._fed and not self._inflate.eof:
            raise CodingError(f"the {self._name} body ends early")
