"""Faults of streams on their way back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import UNFIT, Call, events
from metaio_verify.lab.gateway.wording import ENDED_EARLY

_BURST = 8
"""Events that a burst waits for."""
_PINGS_AFTER_A_CUT = 11
_KNOWN_EVENTS = (b"message_", b"content_block_", b"ping", b"error")
END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":3}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def name_of(event: bytes) -> bytes:
    """Return what the `event:` line says."""
    return event.partition(b"\n")[0].removeprefix(b"event: ")


def data_of(event: bytes) -> dict[str, Any]:
    """Return the data of an event; nothing of what is none."""
    try:
        value = msgspec.json.decode(event.partition(b"data: ")[2])
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _filtered(
    pieces: AsyncIterator[bytes], kept: Callable[[bytes], bool]
) -> AsyncIterator[bytes]:
    async for event in events(pieces):
        if kept(event):
            yield event


async def errors_as_ends(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the events with a regular end in place of an error."""
    async for event in events(pieces):
        yield END if name_of(event) == b"error" else event


async def rewritten(
    pieces: AsyncIterator[bytes], edit: Callable[[dict[str, Any]], None]
) -> AsyncIterator[bytes]:
    """Give the events with their data changed in place; others as they are."""
    async for event in events(pieces):
        value = data_of(event)
        try:
            edit(value)
        except UNFIT:
            value = {}
        head = event.partition(b"data: ")[0]
        yield head + b"data: " + msgspec.json.encode(value) + b"\n\n" if value else event


@fault.relay
def signature_events_dropped(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The signature of a thinking block does not come back."""
    return _filtered(pieces, lambda event: b'"signature_delta"' not in event)


@fault.relay
async def deltas_dropped(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The third delta of each stream with a quick answer is lost."""
    seen = 0
    async for event in events(pieces):
        seen += b"_delta" in name_of(event) and b"One after" not in event
        if seen != 3 or b"words" in event or b"endless" in event:
            yield event


@fault.relay
def stream_stop_reason_replaced(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """Every stop reason becomes `end_turn`."""

    def edit(data: dict[str, Any]) -> None:
        if data.get("type") == "message_delta":
            data["delta"]["stop_reason"] = "end_turn"

    return rewritten(pieces, edit)


@fault.relay
def unknown_events_dropped(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Events of unknown types do not come back."""
    return _filtered(pieces, lambda event: name_of(event).startswith(_KNOWN_EVENTS))


@fault.relay
def event_fields_allow_listed(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Only known fields of the message that a stream begins with come back."""

    def edit(data: dict[str, Any]) -> None:
        message = data.get("message", {})
        message.pop("metaio_answer", None)

    return rewritten(pieces, edit)


@fault.relay
def pings_dropped(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Pings do not come back."""
    return _filtered(pieces, lambda event: name_of(event) != b"ping")


@fault.relay
async def streams_collected(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """A stream is collected, and sent when it has ended."""
    collected: list[bytes] = []
    try:
        collected.extend([piece async for piece in pieces])
    except httpx.HTTPError:
        yield b"".join(collected)
        raise
    yield b"".join(collected)


@fault.relay
async def streams_in_bursts(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Events are sent eight at a time."""
    waiting: list[bytes] = []
    try:
        async for event in events(pieces):
            waiting.append(event)
            if len(waiting) == _BURST:
                yield b"".join(waiting)
                waiting.clear()
    finally:
        rest = b"".join(waiting)
    if rest:
        yield rest


@fault.relay
def error_events_dropped(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Error events do not come back."""
    return _filtered(pieces, lambda event: name_of(event) != b"error")


@fault.relay
def error_events_become_ends(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """An error in the middle of a stream becomes its end, as if the answer were complete."""
    return errors_as_ends(pieces)


@fault.relay
def error_events_reworded(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The text of an error event becomes a general one."""

    def edit(data: dict[str, Any]) -> None:
        if data.get("type") == "error":
            data["error"] = {"type": "api_error", "message": "The stream was ended."}

    return rewritten(pieces, edit)


@fault.relay
async def cuts_become_ends(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """When the upstream breaks off, the stream is ended as if it were complete."""
    try:
        async for piece in pieces:
            yield piece
    except httpx.HTTPError:
        yield END


@fault.relay
async def early_ends_completed(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """A stream that ends early gets the end of a whole one."""
    whole = False
    async for event in events(pieces):
        if ENDED_EARLY.encode() not in event:
            whole = whole or name_of(event) in (b"message_stop", b"error")
            yield event
    if not whole:
        yield END


@fault.relay
async def pings_go_on_after_a_cut(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """When the upstream breaks off, pings go on for a long time."""
    try:
        async for piece in pieces:
            yield piece
    except httpx.HTTPError:
        for _ in range(_PINGS_AFTER_A_CUT):
            await asyncio.sleep(0.5)
            yield b'event: ping\ndata: {"type":"ping"}\n\n'
        raise


@fault.relay
async def answers_read_to_their_end(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """The upstream is read to its end, whether the client is still there or not."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    broken: list[httpx.HTTPError] = []

    async def read() -> None:
        try:
            async for piece in pieces:
                queue.put_nowait(piece)
        except httpx.HTTPError as error:
            broken.append(error)
        queue.put_nowait(None)

    # Held by the loop's set of tasks for as long as it runs: that nobody cancels it is the defect.
    _READERS.add(reader := asyncio.ensure_future(read()))
    reader.add_done_callback(_READERS.discard)
    while (piece := await queue.get()) is not None:
        yield piece
    if broken:
        raise broken[0]


_READERS: set[asyncio.Future[None]] = set()
