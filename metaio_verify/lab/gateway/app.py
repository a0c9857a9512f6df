"""A conforming gateway: authenticates its clients, passes on what they say, streams back.

It stands between the verifier and the upstream and changes nothing but what a gateway has to: the
credential, the host and the headers of the connection itself. A translating gateway is the same
with a translator on both ways. Changes (faults and variants) act at the stages of `change`, most of
them on the client's side of the translator: so the same one serves whatever the upstream speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

import httpx

from metaio_verify.lab import asgi
from metaio_verify.lab.asgi import Receive, Scope, Send
from metaio_verify.lab.change import Stage, by_stage
from metaio_verify.lab.gateway.change import Call, Reply
from metaio_verify.lab.gateway.desk import Desk
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS
from metaio_verify.lab.gateway.wording import UntranslatableError
from metaio_verify.lab.message import new_id
from metaio_verify.lab.types import Answer, ApiError

CLIENT_KEY = "sk-gateway-client-5b1f0c3e9d72"

_HOP_BY_HOP = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    }
)
_NOT_RETURNED = frozenset({"connection", "date", "keep-alive", "server", "transfer-encoding"})


class Translator(Protocol):
    """Speaks another API to the upstream."""

    def up(self, call: Call) -> Call:
        """Return a request in the upstream's words."""

    async def back(self, reply: Reply, asked: Call) -> Reply:
        """Return an answer in the client's words."""


class Gateway:
    """One gateway in front of one upstream."""

    prefix = ""

    def __init__(
        self,
        upstream: str,
        upstream_key: str,
        *,
        key: str = CLIENT_KEY,
        translator: Translator | None = None,
        faults: Collection[str] = (),
        variants: Collection[str] = (),
    ) -> None:
        self.key = key
        self.variants = frozenset(variants)
        self._crashes: list[Exception] = []
        self._desk = Desk(key) if translator is not None else None
        self._upstream = upstream
        self._upstream_key = upstream_key
        self._translator = translator
        chosen = [*GATEWAY_VARIANTS.chosen(variants), *GATEWAY_FAULTS.chosen(faults)]
        self._changes = by_stage(chosen)
        self._http: httpx.AsyncClient | None = None

    @property
    def crashes(self) -> list[Exception]:
        """What went wrong inside of the lab."""
        return [*self._crashes, *(self._desk.crashes if self._desk is not None else ())]

    @staticmethod
    def published(url: str) -> str:
        """Return the base URL that clients are given."""
        return url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await asgi.read(receive)
        if body is None:
            return
        client = Call(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body,
        )
        given = _credentials(client)
        if self.key not in given:
            text = "invalid x-api-key" if given else "x-api-key header is required"
            id_ = new_id("req")
            answer = ApiError(401, text, rule="credential.invalid").answer(id_)
            answer.headers += [("request-id", id_), ("x-should-retry", "false")]
            await asgi.write(answer, receive, send)
            return
        if self._desk is not None and (own := self._desk.answer(scope, body)) is not None:
            await asgi.write(own, receive, send)
            return
        client = replace(client, key=self.key, upstream_key=self._upstream_key)
        gone = asyncio.ensure_future(asgi.client_left(receive))
        work = asyncio.ensure_future(self._pass_on(client, send))
        try:
            await asyncio.wait({gone, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _pass_on(self, client: Call, send: Send) -> None:
        """Send a request up and its answer back; an upstream that breaks off does so here, too."""
        started = False
        try:
            reply = await self._ask(client)
            if isinstance(reply, Answer):
                await asgi.write(reply, _never, send)
                return
            headers = asgi.encoded(reply.headers)
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            started = True
            async for piece in reply.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                # Nothing here need wait for anything, and a client that leaves has to be noticed.
                await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b""})
        except httpx.HTTPError as error:
            if not started:
                text = f"the upstream did not answer: {type(error).__name__}"
                await asgi.write(ApiError(500, text, rule="upstream").answer(), _never, send)
        except Exception as crash:  # noqa: BLE001 - it is raised where the gateway was started
            self._crashes.append(crash)
            if not started:
                text = "Internal server error"
                answer = ApiError(500, text, rule="lab.crash").answer(new_id("req"))
                await asgi.write(answer, _never, send)

    async def _ask(self, client: Call) -> Reply | Answer:
        call = Call(
            client.method,
            client.path,
            client.query,
            [
                *((name, value) for name, value in client.headers if name not in _HOP_BY_HOP),
                ("x-api-key", self._upstream_key),
            ],
            client.body,
        )
        for change in self._changes[Stage.FORWARD]:
            call = change(call, client)
        asked = call
        if self._translator is not None:
            try:
                call = self._translator.up(asked)
            except UntranslatableError as error:
                return ApiError(400, str(error), rule="body.translation").answer(new_id("req"))
        calls = [call]
        for change in self._changes[Stage.SEND]:
            calls = change(call, client)
        if not calls:
            return Answer.of_json(_INVENTED)
        for one in calls[:-1]:
            async for _ in (await self._sent(one)).pieces:
                pass
        reply = await self._sent(calls[-1])
        if self._translator is not None:
            reply = await self._translator.back(reply, asked)
            reply = reply.with_header("request-id", new_id("req"))
            reply = reply.with_header("cache-control", "no-store")
        for change in self._changes[Stage.RETURN]:
            reply = await change(reply, client)
        if reply.streams:
            pieces = reply.pieces
            for change in self._changes[Stage.RELAY]:
                pieces = change(pieces, client)
            reply = Reply(reply.status, reply.headers, pieces)
        return reply

    async def _sent(self, call: Call) -> Reply:
        if self._http is None:
            # No connection outlives its request, so that nothing is left open at the end.
            limits = httpx.Limits(max_keepalive_connections=0)
            # Certificates take a moment to load, and nothing but https needs them.
            verify = self._upstream.startswith("https:")
            self._http = httpx.AsyncClient(verify=verify, trust_env=False, limits=limits)
        url = f"{self._upstream}{call.path}{'?' if call.query else ''}{call.query}"
        headers = [(name.encode(), value.encode("latin-1")) for name, value in call.headers]
        request = httpx.Request(
            call.method,
            url,
            headers=headers,
            content=call.body or None,
            extensions={"timeout": httpx.Timeout(60).as_dict()},
        )
        response = await self._http.send(request, stream=True)
        lines = [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in response.headers.raw
        ]
        kept = [line for line in lines if line[0] not in _NOT_RETURNED]
        return Reply(response.status_code, kept, _raw(response))


async def _raw(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_raw():
            yield piece
    finally:
        await response.aclose()


def _credentials(call: Call) -> list[str]:
    bearers = [
        value.partition(" ")[2]
        for value in call.lines("authorization")
        if value.lower().startswith("bearer ")
    ]
    return [*call.lines("x-api-key"), *bearers]


async def _never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


_INVENTED = {
    "id": "msg_01FromACacheOfTheGateway",
    "type": "message",
    "role": "assistant",
    "model": "claude-lab-3",
    "content": [{"type": "text", "text": "Hello again."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 3},
}
