"""A broken server on raw sockets: it answers one route badly and passes the rest to the lab."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

Serve = Callable[[socket.socket], None]
"""Answers one request on a connection, which is closed afterwards."""
Picks = Callable[[bytes], bool]
"""Whether a request, head and body, is answered badly."""

OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"content-type: application/json\r\n"
SSE = OK + b"content-type: text/event-stream\r\n"


def every(_: bytes) -> bool:
    """All requests."""
    return True


def counting(request: bytes) -> bool:
    """Requests to count tokens."""
    return b"/count_tokens" in request.partition(b"\r\n")[0]


def streamed(request: bytes) -> bool:
    """Requests for a stream."""
    return b'"stream":true' in request


@contextlib.contextmanager
def hostile(
    serve: Serve,
    *,
    picks: Picks = every,
    upstream: str = "",
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    passed: Callable[[], None] = lambda: None,
) -> Iterator[str]:
    """Run the server; gives its base URL. `passed` is called after each request for the lab."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=128) as listener:
        server = _Server(serve, picks, upstream, tls, passed)
        thread = threading.Thread(target=server.accept, args=(listener,), daemon=True)
        thread.start()
        scheme = "http" if tls is None else "https"
        name = f"[{host}]" if ":" in host else host
        try:
            yield f"{scheme}://{name}:{listener.getsockname()[1]}"
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            server.stop()
            thread.join()


class _Server:
    def __init__(
        self,
        serve: Serve,
        picks: Picks,
        upstream: str,
        tls: ssl.SSLContext | None,
        passed: Callable[[], None],
    ) -> None:
        self._passed = passed
        self._serve = serve
        self._picks = picks
        self._upstream = urlsplit(upstream)
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def accept(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._open.add(connection)
                thread = threading.Thread(target=self._talk, args=(connection,), daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Drop every connection."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _talk(self, connection: socket.socket) -> None:
        plain = connection
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            if request := _request(connection):
                if self._picks(request):
                    self._serve(connection)
                else:
                    try:
                        self._pass_on(connection, request)
                    finally:
                        self._passed()
        for one in (connection, plain):
            with contextlib.suppress(OSError):
                one.close()
            self._open.discard(one)

    def _pass_on(self, connection: socket.socket, request: bytes) -> None:
        request = request.replace(b"\r\n", b"\r\nconnection: close\r\n", 1)
        address = (self._upstream.hostname or "", self._upstream.port or 80)
        with socket.create_connection(address) as upstream:
            upstream.sendall(request)
            while piece := upstream.recv(65536):
                connection.sendall(piece)


def _request(connection: socket.socket) -> bytes:
    """One request, head and body; empty when there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    chunked = re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head) is not None
    while len(body) < int(length[1]) if length else chunked and not body.endswith(b"0\r\n\r\n"):
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return head.replace(b"connection: keep-alive\r\n", b"") + b"\r\n\r\n" + body


def sends(*pieces: bytes) -> Serve:
    """Write these bytes and close."""

    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return serve


def holds(*pieces: bytes) -> Serve:
    """Write these bytes and wait until the client goes."""

    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.recv(1)

    return serve


def repeats(first: bytes, piece: bytes, times: int = -1, pause: float = 0.0) -> Serve:
    """Write a beginning, then the same piece again and again; without a number, for ever."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(first)
        left = times
        while left:
            left -= 1
            connection.sendall(piece)
            if pause:
                connection.settimeout(pause)
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(1):
                        return

    return serve


def resets(*pieces: bytes) -> Serve:
    """Write these bytes and reset the connection."""

    def serve(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return serve


def answers(head: bytes, body: bytes) -> Serve:
    """A whole answer with the right length."""
    return sends(head + b"content-length: %d\r\n\r\n" % len(body) + body)


def keeps(head: bytes, body: bytes, behind: bytes = b"") -> Serve:
    """The same answer to each request of a kept connection, with bytes behind each."""
    whole = head + b"content-length: %d\r\n\r\n" % len(body) + body + behind

    def serve(connection: socket.socket) -> None:
        connection.sendall(whole)
        while _request(connection):
            connection.sendall(whole)

    return serve
