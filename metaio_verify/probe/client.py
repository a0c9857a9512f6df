"""The one place that talks to the network. Whatever a server does becomes evidence."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Self, TypeAlias

import httpx
from msgspec import Struct, field
from msgspec.structs import replace

from metaio_verify.probe.body import Body, CodingError, Room, TooLargeError
from metaio_verify.probe.failures import explain, failure
from metaio_verify.probe.pulse import Pulse
from metaio_verify.record import Failure

_BODIES = 8
"""So many bodies of the largest size may a run bring in all."""

_TURN = 100
"""So many pieces of one body are taken before others get their turn."""


class Bounds(Struct, frozen=True):
    """How long one exchange may take, in seconds, and how much it may bring, in bytes."""

    connect: float = 10.0
    silence: float = 60.0
    """Longest wait for the next byte, the first one included."""
    total: float = 120.0
    body: int = 8 * 1024 * 1024
    events: int = 10_000
    """Events of one stream."""


Connect: TypeAlias = Callable[[], httpx.AsyncBaseTransport]
"""Makes a way to the server."""


class Outgoing(Struct, frozen=True):
    """A request, ready to be sent."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None = None
    silence: float | None = None
    """A bound of its own on the wait for the next byte, in seconds."""
    chunked: bool = False
    """Whether the body goes out in chunks; its headers have to say so."""
    leave_after: bytes | None = None
    """What the body has to hold for the connection to be closed before its end."""


class Answer(Struct):
    """What came back. `failure` says why there is no answer, or only a part of one."""

    status: int = 0
    http_version: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    started: float = 0.0
    """When the request was sent, by the clock that all times are taken from."""
    headers_at: float | None = None
    total: float = 0.0
    failure: Failure | None = None
    aborted: bool = False
    """Whether the connection was closed on our side, as asked."""
    lag: float = 0.0
    """The longest time for which this program itself was too busy to read."""


class _Way:
    """By which connection a request goes."""

    def __init__(self) -> None:
        self.is_new = False

    async def watch(self, event: str, _: object) -> None:
        """Told by the HTTP library of each of its steps."""
        self.is_new = self.is_new or event.startswith("connection.connect_")


