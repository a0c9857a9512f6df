"""Why there is no answer, in one sentence for a person.

Texts of the libraries may hold URLs, so they are not passed on, except those of the TLS library,
which name the certificate's defect.
"""

from __future__ import annotations

import socket
import ssl
from typing import Literal, TypeAlias

import httpx

from metaio_verify.judge.wording import short
from metaio_verify.record import Failure

Kind: TypeAlias = Literal[
    "dns", "connect", "tls", "timeout", "reset", "protocol", "encoding", "too-large", "unsent"
]


def explain(error: Exception, *, answered: bool, connect: float, silence: float) -> Failure:
    """Name what went wrong.

    Args:
        error: what the HTTP library or the socket raised
        answered: whether the head of an answer had come
        connect: the bound on connecting, in seconds
        silence: the bound on the wait for the next byte, in seconds

    """
    match error:
        case httpx.ConnectTimeout():
            return failure("timeout", f"no connection within {connect:g} s")
        case httpx.TimeoutException():
            return failure("timeout", f"no byte for {silence:g} s")
        case httpx.ConnectError() | httpx.ProxyError():
            return _no_connection(error)
        case httpx.RemoteProtocolError():
            return _bad_protocol(str(error))
        case httpx.NetworkError():
            before = "the answer was complete" if answered else "an answer came"
            return failure("reset", f"the connection broke before {before}")
    return failure("unsent", "the request could not be sent: its URL or headers are invalid")


def failure(kind: Kind, detail: str) -> Failure:
    """A failure of a kind."""
    return Failure(kind=kind, detail=detail)


def _bad_protocol(text: str) -> Failure:
    if "without sending" in text or "peer closed connection" in text:
        return failure("reset", "the connection was closed before the answer was complete")
    if "Receive buffer too long" in text:
        return failure("protocol", "the head of the answer is too long")
    return failure("protocol", "the answer is not valid HTTP")


def _no_connection(error: Exception) -> Failure:
    cause = _root(error)
    if isinstance(error, httpx.ProxyError):
        return failure("connect", "the proxy from the environment refused the connection")
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "verify_message", "") or cause.reason or "handshake failure"
        return failure("tls", f"TLS failed: {short(str(reason))}")
    if isinstance(cause, socket.gaierror):
        return failure("dns", "the host name does not resolve")
    if isinstance(cause, ConnectionResetError | BrokenPipeError | EOFError):
        return failure("connect", "the connection was closed while it was made")
    refused = isinstance(cause, ConnectionRefusedError) or "attempts failed" in str(cause)
    return failure("connect", "the connection was refused" if refused else "no connection")


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
