"""The one place that talks to the network. Whatever a server does becomes evidence."""

from __future__ import annotations

import asyncio
import http.cookiejar
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

import httpx

from metaio_verify.record import Failure

Kind: TypeAlias = Literal[
    "dns", "connect", "tls", "timeout", "reset", "protocol", "encoding", "too-large", "unsent"
]


_KEEP_ALIVE = 2.0
"""Seconds that an idle connection is kept. Common servers close theirs after 5 s."""


@dataclass(frozen=True)
class Bounds:
    """How long one exchange may take, in seconds, and how much it may bring, in bytes."""

    connect: float = 10.0
    silence: float = 60.0
    """Longest wait for the next byte, the first one included."""
    total: float = 120.0
    body: int = 32 * 1024 * 1024


@dataclass(frozen=True)
class Outgoing:
    """A request, ready to be sent."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes | None = None
    silence: float | None = None
    """A bound of its own on the wait for the next byte, in seconds."""


@dataclass
class Answer:
    """What came back. `failure` says why there is no answer, or only a part of one."""

    status: int = 0
    http_version: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    headers_at: float | None = None
    total: float = 0.0
    failure: Failure | None = None


class Client:
    """A shared HTTP client: connections are kept, cookies are not, redirects are never followed."""

    def __init__(self, *, bounds: Bounds, concurrency: int, tls: bool) -> None:
        self._bounds = bounds
        limits = httpx.Limits(
            max_connections=None,
            max_keepalive_connections=2 * concurrency,
            keepalive_expiry=_KEEP_ALIVE,
        )
        # Reading the certificate store costs some 30 ms that plain HTTP need not pay.
        self._http = httpx.AsyncClient(
            verify=tls, limits=limits, follow_redirects=False, cookies=_no_cookies()
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.__aexit__()

    async def send(self, outgoing: Outgoing) -> Answer:
        """Send one request and read its whole answer; never raises for what the server does."""
        bounds = self._bounds
        if outgoing.silence is not None:
            bounds = replace(bounds, silence=outgoing.silence)
        answer = await self._try(outgoing, bounds)
        if answer.failure is not None and answer.failure.kind == "reset" and not answer.status:
            # A server may close an idle connection in the moment in which it is used again. That
            # is nobody's fault, and clients send once more; what is broken breaks again.
            return await self._try(outgoing, bounds)
        return answer

    async def _try(self, outgoing: Outgoing, bounds: Bounds) -> Answer:
        answer = Answer()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(bounds.total):
                await self._exchange(outgoing, bounds, answer, started)
        except TimeoutError:
            answer.failure = Failure(
                kind="timeout", detail=f"the answer was not finished after {bounds.total:g} s"
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            answer.failure = _explain(error, answer, bounds)
        answer.total = time.perf_counter() - started
        return answer

    async def _exchange(
        self, outgoing: Outgoing, bounds: Bounds, answer: Answer, started: float
    ) -> None:
        timeout = httpx.Timeout(bounds.silence, connect=bounds.connect, pool=None)
        # A Request built by hand carries the headers of the probe and no others of the client.
        request = httpx.Request(
            outgoing.method,
            outgoing.url,
            headers=[(name.encode(), value.encode()) for name, value in outgoing.headers],
            content=outgoing.body,
            extensions={"timeout": timeout.as_dict()},
        )
        response = await self._http.send(request, stream=True)
        try:
            answer.headers_at = time.perf_counter() - started
            answer.status = response.status_code
            answer.http_version = response.http_version
            answer.headers = [
                (name.decode("latin-1"), value.decode("utf-8", "replace"))
                for name, value in response.headers.raw
            ]
            await _read(response, bounds, answer, started)
        finally:
            await response.aclose()


async def _read(response: httpx.Response, bounds: Bounds, answer: Answer, started: float) -> None:
    """Collect the body piece by piece, so that what came before a failure is kept."""
    pieces: list[bytes] = []
    try:
        decoder = _Decoder(response.headers.get("content-encoding", ""), bounds.body)
        async for raw in response.aiter_raw():
            at = time.perf_counter() - started
            for piece in decoder.feed(raw):
                pieces.append(piece)
                answer.chunks.append((at, len(piece)))
            if decoder.full:
                answer.failure = Failure(
                    kind="too-large", detail=f"the body is larger than {bounds.body:,} bytes"
                )
                return
        decoder.finish()
    except _CodingError as error:
        answer.failure = Failure(kind="encoding", detail=str(error))
    finally:
        answer.body = b"".join(pieces)


class _CodingError(Exception):
    """The body is not what its content-encoding says."""


class _Decoder:
    """Takes off the content-coding with a bound on what comes out."""

    def __init__(self, coding: str, limit: int) -> None:
        self.full = False
        self._fed = False
        self._left = limit
        self._coding = coding.strip().lower()
        match self._coding:
            case "" | "identity":
                self._inflate = None
            case "gzip" | "x-gzip":
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            case "deflate":
                self._inflate = zlib.decompressobj()
            case _:
                raise _CodingError(
                    f"the body is encoded as {self._coding!r}, which the request did not offer"
                )

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """The decoded pieces of what just arrived; sets `full` at the bound."""
        self._fed = self._fed or bool(raw)
        try:
            piece = raw if self._inflate is None else self._inflate.decompress(raw, self._left + 1)
        except zlib.error:
            message = f"the body is labelled {self._coding!r} but does not decode"
            raise _CodingError(message) from None
        if len(piece) > self._left:
            self.full = True
            piece = piece[: self._left]
        self._left -= len(piece)
        if piece:
            yield piece

    def finish(self) -> None:
        """Check that the coded body was whole; an answer to HEAD is labelled but has no body."""
        if self._inflate is not None and self._fed and not self._inflate.eof:
            raise _CodingError(f"the {self._coding} body ends early")


def _explain(error: Exception, answer: Answer, bounds: Bounds) -> Failure:
    """One sentence for a person.

    Texts of the libraries may hold URLs, so they are not passed on, except those of the TLS
    library, which name the certificate's defect.
    """
    match error:
        case httpx.ConnectTimeout():
            return _failure("timeout", f"no connection within {bounds.connect:g} s")
        case httpx.TimeoutException():
            return _failure("timeout", f"no byte for {bounds.silence:g} s")
        case httpx.ConnectError() | httpx.ProxyError():
            return _explain_connect(error)
        case httpx.RemoteProtocolError() if _closed_early(error):
            return _failure("reset", "the connection was closed before the answer was complete")
        case httpx.RemoteProtocolError():
            return _failure("protocol", "the answer is not valid HTTP")
        case httpx.NetworkError():
            before = "the answer was complete" if answer.status else "an answer came"
            return _failure("reset", f"the connection broke before {before}")
    return _failure("unsent", "the request could not be sent: its URL or headers are invalid")


def _closed_early(error: Exception) -> bool:
    text = str(error)
    return "without sending" in text or "peer closed connection" in text


def _explain_connect(error: Exception) -> Failure:
    cause = _root(error)
    if isinstance(error, httpx.ProxyError):
        return _failure("connect", "the proxy from the environment refused the connection")
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or "handshake failure"
        return _failure("tls", f"TLS failed: {reason}")
    if isinstance(cause, socket.gaierror):
        return _failure("dns", "the host name does not resolve")
    refused = isinstance(cause, ConnectionRefusedError) or "attempts failed" in str(cause)
    return _failure("connect", "the connection was refused" if refused else "no connection")


def _failure(kind: Kind, detail: str) -> Failure:
    return Failure(kind=kind, detail=detail)


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _no_cookies() -> http.cookiejar.CookieJar:
    policy = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
    return http.cookiejar.CookieJar(policy)
