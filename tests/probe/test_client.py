from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
from collections.abc import Callable

import httpx
import pytest

from metaio_verify.probe.client import Answer, Bounds, Client, Outgoing

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
Serve = Callable[[socket.socket], None]


def fetch(url: str, bounds: Bounds | None = None, leave_after: bytes | None = None) -> Answer:
    """Send one request."""

    async def run() -> Answer:
        limits = bounds or Bounds(connect=5, silence=5, total=10)
        async with Client(httpx.AsyncHTTPTransport, bounds=limits) as client:
            return await client.send(Outgoing("GET", url, [], leave_after=leave_after))

    return asyncio.run(run())


def exchange(
    serve: Serve, bounds: Bounds | None = None, leave_after: bytes | None = None
) -> Answer:
    """Send one request to a server of raw bytes."""

    def answer_all(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_all, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        answer = fetch(url, bounds, leave_after)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    return answer


def sends(*pieces: bytes, hold: bool = False) -> Serve:
    """A server that writes these bytes and closes; with `hold` it waits for the client to go."""

    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        if hold:
            connection.recv(1)

    return serve


def test_a_whole_answer_is_kept_as_it_came() -> None:
    """Status, header lines in order and body."""
    answer = exchange(sends(OK + b"x-a: 1\r\nX-A: 2\r\ncontent-length: 2\r\n\r\n{}"))
    assert answer.failure is None
    assert answer.status == 200
    assert answer.headers[1:3] == [("x-a", "1"), ("X-A", "2")]
    assert answer.body == b"{}"
    assert sum(size for _, size in answer.chunks) == 2


@pytest.mark.parametrize(
    ("pieces", "kind", "status", "body"),
    [
        ([OK + b"content-length: 9\r\n\r\n{"], "reset", 200, b"{"),
        ([OK + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"], "reset", 200, b"{}"),
        ([OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n"], "protocol", 200, b""),
        ([b"garbage\r\n\r\n"], "protocol", 0, b""),
        ([b""], "protocol", 0, b""),
        ([OK + b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"], "encoding", 200, b""),
        ([OK + b"content-encoding: zstd\r\ncontent-length: 2\r\n\r\n{}"], "encoding", 200, b""),
        (
            [OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:-1]],
            "encoding",
            200,
            b"{}",
        ),
    ],
)
def test_a_broken_answer_becomes_evidence(
    pieces: list[bytes], kind: str, status: int, body: bytes
) -> None:
    """What came before the break is kept, and the break has a name."""
    answer = exchange(sends(*pieces))
    assert answer.failure is not None
    assert answer.failure.kind == ("reset" if pieces == [b""] else kind)
    assert (answer.status, answer.body) == (status, body)


def test_silence_is_bounded() -> None:
    """A server that stops half-way is given up, and the first half is kept."""
    bounds = Bounds(connect=5, silence=0.05, total=10)
    answer = exchange(sends(OK + b"content-length: 9\r\n\r\n{", hold=True), bounds)
    assert answer.failure is not None
    assert answer.failure.kind == "timeout"
    assert answer.body == b"{"


def test_the_whole_exchange_is_bounded() -> None:
    """A server that is never silent and never done is given up."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        connection.settimeout(0.01)
        while True:
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return

    answer = exchange(drip, Bounds(connect=5, silence=5, total=0.5))
    assert answer.failure is not None
    assert answer.failure.kind == "timeout"
    assert answer.body.startswith(b"x")


def test_a_compressed_body_is_bounded_by_what_comes_out() -> None:
    """A small body that inflates beyond the bound is cut there."""
    packed = gzip.compress(b"0" * 1_000_000)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    answer = exchange(sends(head + packed), Bounds(body=1000))
    assert answer.failure is not None
    assert answer.failure.kind == "too-large"
    assert len(answer.body) == 1000


def test_a_redirect_is_not_followed() -> None:
    """The credential stays where it was sent."""
    answer = exchange(sends(b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"))
    assert answer.status == 302


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1/", "connect"),
        ("http://no-such-host.invalid/", "dns"),
        ("http://127.0.0.1\x00/", "unsent"),
    ],
)
def test_no_connection_has_a_reason(url: str, kind: str) -> None:
    """Refused and unknown hosts are told apart."""
    failure = fetch(url).failure
    assert failure is not None
    assert failure.kind == kind


def test_a_connection_that_was_closed_before_a_byte_is_tried_once_more() -> None:
    """A server may close an idle connection just as it is used again; that is no defect."""
    served: list[int] = []

    def second_time_lucky(connection: socket.socket) -> None:
        served.append(1)
        if len(served) > 1:
            connection.sendall(OK + b"content-length: 2\r\n\r\n{}")

    answer = exchange(second_time_lucky)
    assert answer.failure is None
    assert len(served) == 2


def test_an_answer_without_a_body_may_name_a_coding() -> None:
    """An answer to HEAD carries the header and nothing to decode."""
    answer = exchange(sends(OK + b"content-encoding: gzip\r\ncontent-length: 0\r\n\r\n"))
    assert answer.failure is None


def test_the_client_leaves_when_it_was_told_to() -> None:
    """What came until then is kept, and nothing counts as a failure."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(OK + b"content-length: 99\r\n\r\none two")
        left.append(connection.recv(1) == b"")

    left: list[bool] = []
    answer = exchange(serve, leave_after=b"two")
    assert (answer.body, answer.aborted, answer.failure) == (b"one two", True, None)
    assert left == [True]
