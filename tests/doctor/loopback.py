"""Small endpoints and proxies on 127.0.0.1, each with one way of being right or wrong."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

CERTIFICATES = Path(__file__).parent / "certificates"
"""A server's certificate for 127.0.0.1 with its key, the authority that signed it, another one."""

KEY = "sk-gateway-4f9a1c7e5b3d2a60"
MODELS = ("claude-opus-5-5", "claude-haiku-5-5")


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Any

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.target).path

    @property
    def has_credential(self) -> bool:
        """Whether it carries a credential."""
        return bool({"x-api-key", "authorization"} & set(self.headers))


@dataclass(frozen=True)
class Reply:
    """An answer; a mapping goes out as JSON, text as HTML."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Serve: TypeAlias = Callable[[Seen], Reply]


def error(status: int, message: str, type_: str = "invalid_request_error") -> Reply:
    """Return an error in the envelope of the API."""
    return Reply(status, {"type": "error", "error": {"type": type_, "message": message}})


def gateway(
    *,
    key: str | None = KEY,
    reads: Collection[str] = ("x-api-key", "authorization"),
    models: Collection[str] = MODELS,
    listed: Collection[str] | None = MODELS,
    denied: Collection[str] = (),
    prefix: str = "",
    forbids: str = "",
) -> Serve:
    """Return an endpoint.

    `key` none lets everybody in, `reads` names the credential headers that it looks at, `listed`
    none serves no model list, `denied` are models that the token may not use, `forbids` is a
    header that it refuses.
    """

    def serve(seen: Seen) -> Reply:
        if seen.path not in (f"{prefix}/v1/messages", f"{prefix}/v1/models"):
            return Reply(404, {"detail": "Not Found"})
        values = [seen.headers.get(name, "").removeprefix("Bearer ") for name in reads]
        given = [value for value in values if value]
        if key is not None and (not given or given[0] != key):
            return error(401, "invalid token", "authentication_error")
        if forbids and forbids in seen.headers:
            return error(400, f"unknown header {forbids}")
        if seen.method == "GET":
            if listed is None:
                return error(404, "no such route", "not_found_error")
            entries = [{"type": "model", "id": id_, "display_name": id_} for id_ in listed]
            return Reply(200, {"data": entries, "has_more": False})
        model = seen.body["model"]
        if model in denied:
            return error(403, f"this token may not use the model {model}", "permission_error")
        if model not in models:
            return error(404, f"model: {model}", "not_found_error")
        return message(model)

    return serve


def message(model: str = "claude-opus-5-5") -> Reply:
    """Return a real message."""
    text = {"type": "text", "text": "Hello"}
    body = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
    usage = {"input_tokens": 8, "output_tokens": 1}
    rest = {"content": [text], "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
    return Reply(200, {**body, **rest})


def always(status: int, body: Any = "", **headers: str) -> Serve:
    """Return an endpoint that has one answer for everything."""
    return lambda _: Reply(status, body, headers)


def redirects(to: Callable[[Seen], str], status: int = 307) -> Serve:
    """Return an endpoint that sends everybody elsewhere."""
    return lambda seen: Reply(status, "", {"location": to(seen)})


def relay(port: int) -> Serve:
    """Return a proxy that hands every request to a port of this machine."""

    def serve(seen: Seen) -> Reply:
        onward = http.client.HTTPConnection("127.0.0.1", port)
        parts = urlsplit(seen.target)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = json.dumps(seen.body) if seen.body is not None else None
        headers = {name: value for name, value in seen.headers.items() if name != "content-length"}
        onward.request(seen.method, target, body, headers)
        answer = onward.getresponse()
        text = answer.read()
        status = answer.status
        onward.close()
        return Reply(status, json.loads(text) if text else "")

    return serve


class Running:
    """A server that is running, and what it saw."""

    def __init__(self, serve: Serve, *, certificate: str = "") -> None:
        self.seen: list[Seen] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(serve, self.seen))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def closed_port() -> Iterator[int]:
    """Give a port on which nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = int(server.server_address[1])
    yield port


def _handler(serve: Serve, seen: list[Seen]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            one = Seen(self.command, self.path, headers, body)
            seen.append(one)
            self._write(serve(one))

        do_GET = do_POST = do_HEAD = handle_one  # noqa: N815 - names of the base class

        def _write(self, reply: Reply) -> None:
            is_json = not isinstance(reply.body, str)
            text = json.dumps(reply.body) if is_json else reply.body
            data = b"" if self.command == "HEAD" else text.encode()
            self.send_response(reply.status)
            self.send_header("content-type", "application/json" if is_json else "text/html")
            self.send_header("content-length", str(len(data)))
            self.send_header("connection", "close")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True  # no HTTP, or the client has gone

        def log_message(self, *_: object) -> None:
            pass

    return Handler
