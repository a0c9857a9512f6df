"""Reading requests and writing answers over ASGI, as every server of the lab does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol, TypeAlias

from metaio_verify.lab.types import CUT, Answer, HeaderLines, Piece

MAX_BODY_BYTES = 32 * 1024 * 1024

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class App(Protocol):
    """What can be served: the lab, the upstream, a gateway."""

    @property
    def prefix(self) -> str:
        """The path that it lives below."""

    @property
    def variants(self) -> frozenset[str]:
        """The legal differences that are switched on."""

    @property
    def crashes(self) -> list[Exception]:
        """Exceptions of its own; it stays empty unless it is broken."""

    def published(self, url: str) -> str:
        """Return what users are told when it is served at this base URL."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""


async def read(receive: Receive) -> bytes | None:
    """Return the body; None when the client left. Of a body that is too large, only its start."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        if size <= MAX_BODY_BYTES:
            pieces.append(piece)
        size += len(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def write(answer: Answer, receive: Receive, send: Send) -> None:
    """Write an answer, bit by bit where it is a stream."""
    headers = answer.headers
    if answer.stream is None and answer.header("content-length") is None:
        headers = [*headers, ("content-length", str(len(answer.body)))]
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": encoded(headers)}
    )
    if answer.stream is None:
        await send({"type": "http.response.body", "body": answer.body})
    elif await _write_pieces(answer.stream, receive, send):
        await send({"type": "http.response.body", "body": b""})


async def _write_pieces(pieces: Iterable[Piece], receive: Receive, send: Send) -> bool:
    """Write a stream until it ends or the client leaves; False when the connection has to drop."""
    gone = asyncio.ensure_future(client_left(receive))
    try:
        for piece in pieces:
            if isinstance(piece, bytes):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)
            elif piece is CUT:
                return False
            else:
                await asyncio.wait({gone}, timeout=piece)
            if gone.done():
                return False
        return True
    finally:
        gone.cancel()


async def client_left(receive: Receive) -> None:
    """Return when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


def encoded(headers: HeaderLines) -> list[tuple[bytes, bytes]]:
    """Return header lines as ASGI wants them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body that was read already, and then what comes."""
    given: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body}]

    async def again() -> MutableMapping[str, Any]:
        return given.pop() if given else await receive()

    return again
