"""Sending: through the machinery of the probes, on the way that Claude Code would take."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import httpx
from msgspec import UNSET, Struct

from metaio_verify.doctor.live.outcome import Outcome, classify
from metaio_verify.doctor.network import Authorities, Proxy
from metaio_verify.doctor.sent import AUTHORIZATION, Credential, CustomHeaders
from metaio_verify.probe.client import Bounds, Client
from metaio_verify.probe.fire import Shot, Wire
from metaio_verify.probe.redact import Redactor
from metaio_verify.probe.target import BaseUrl
from metaio_verify.probe.target import Credential as WireCredential
from metaio_verify.probe.template import Values
from metaio_verify.record import Exchange
from metaio_verify.suite.model import Auth, Probe

_NOBODY = WireCredential("")
"""The wire's own credential is never sent: the probes bring their headers."""


class Try(Struct, frozen=True, kw_only=True):
    """One request that was sent, and what came of it."""

    request: str
    model: str = ""
    credential: str = ""
    """The headers that carried it."""
    status: int = 0
    seconds: float
    outcome: str
    ok: bool


@dataclass(frozen=True)
class Setup:
    """How a message is sent; a diagnosis changes one thing at a time and sends it again."""

    base: BaseUrl
    credential: Credential | None
    custom: CustomHeaders
    model: str
    proxy: Proxy | None
    """None: directly."""
    betas: str = ""
    """What `ANTHROPIC_BETAS` adds; nothing else is sent as a beta."""
    query: bool = True
    """With `?beta=true`, as Claude Code asks."""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one setup from another."""
        credential = tuple(self.credential.secrets.items()) if self.credential else ()
        way = self.proxy.url if self.proxy else ""
        custom = tuple(self.custom.pairs.items())
        return (self.base, credential, custom, self.model, way, self.betas, self.query)

    def at(self, base: BaseUrl) -> Setup:
        """Return the same with another base URL."""
        return replace(self, base=base)

    def asking(self, model: str) -> Setup:
        """Return the same with another model."""
        return replace(self, model=model)

    def sent_as(self, credential: Credential | None) -> Setup:
        """Return the same with another credential."""
        return replace(self, credential=credential)

    def with_headers(self, custom: CustomHeaders) -> Setup:
        """Return the same with other headers of the user."""
        return replace(self, custom=custom)

    def through(self, proxy: Proxy | None) -> Setup:
        """Return the same on another way."""
        return replace(self, proxy=proxy)


def _transport(authorities: Authorities | None, proxy: Proxy | None) -> httpx.AsyncHTTPTransport:
    """Return the way of Claude Code to the endpoint.

    What the environment of this process says does not count: settings files may say otherwise.
    """
    return httpx.AsyncHTTPTransport(
        verify=authorities.context() if authorities else False,
        trust_env=False,
        proxy=httpx.Proxy(proxy.url) if proxy else None,
    )


class Asker:
    """Sends the requests of one diagnosis and remembers them."""

    def __init__(
        self, authorities: Authorities, origin: str, secrets: Sequence[str], patience: float
    ) -> None:
        """Prepare to send.

        Args:
            authorities: whose certificates are trusted
            origin: the one origin that a credential may go to
            secrets: what is taken out of every answer
            patience: longest wait for the next byte, in seconds

        """
        self.tries: list[Try] = []
        self._authorities = authorities
        self._redactor = Redactor(secrets)
        self._bounds = Bounds(connect=min(10.0, patience), silence=patience, total=2 * patience)
        self._origin = origin
        self._stack = AsyncExitStack()
        self._clients: dict[tuple[str, bool, bool], Client] = {}
        self._answers: dict[tuple[object, ...], Exchange] = {}
        """What was asked is not asked again."""

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def message(self, setup: Setup, *, max_tokens: int = 64) -> Exchange:
        """Send a message as Claude Code would address it."""
        body = {
            "model": "${model}",
            "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": "Reply with one word."}],
        }
        probe = Probe(
            id="message",
            purpose="A real message.",
            post="/v1/messages",
            query={"beta": "true"} if setup.query else {},
            beta=[flag.strip() for flag in setup.betas.split(",") if flag.strip()],
            auth=Auth.NONE,
            headers=_headers(setup),
            json=body,
        )
        return await self._send(probe, setup)

    async def models(self, setup: Setup) -> Exchange:
        """Ask for the models; this request carries one credential header only."""
        setup = setup.asking("")
        credential = setup.credential
        if credential and len(credential.styles) > 1:
            # Both headers of a helper hold the same; of two variables the token counts.
            is_helper = not credential.differ
            style = credential.styles[0] if is_helper else AUTHORIZATION
            setup = setup.sent_as(credential.only(style))
        probe = Probe(
            id="models",
            purpose="The models.",
            get="/v1/models",
            query={"limit": "1000"},
            auth=Auth.NONE,
            headers=_headers(setup),
        )
        return await self._send(probe, setup)

    async def knock(self, setup: Setup) -> Exchange:
        """See whether anything answers; this request carries no credential."""
        probe = Probe(
            id="knock",
            purpose="Is anything there?",
            head="/",
            auth=Auth.NONE,
            version=None,
        )
        bare = Setup(setup.base, None, CustomHeaders({}), "", setup.proxy)
        return await self._send(probe, bare)

    async def _send(self, probe: Probe, setup: Setup) -> Exchange:
        key = (probe.id, *setup.key)
        if key not in self._answers:
            client = await self._client(setup)
            wire = Wire(client, setup.base, _NOBODY, self._redactor)
            exchange = await wire.send(probe, setup.model, Values(setup.model, {}), Shot())
            self._answers[key] = exchange
            self._remember(probe, setup, exchange)
        return self._answers[key]

    async def _client(self, setup: Setup) -> Client:
        """Return a client for the way of a setup; with a credential it keeps to the one origin."""
        way = setup.proxy.url if setup.proxy else ""
        bound = setup.credential is not None or bool(setup.custom.pairs)
        # Reading the certificate stores costs some 60 ms that plain HTTP need not pay.
        tls = any(url.startswith("https:") for url in (setup.base.origin, way))
        key = (way, tls, bound)
        if key not in self._clients:
            connect = partial(_transport, self._authorities if tls else None, setup.proxy)
            origin = self._origin if bound else None
            client = Client(connect, bounds=self._bounds, origin=origin)
            self._clients[key] = await self._stack.enter_async_context(client)
        return self._clients[key]

    def _remember(self, probe: Probe, setup: Setup, exchange: Exchange) -> None:
        response = exchange.response
        is_message = probe.post is not UNSET
        outcome = classify(exchange)
        ok = outcome is Outcome.MESSAGE if is_message else bool(response and response.status < 400)
        spoken = str(outcome) if is_message else ""
        if exchange.failure is not None:
            spoken = exchange.failure.detail
        self.tries.append(
            Try(
                request=f"{exchange.request.method} {exchange.request.url}",
                model=setup.model if is_message else "",
                credential=" and ".join(setup.credential.styles) if setup.credential else "",
                status=response.status if response else 0,
                seconds=round(exchange.timing.total, 3),
                outcome=spoken,
                ok=ok,
            )
        )


def _headers(setup: Setup) -> dict[str, Any]:
    """Return the headers of a request; those of the user win, as they do in Claude Code."""
    credential = setup.credential.headers() if setup.credential else {}
    custom = {name.lower(): value for name, value in setup.custom.pairs.items()}
    # The template would take `${` in a key for a reference.
    sent = {**credential, **custom}
    return {name: value.replace("${", "$${") for name, value in sent.items()}
