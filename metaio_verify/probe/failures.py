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

NO_CONNECTION = "no connection"
"""How the sentence for a connection begins that was neither made nor refused."""

WANTS_CREDENTIALS = "does not take its user name and password, or wants some (407)"


def explain(
    error: Exception, *, answered: bool, reused: bool, connect: float, silence: float
) -> Failure:
    """Name what went wrong.

    Args:
        error: what the HTTP library or the socket raised
        answered: whether the head of an answer had come
        reused: whether the connection had carried an answer before
        connect: the bound on connecting, in seconds
        silence: the bound on the wait for the next byte, in seconds

    """
    before = "the answer was complete" if answered else "an answer came"
    match error:
        case httpx.ConnectTimeout():
            return failure("connect", f"{NO_CONNECTION} within {connect:g} s")
        case httpx.TimeoutException():
            return failure("timeout", f"no byte for {silence:g} s")
        case httpx.ConnectError() | httpx.ProxyError():
            return _no_connection(error)
        case httpx.RemoteProtocolError():
            return _bad_protocol(str(error), reused=reused and not answered)
        case ssl.SSLError():
            return failure("reset", f"the encryption broke before {before}: {_reason(error)}")
        case httpx.NetworkError() | OSError():
            return failure("reset", f"the connection broke before {before}")
    return failure("unsent", "the request could not be sent: its URL or headers are invalid")


def failure(kind: Kind, detail: str) -> Failure:
    """A failure of a kind."""
    return Failure(kind=kind, detail=detail)


def _bad_protocol(text: str, *, reused: bool) -> Failure:
    if "without sending" in text or "peer closed connection" in text:
        return failure("reset", "the connection was closed before the answer was complete")
    if "Receive buffer too long" in text:
        return failure("protocol", "the head of the answer is too long")
    if reused:
        # Seen from here they are the beginning of the next answer.
        stray = "perhaps there were bytes behind the answer before it on this connection"
        return failure("protocol", f"the answer is not valid HTTP; {stray}")
    return failure("protocol", "the answer is not valid HTTP")


def _no_connection(error: Exception) -> Failure:
    cause = _root(error)
    if isinstance(error, httpx.ProxyError):
        if str(error).startswith("407"):
            return failure("connect", f"the proxy from the environment {WANTS_CREDENTIALS}")
        return failure("connect", "the proxy from the environment refused the connection")
    if isinstance(cause, ssl.SSLError):
        return failure("tls", f"TLS failed: {_reason(cause)}")
    if isinstance(cause, socket.gaierror):
        return failure("dns", "the host name does not resolve")
    if isinstance(cause, ConnectionResetError | BrokenPipeError | EOFError):
        return failure("connect", "the connection was closed while it was made")
    refused = isinstance(cause, ConnectionRefusedError) or "attempts failed" in str(cause)
    return failure("connect", "the connection was refused" if refused else NO_CONNECTION)


def _reason(error: ssl.SSLError) -> str:
    reason = getattr(error, "verify_message", "") or error.reason or "handshake failure"
    return short(str(reason))


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error