class Client:
    """Sends requests over connections that are kept.

    It stands on transports and not on a whole HTTP client, so there are no cookies, no redirects
    and no headers but those of the request. Each request under way has a transport of its own: a
    pool looks at all of its connections for every request, which with 64 of them takes longer than
    the requests.
    """

    def __init__(self, connect: Connect, *, bounds: Bounds, origin: str | None = None) -> None:
        """Prepare a client.

        Args:
            connect: makes a way to the server; it is closed with the client
            bounds: what one exchange may take and bring
            origin: the one origin that requests may go to; any when not given

        """
        self._connect = connect
        self._ways: list[httpx.AsyncBaseTransport] = []
        self._free: list[httpx.AsyncBaseTransport] = []
        """Those on which no request is under way; the one used last comes first."""
        self._bounds = bounds
        self._origin = None if origin is None else _origin(httpx.URL(origin))
        self._room = Room(_BODIES * bounds.body)
        self._pulse = Pulse()
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._pulse.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._beating is not None:
            self._beating.cancel()
        for way in self._ways:
            await way.aclose()

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send one request and read its whole answer; never raises for what the server does."""
        bounds = self._bounds
        if outgoing.silence is not None:
            bounds = replace(bounds, silence=outgoing.silence)
        answer = await self._try(outgoing, bounds, bounds.total)
        if answer.failure is not None and answer.failure.kind == "reset" and not answer.status:
            # A server may close an idle connection in the moment in which it is used again. That
            # is nobody's fault, and clients send once more; what is broken breaks again.
            return await self._try(outgoing, bounds, bounds.total - answer.total)
        return answer

    async def _try(self, outgoing: Outgoing, bounds: Bounds, left: float) -> Answer:
        started = time.perf_counter()
        answer = Answer(started=started)
        way = _Way()
        try:
            async with asyncio.timeout(left):
                await self._exchange(outgoing, bounds, answer, way)
        except TimeoutError:
            detail = f"the answer was not finished after {bounds.total:g} s"
            answer.failure = failure("timeout", detail)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            answer.failure = explain(
                error,
                answered=bool(answer.status),
                reused=not way.is_new,
                connect=bounds.connect,
                silence=bounds.silence,
            )
        ended = time.perf_counter()
        answer.total, answer.lag = ended - started, self._pulse.lag(started, ended)
        return answer

    async def _exchange(
        self, outgoing: Outgoing, bounds: Bounds, answer: Answer, way: _Way
    ) -> None:
        timeout = httpx.Timeout(bounds.silence, connect=bounds.connect, pool=None)
        # A Request built by hand carries the headers of the probe and no others of the client.
        request = httpx.Request(
            outgoing.method,
            _parsed(outgoing.url),
            headers=[(name.encode(), value.encode()) for name, value in outgoing.headers],
            content=_chunks(outgoing.body) if outgoing.chunked else outgoing.body,
            extensions={"timeout": timeout.as_dict(), "trace": way.watch},
        )
        if self._origin is not None and _origin(request.url) != self._origin:
            # Nothing that is declared gets here; the credential must not depend on that.
            raise httpx.InvalidURL("another origin")
        async with self._transport() as transport:
            response = await transport.handle_async_request(request)
            await self._receive(response, outgoing, bounds, answer)

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """A transport for one request."""
        if not self._free:
            self._ways.append(self._connect())
            self._free.append(self._ways[-1])
        way = self._free.pop()
        try:
            yield way
        finally:
            self._free.append(way)

    async def _receive(
        self, response: httpx.Response, outgoing: Outgoing, bounds: Bounds, answer: Answer
    ) -> None:
        started = answer.started
        try:
            answer.headers_at = time.perf_counter() - started
            answer.status = response.status_code
            answer.http_version = response.http_version
            answer.headers = [
                (name.decode("latin-1"), value.decode("utf-8", "replace"))
                for name, value in response.headers.raw
            ]
            body = self._body(response, bounds)
            await _read(response, body, answer, started, outgoing.leave_after)
        except CodingError as error:
            answer.failure = failure("encoding", str(error))
        finally:
            await response.aclose()

    def _body(self, response: httpx.Response, bounds: Bounds) -> Body:
        media_type = response.headers.get("content-type", "").lower()
        return Body(
            coding=response.headers.get("content-encoding", ""),
            streamed=media_type.startswith("text/event-stream"),
            limit=bounds.body,
            events=bounds.events,
            room=self._room,
        )


async def _chunks(body: bytes | None) -> AsyncIterator[bytes]:
    """The body in two pieces, each of which becomes a chunk."""
    whole = body or b""
    for piece in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
        if piece:
            yield piece


async def _read(
    response: httpx.Response,
    body: Body,
    answer: Answer,
    started: float,
    leave_after: bytes | None,
) -> None:
    """Collect the body piece by piece, so that what came before a failure is kept."""
    try:
        async for raw in response.aiter_raw():
            body.feed(raw, time.perf_counter() - started)
            if body.pieces % _TURN == 0:
                # Pieces that are there already come without a pause, and others wait.
                await asyncio.sleep(0)
            if leave_after is not None and body.holds(leave_after):
                answer.aborted = True
                return
        body.finish()
    except TooLargeError as error:
        answer.failure = failure("too-large", str(error))
    finally:
        answer.body, answer.chunks = bytes(body.content), body.chunks


@functools.lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    """The URL; a run asks for the same few again and again."""
    return httpx.URL(url)


def _origin(url: httpx.URL) -> tuple[str, str, int | None, bytes]:
    """Where a request goes; a user name in the URL makes it another place."""
    return url.scheme, url.host, url.port, url.userinfo
