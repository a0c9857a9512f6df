"""Variants of gateways: what a faithful one may do. No check may take them for defects."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec

from metaio_verify.lab.gateway import translated_variants, variant
from metaio_verify.lab.gateway.change import UNFIT, Call, Reply, events, once, whole
from metaio_verify.lab.gateway.faults.answers import message_edited
from metaio_verify.lab.gateway.faults.editing import edited
from metaio_verify.lab.gateway.faults.streams import data_of, rewritten
from metaio_verify.lab.gateway.variant import GATEWAY_VARIANTS
from metaio_verify.lab.gateway.wording import envelope

__all__ = ["GATEWAY_VARIANTS", "translated_variants"]

_MOMENT = 0.02
_ERROR = (
    b'event: error\ndata: {"type":"error","error":{"type":"api_error",'
    b'"message":"the upstream broke off"}}\n\n'
)
_FOR_LOAD = (b":error-429]]", b":error-500]]", b":error-529]]")


@variant.forward
def headers_of_its_own(call: Call, _client: Call) -> Call:
    """The request gets a `via`, an `x-request-id` and another `user-agent`."""
    call = call.with_header("via", "1.1 gateway").with_header("x-request-id", "0f3c")
    return call.with_header("user-agent", "gateway/1.0")


@variant.forward
def beta_lines_joined(call: Call, _client: Call) -> Call:
    """Several `anthropic-beta` lines become one."""
    lines = call.lines("anthropic-beta")
    return call.with_header("anthropic-beta", *([", ".join(lines)] if lines else []))


@variant.forward
def key_as_bearer(call: Call, _client: Call) -> Call:
    """The gateway's own credential goes up as `Authorization: Bearer`."""
    key = call.lines("x-api-key")[0]
    return call.with_header("x-api-key").with_header("authorization", f"Bearer {key}")


@variant.forward
def json_written_anew(call: Call, _client: Call) -> Call:
    """The body is written anew: keys in another order, white space, escapes."""
    return Call(
        call.method,
        call.path,
        call.query,
        call.headers,
        _indented(_reversed(call.json)) if call.json is not None else call.body,
    )


@variant.forward
def models_mapped(call: Call, _client: Call) -> Call:
    """The client's model has another name upstream."""
    body = call.json
    if not isinstance(body, dict) or "model" not in body:
        return call
    return call.with_json({**body, "model": f"provider/{body['model']}"})


@variant.forward
def strings_become_blocks(call: Call, _client: Call) -> Call:
    """Content that is a string becomes a list of one text block."""

    def edit(body: dict[str, Any]) -> None:
        for message in body["messages"]:
            if isinstance(message["content"], str):
                message["content"] = [{"type": "text", "text": message["content"]}]

    return edited(call, edit)


@variant.forward
def false_flags_left_out(call: Call, _client: Call) -> Call:
    """`stream: false` is left out."""
    body = call.json
    if isinstance(body, dict) and body.get("stream") is False:
        del body["stream"]
        return call.with_json(body)
    return call


@variant.send
def refused_requests_tried_again(call: Call, _client: Call) -> list[Call]:
    """What the upstream refuses for load, or for a failure of its own, is sent once more."""
    return [call, call] if any(script in call.body for script in _FOR_LOAD) else [call]


@variant.back
async def temperature_refused(reply: Reply, client: Call) -> Reply:
    """The gateway refuses a temperature by itself, as newer models do."""
    body = client.json
    if not isinstance(body, dict) or "temperature" not in body:
        return reply
    await whole(reply.pieces)
    text = "temperature: this model does not take it"
    return reply.with_json(envelope(400, text), 400)


@variant.back
async def answer_headers_of_its_own(reply: Reply, _client: Call) -> Reply:
    """Answers get a `via` and an `x-request-id` of the gateway."""
    return reply.with_header("via", "1.1 gateway").with_header("x-request-id", "0f3c")


@variant.back
async def answers_written_anew(reply: Reply, _client: Call) -> Reply:
    """The body of a plain answer is written anew."""
    if reply.streams:
        return reply
    body = await whole(reply.pieces)
    try:
        body = _indented(_reversed(msgspec.json.decode(body)))
    except UNFIT:
        return replace(reply, pieces=once(body))
    return replace(reply.with_header("content-length", None), pieces=once(body))


