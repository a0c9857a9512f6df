"""Variants of gateways: what a faithful one may do. No check may take them for defects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from metaio_verify.lab.gateway import variant
from metaio_verify.lab.gateway.change import Call, Reply, events
from metaio_verify.lab.gateway.variant import GATEWAY_VARIANTS

__all__ = ["GATEWAY_VARIANTS"]


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
    body = call.json
    if not isinstance(body, dict):
        return call
    for message in body.get("messages", []):
        if isinstance(message.get("content"), str):
            message["content"] = [{"type": "text", "text": message["content"]}]
    return call.with_json(body)


@variant.forward
def false_flags_left_out(call: Call, _client: Call) -> Call:
    """`stream: false` is left out."""
    body = call.json
    if isinstance(body, dict) and body.get("stream") is False:
        del body["stream"]
        return call.with_json(body)
    return call


@variant.back
async def answer_headers_of_its_own(reply: Reply, _client: Call) -> Reply:
    """Answers get a `via` and an `x-request-id` of the gateway."""
    return reply.with_header("via", "1.1 gateway").with_header("x-request-id", "0f3c")


@variant.back
async def answers_written_anew(reply: Reply, _client: Call) -> Reply:
    """The body of a plain answer is written anew."""
    if reply.streams:
        return reply
    document = await reply.document()
    return Reply(
        reply.status,
        reply.with_header("content-length", None).headers,
        _once(_indented(_reversed(document))),
    )


@variant.relay
async def events_written_anew(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The data of events is written anew, and lines end in CR LF."""
    async for event in events(pieces):
        head, _, data = event.partition(b"data: ")
        value = _reversed(msgspec.json.decode(data))
        yield head.replace(b"\n", b"\r\n") + b"data:" + msgspec.json.encode(value) + b"\r\n\r\n"


@variant.relay
async def pings_of_its_own(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The upstream's pings are replaced by comments of the gateway's own, one each half second."""
    queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()

    async def read() -> None:
        try:
            async for event in events(pieces):
                if not event.startswith(b"event: ping"):
                    queue.put_nowait(event)
            queue.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - it is raised where the stream is read
            queue.put_nowait(error)

    reader = asyncio.ensure_future(read())
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


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _indented(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=3)
