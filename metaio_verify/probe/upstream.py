"""The upstream behind the gateway: asked, after each probe, what of it arrived there."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from metaio_verify.errors import Problem, UserError
from metaio_verify.marker import CONTROL, FORMAT, TOKEN_HEADER
from metaio_verify.probe.client import Answer, Bounds, Client, Outgoing
from metaio_verify.probe.redact import Redactor
from metaio_verify.probe.target import BaseUrl, Credential, parse_base_url, parse_credential
from metaio_verify.probe.trust import ways_to
from metaio_verify.record import REDACTED, Forwarded, ForwardedRequest, Played

_PATIENCE = 12.0
"""Seconds to wait until everything that the gateway asked for has ended."""

_CREDENTIALS = frozenset(
    {"api-key", "authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key"}
)
"""Headers whose values are never written down, whoever they belong to."""


_LARGEST = 64 * 1024 * 1024
"""Bytes that may be handed over at once: requests of ours, repeated by the gateway."""


class Place(Struct, frozen=True):
    """Where an upstream is, and its token."""

    base: BaseUrl
    token: Credential


def parse_upstream(url: str, token: str) -> Place | None:
    """Read what the user said of the upstream; none when nothing was said."""
    if not url:
        return None
    if not token:
        hint = "set METAIO_UPSTREAM_TOKEN to what `metaio-verify serve --upstream` printed"
        raise UserError(Problem("the upstream needs its token", hint=hint))
    credential = parse_credential(token)
    try:
        return Place(parse_base_url(url), credential)
    except UserError as error:
        if Redactor([token]).found_in(str(error)):
            raise UserError(Problem("the upstream's URL is none, and it holds the token")) from None
        raise


async def greet(
    place: Place, client_key: Credential, stack: AsyncExitStack, authorities: Path | None
) -> Upstream:
    """Return the upstream, once it has answered; its connections end with the stack.

    Raises `UserError` when it is not there, or takes no orders from us: then nothing that a run
    could find would be about the gateway.
    """
    origin = place.base.origin
    ways = ways_to(origin, authorities=authorities)
    client = Client(ways, bounds=Bounds(body=_LARGEST), origin=origin)
    await stack.enter_async_context(client)
    upstream = Upstream(client, place.base, place.token, client_key)
    await upstream.greet()
    return upstream


class Upstream:
    """What the verifier knows of the upstream: where it is, its token, and its clock."""

    def __init__(
        self, client: Client, base: BaseUrl, token: Credential, client_key: Credential
    ) -> None:
        self._client = client
        self._base = base
        self._token = token
        same = token.secret == client_key.secret
        # A gateway without a credential of its own hands on the client's, which is then no leak.
        self.redactor = Redactor([] if same else [token.secret])
        self._of_client = Redactor([] if same else [client_key.secret])
        self._all = Redactor([token.secret, client_key.secret])
        self._ahead = 0.0
        """Seconds by which the clock of the upstream is ahead of ours."""

    async def greet(self) -> None:
        """Find out whether the upstream is there, and set its clock against ours."""
        before = time.perf_counter()
        answer = await self._ask("GET", "/")
        after = time.perf_counter()
        hello = _json(answer)
        if not isinstance(hello, dict) or hello.get("format") != FORMAT:
            raise UserError(_not_there(self._base, answer))
        self._ahead = float(hello.get("now", 0.0)) - (before + after) / 2

    async def take(self, token: str, started: float) -> list[Forwarded] | None:
        """Return what arrived under a token since it was last asked for; none without an answer.

        Waits until each of these requests has ended. Times are made to count from `started`.
        """
        answer = await self._ask("POST", f"/take/{token}?wait={_PATIENCE:g}")
        try:
            found = msgspec.json.decode(answer.body, type=list[Forwarded])
        except msgspec.DecodeError:
            return None
        return [self._cleaned(one, self._ahead + started) for one in found]

    async def _ask(self, method: str, path: str) -> Answer:
        headers = [(TOKEN_HEADER, self._token.secret), ("accept", "application/json")]
        if method == "POST":
            headers.append(("content-length", "0"))
        url = self._base.below(CONTROL + path)
        return await self._client.send(Outgoing(method, url, headers))

    def _cleaned(self, one: Forwarded, zero: float) -> Forwarded:
        request, played = one.request, one.played
        body = request.body.decode("utf-8", "replace")
        leaks = [
            f"header {name}" for name, value in request.headers if self._of_client.found_in(value)
        ]
        leaks += [f"query {request.target}"] if self._of_client.found_in(request.target) else []
        leaks += ["body"] if self._of_client.found_in(body) else []
        clean = self._all.text
        return Forwarded(
            at=one.at - zero,
            dialect=one.dialect,
            request=ForwardedRequest(
                method=request.method,
                target=clean(request.target),
                headers=[(name, self._shown(name, value)) for name, value in request.headers],
                text=clean(body) if request.base64 is None else None,
                base64=request.base64,
            ),
            played=Played(
                status=played.status,
                headers=[(name, clean(value)) for name, value in played.headers],
                text=clean(played.text),
                chunks=[(round(at - zero, 6), size) for at, size in played.chunks],
                ended=played.ended,
                ended_at=round(played.ended_at - zero, 6),
            ),
            leaks=[clean(place) for place in leaks],
        )

    def _shown(self, name: str, value: str) -> str:
        if name.lower() in _CREDENTIALS:
            scheme, space, _ = value.rpartition(" ")
            return f"{scheme}{space}{REDACTED}"
        return self._all.text(value)


def _json(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return None


def _not_there(base: BaseUrl, answer: Answer) -> Problem:
    start = "start one with `metaio-verify serve --upstream`"
    if answer.failure is not None and not answer.status:
        return Problem(f"no upstream answers at {base}: {answer.failure.detail}", hint=start)
    if answer.status in (401, 403):
        return Problem(
            f"the upstream at {base} does not take the token",
            hint="give the one that it printed, in METAIO_UPSTREAM_TOKEN",
        )
    return Problem(
        f"{base} is no upstream of this program: it answered {answer.status}",
        hint=f"{start}; its URL is not the gateway's",
    )