@variant.back
async def answers_compressed(reply: Reply, _client: Call) -> Reply:
    """Answers are compressed, each event of a stream by itself."""

    async def compressed() -> AsyncIterator[bytes]:
        gzip = zlib.compressobj(wbits=31)
        async for piece in reply.pieces:
            yield gzip.compress(piece) + gzip.flush(zlib.Z_SYNC_FLUSH)
        yield gzip.flush()

    if reply.header("content-encoding"):
        return reply
    head = reply.with_header("content-length", None).with_header("content-encoding", "gzip")
    return replace(head, pieces=compressed())


@variant.back
async def absent_fields_as_null(reply: Reply, _client: Call) -> Reply:
    """Blocks of a plain answer get the fields of their type that they have not, as null."""

    def edit(message: dict[str, Any]) -> None:
        for block in message["content"]:
            if block["type"] == "text":
                block.setdefault("citations", None)
        message.setdefault("container", None)

    return await message_edited(reply, edit)


@variant.relay
def absent_event_fields_as_null(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """Events get the fields of their type that they have not, as null."""

    def edit(data: dict[str, Any]) -> None:
        match data:
            case {"content_block": {"type": "text"} as block}:
                block.setdefault("citations", None)
            case {"delta": {"stop_reason": str()} as delta}:
                delta.setdefault("stop_details", None)
            case {"message": dict(message)}:
                message.setdefault("container", None)

    return rewritten(pieces, edit)


@variant.back
async def error_fields_added(reply: Reply, _client: Call) -> Reply:
    """Errors get a code, and the request id of the gateway."""
    if reply.status < 400:
        return reply

    def edit(envelope: dict[str, Any]) -> None:
        envelope["error"]["code"] = str(reply.status)
        envelope["request_id"] = "req_01OfTheGateway"

    return await reply.edited(edit)


@variant.relay
async def events_gathered_for_a_moment(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """What arrives within some milliseconds is sent on at once."""
    queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
    reader = asyncio.ensure_future(_read(pieces, queue))
    try:
        piece = await queue.get()
        while isinstance(piece, bytes):
            await asyncio.sleep(_MOMENT)
            gathered = b""
            while isinstance(piece, bytes):
                gathered += piece
                if queue.empty():
                    break
                piece = queue.get_nowait()
            yield gathered
            if isinstance(piece, bytes):
                piece = await queue.get()
        if piece is not None:
            raise piece
    finally:
        reader.cancel()


@variant.relay
async def cuts_become_error_events(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """When the upstream breaks off, or ends early, the stream ends with an error event."""
    last = b""
    try:
        async for event in events(pieces):
            last = event
            yield event
    except httpx.HTTPError:
        yield _ERROR
        return
    if b"message_stop" not in last and b"error" not in last:
        yield _ERROR


@variant.relay
async def stream_begun_with_a_comment(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """A comment stands before the first event, and each event has an id."""
    yield b": connected\n\n"
    number = 0
    async for event in events(pieces):
        number += 1
        yield b"id: %d\n" % number + event


@variant.relay
async def events_written_anew(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The data of events is written anew, and lines end in CR LF."""
    async for event in events(pieces):
        head = event.partition(b"data: ")[0]
        value = msgspec.json.encode(_reversed(data_of(event)))
        anew = head.replace(b"\n", b"\r\n") + b"data:" + value + b"\r\n\r\n"
        yield anew if data_of(event) else event


@variant.relay
async def pings_of_its_own(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The upstream's pings are replaced by comments of the gateway's own, one each half second."""
    queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()

    reader = asyncio.ensure_future(_read(_without_pings(pieces), queue))
    try:
        while True:
            try:
                piece = await asyncio.wait_for(queue.get(), 0.5)
            except TimeoutError:
                piece = b": still here\n\n"
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        reader.cancel()


@variant.relay
async def pieces_torn(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """Events arrive in pieces of any length."""
    async for piece in pieces:
        for start in range(0, len(piece), 37):
            yield piece[start : start + 37]


async def _without_pings(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for event in events(pieces):
        if not event.startswith(b"event: ping"):
            yield event


async def _read(
    pieces: AsyncIterator[bytes], queue: asyncio.Queue[bytes | BaseException | None]
) -> None:
    """Put what arrives into a queue, and at the end why there is no more: nothing, or an error."""
    try:
        async for piece in pieces:
            queue.put_nowait(piece)
        queue.put_nowait(None)
    except Exception as error:  # noqa: BLE001 - it is raised where the stream is read
        queue.put_nowait(error)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _indented(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=3)
