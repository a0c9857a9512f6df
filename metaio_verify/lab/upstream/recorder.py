"""The upstream as an ASGI application: records what a gateway asks for, plays the answer.

A request with a mark is recorded byte for byte and gets what its mark asks for. Any other one is
answered as by the lab, so that the checks that know nothing of an upstream can be run through a
gateway too. What is recorded is handed over once, to whoever has the token, and then forgotten.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec

from metaio_verify.exchange import text_or_base64
from metaio_verify.lab import asgi
from metaio_verify.lab.app import Lab
from metaio_verify.lab.asgi import Receive, Scope, Send
from metaio_verify.lab.types import CUT, Answer, ApiError, HeaderLines
from metaio_verify.lab.upstream import unmarked
from metaio_verify.lab.upstream.play import SPEAKERS, dialect_of, play
from metaio_verify.lab.upstream.scripts import SCRIPTS, Failure
from metaio_verify.marker import CONTROL, FORMAT, TOKEN_HEADER, Mark, find
from metaio_verify.probe.redact import Redactor
from metaio_verify.record import Dialect, Forwarded, ForwardedRequest, Played

_MOST_KEPT = 256 * 1024 * 1024
"""Bytes of recorded bodies; the oldest are forgotten first."""
_LONGEST_WAIT = 30.0
_MOST_MODELS = 100
_KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")


class Recorder:
    """One upstream. `token` is the key that a gateway needs, and the verifier's pass."""

    prefix = ""
    variants: frozenset[str] = frozenset()

    def __init__(self, token: str, *, keep: Path | None = None) -> None:
        self.token = token
        self._keep = keep
        self._lab = Lab(token)
        self._taped: dict[str, list[Forwarded]] = {}
        self._open: dict[str, int] = {}
        """Token → how many of its requests are being answered."""
        self._ended = asyncio.Condition()

    @property
    def crashes(self) -> list[Exception]:
        """What went wrong inside of the lab."""
        return self._lab.crashes

    @staticmethod
    def published(url: str) -> str:
        """Return the base URL that a gateway is given."""
        return url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await asgi.read(receive)
        if body is None:
            return
        arrived = time.perf_counter()
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        path: str = scope["path"]
        if path == CONTROL or path.startswith(f"{CONTROL}/"):
            await asgi.write(await self._ordered(scope, headers), receive, send)
            return
        mark = find(body)
        dialect = dialect_of(path)
        if mark is None or dialect is Dialect.OTHER:
            await self._unmarked(scope, headers, body, receive, send)
            return
        self._open[mark.token] = self._open.get(mark.token, 0) + 1
        request = _request(scope, headers, body)
        answer = self._scripted(mark, path, headers, body)
        tape = _Tape(send)
        try:
            await asgi.write(answer, receive, tape.send)
        finally:
            played = tape.played(answer)
            await self._record(
                mark.token, Forwarded(at=arrived, dialect=dialect, request=request, played=played)
            )

    def _scripted(self, mark: Mark, path: str, headers: HeaderLines, body: bytes) -> Answer:
        speaker = SPEAKERS[dialect_of(path)]
        if not self._is_known(headers):
            failure = Failure(401, "authentication_error", "this upstream needs its token as key")
            return speaker.error(failure, mark.token)
        script = SCRIPTS.get(mark.script)
        if script is None:
            failure = Failure(404, "not_found_error", f"there is no script {mark.script}")
            return speaker.error(failure, mark.token)
        try:
            decoded = msgspec.json.decode(body)
        except msgspec.DecodeError:
            decoded = None
        return play(script, mark.token, path, decoded)

    async def _unmarked(
        self, scope: Scope, headers: HeaderLines, body: bytes, receive: Receive, send: Send
    ) -> None:
        """Answer as the lab, in whichever dialect was asked."""
        path: str = scope["path"]
        dialect = dialect_of(path)
        named = {name for name, _ in headers}
        if dialect in (Dialect.CHAT, Dialect.RESPONSES) or (
            path.rstrip("/").endswith("/models") and "anthropic-version" not in named
        ):
            known = self._is_known(headers)
            answer = unmarked.answer(self._lab, path, body) if known else _unauthorized()
            await asgi.write(answer, receive, send)
            return
        self._get_to_know(body)
        # Gateways put prefixes of their own before the path of the API.
        start = path.find("/v1/")
        if start > 0:
            scope = {**scope, "path": path[start:]}
        await self._lab(scope, asgi.replayed(body, receive), send)

    def _get_to_know(self, body: bytes) -> None:
        """Serve a model under whatever name a gateway gives it.

        The names that the verifier itself makes up stay unknown: no upstream has them.
        """
        try:
            name = msgspec.json.decode(body).get("model")
        except (msgspec.DecodeError, AttributeError):
            return
        known = self._lab.models
        fits = isinstance(name, str) and "metaio" not in name and len(known) < _MOST_MODELS
        if fits and all(model.id != name for model in known):
            self._lab.models = (*known, replace(known[0], id=name))

    async def _record(self, token: str, forwarded: Forwarded) -> None:
        async with self._ended:
            left = self._open[token] - 1
            if left:
                self._open[token] = left
            else:
                del self._open[token]
            self._taped.setdefault(token, []).append(forwarded)
            while sum(map(_size, self._taped.values())) > _MOST_KEPT:
                self._taped.pop(next(iter(self._taped)))
            self._ended.notify_all()
        if self._keep is not None:
            line = Redactor([self.token]).text(msgspec.json.encode(forwarded).decode())
            with self._keep.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    async def _ordered(self, scope: Scope, headers: HeaderLines) -> Answer:
        """Answer the verifier."""
        given = next((value for name, value in headers if name == TOKEN_HEADER), "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return _unauthorized()
        match scope["path"].removeprefix(CONTROL).split("/"):
            case ["" | "", ""] if scope["method"] == "GET":
                return Answer.of_json({"format": FORMAT, "now": time.perf_counter()})
            case ["", "take", token] if scope["method"] == "POST":
                query = parse_qs(scope["query_string"].decode("latin-1"))
                return Answer.of_json(
                    await self._taken(token, _seconds(query.get("wait", ["0"])[0]))
                )
        return ApiError(404, "Not found", rule="path.unknown").answer()

    async def _taken(self, token: str, wait: float) -> list[Forwarded]:
        """Hand over what a token brought, once all of it has ended or the time is over."""
        try:
            async with asyncio.timeout(wait), self._ended:
                await self._ended.wait_for(lambda: token not in self._open)
        except TimeoutError:
            pass
        return self._taped.pop(token, [])

    def _is_known(self, headers: HeaderLines) -> bool:
        keys = [value for name, value in headers if name in _KEY_HEADERS]
        keys += [
            value.partition(" ")[2].strip()
            for name, value in headers
            if name == "authorization" and value.lower().startswith("bearer ")
        ]
        return any(hmac.compare_digest(key.encode(), self.token.encode()) for key in keys)


class _Tape:
    """Notes what is sent, and when."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._pieces: list[tuple[float, bytes]] = []
        self._finished = False

    async def send(self, message: Any) -> None:
        """Send a part of an answer."""
        await self._send(message)
        if message["type"] == "http.response.body":
            if message.get("body"):
                self._pieces.append((time.perf_counter(), message["body"]))
            self._finished = not message.get("more_body", False)

    def played(self, answer: Answer) -> Played:
        """Return what became of an answer."""
        sent = b"".join(piece for _, piece in self._pieces)
        planned = [piece for piece in answer.stream or () if isinstance(piece, bytes)]
        cut = CUT in (answer.stream or ()) and len(sent) == sum(map(len, planned))
        return Played(
            status=answer.status,
            headers=list(answer.headers),
            text=sent.decode(),
            chunks=[(at, len(piece)) for at, piece in self._pieces],
            ended="whole" if self._finished else "cut" if cut else "left",
            ended_at=time.perf_counter(),
        )


def _request(scope: Scope, headers: HeaderLines, body: bytes) -> ForwardedRequest:
    query = scope["query_string"].decode("latin-1")
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    text, encoded = text_or_base64(body)
    return ForwardedRequest(
        method=scope["method"],
        target=f"{path}?{query}" if query else path,
        headers=headers,
        text=text,
        base64=encoded,
    )


def _unauthorized() -> Answer:
    return ApiError(401, "this upstream needs its token", rule="credential.invalid").answer()


def _size(recorded: Iterable[Forwarded]) -> int:
    return sum(
        len(one.request.text or one.request.base64 or "") + len(one.played.text) for one in recorded
    )


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), _LONGEST_WAIT)
    except ValueError:
        return 0.0
