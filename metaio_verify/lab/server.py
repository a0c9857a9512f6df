"""The lab over real HTTP, on a port of this machine."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from metaio_verify.errors import Problem, UserError
from metaio_verify.lab.app import Lab
from metaio_verify.lab.asgi import App
from metaio_verify.lab.rawline import writing_raw

__all__ = ["Lab", "running", "serve_forever"]

_BACKLOG = 512
_KEEP_ALIVE_SECONDS = 75


@contextmanager
def running(app: App, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an app of the lab from a thread and yield its base URL; port 0 takes any free one.

    An exception of the lab itself is raised at the end, so that no broken fault goes unseen.
    """
    with _listener(host, port) as listener:
        server = _Server(app)
        thread = threading.Thread(target=server.serve_in_thread, args=(listener,), daemon=True)
        thread.start()
        server.ready.wait()
        try:
            yield _url(app, host, listener)
        finally:
            server.stop()
            thread.join()
    if app.crashes:
        raise app.crashes[0]


def serve_forever(
    app: App, port: int, host: str = "127.0.0.1", *, ready: Callable[[str], None] | None = None
) -> None:
    """Serve the lab from this thread until the process is interrupted.

    `ready` gets the base URL once connections are taken.
    """
    with _listener(host, port) as listener:
        if ready:
            ready(_url(app, host, listener))
        uvicorn.Server(_config(app)).run(sockets=[listener])


def _url(app: App, host: str, listener: socket.socket) -> str:
    return app.published(f"http://{host}:{listener.getsockname()[1]}{app.prefix}")


def _listener(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off for each connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise UserError(
            Problem(
                f"cannot listen on {host}:{port}: {error.strerror}",
                hint="give another port, or 0 for any free one",
            )
        ) from None
    return listener


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=writing_raw(_protocol(app)),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )


def _protocol(app: App) -> type[asyncio.Protocol]:
    # httptools is faster, but writes every header name in small letters.
    if find_spec("httptools") and "header-names-in-capitals" not in app.variants:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol  # noqa: PLC0415 - optional

        return HttpToolsProtocol
    return H11Protocol


class _Server(uvicorn.Server):
    """A server that starts and ends without waiting for a clock."""

    def __init__(self, app: App) -> None:
        super().__init__(_config(app))
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def serve_in_thread(self, listener: socket.socket) -> None:
        """Serve until `stop` is called."""
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            self.ready.set()

    def stop(self) -> None:
        """End the server, from another thread; open connections are dropped."""
        assert self._loop is not None
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        """Keep the date header fresh until the end."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.ready.set()
        while not self._ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), timeout=1.0)
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop what is open."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
