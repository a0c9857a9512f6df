"""Firing one probe: from its declaration to an exchange without secrets."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote, unquote, urlencode

from msgspec import UNSET, Struct, json
from msgspec.structs import replace

from metaio_verify import __version__
from metaio_verify.exchange import text_or_base64
from metaio_verify.judge.sse import NOT_JSON, looks_like_events, parse
from metaio_verify.probe import auth
from metaio_verify.probe.clean import cleaned
from metaio_verify.probe.client import Answer, Client, Outgoing
from metaio_verify.probe.failures import failure
from metaio_verify.probe.redact import Redactor
from metaio_verify.probe.target import BaseUrl, Credential
from metaio_verify.probe.template import TooLargeError, Values, fill
from metaio_verify.probe.upstream import Upstream
from metaio_verify.record import (
    Clock,
    Exchange,
    Failure,
    Forwarded,
    Received,
    SentRequest,
    StreamEvent,
)
from metaio_verify.suite.model import Auth, Moment, Probe

Headers = list[tuple[str, str]]

_COMMON: Headers = [
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate"),
    ("user-agent", f"metaio-verify/{__version__}"),
]


class Shot(Struct, frozen=True):
    """Which of a probe's requests it is."""

    attempt: int = 1
    copy: int = 1
    retry: int = 0
    retry_of: str | None = None
    alone: bool = False
    """Sent again to measure its time, with nothing beside it."""
    patch: dict[str, Any] | None = None
    """What this attempt changes in the probe's body (JSON merge patch)."""


_DOTS = frozenset({".", ".."})
"""Parts of a path that lead elsewhere, for some servers also where they are encoded."""


class _ElsewhereError(Exception):
    """A request would not go below the base URL."""


class Wire:
    """Sends probes below one base URL with one credential.

    The base URL and the credential style are found out by the preflight, which sets them here.
    """

    def __init__(
        self,
        client: Client,
        base: BaseUrl,
        credential: Credential,
        redactor: Redactor,
        upstream: Upstream | None = None,
    ) -> None:
        self.base = base
        self.upstream = upstream
        self.style = Auth.X_API_KEY
        self._client = client
        self._credential = credential
        self._redactor = redactor

    async def send(self, probe: Probe, model: str | None, values: Values, shot: Shot) -> Exchange:
        """Fire one request of a probe and return its evidence."""
        try:
            url = self._url(probe, values)
            body = _body(probe, shot.patch, values)
            headers = self._headers(probe, values, has_body=body is not None)
        except (TooLargeError, _ElsewhereError) as error:
            url, body, headers = str(self.base), None, []
            answer = Answer(started=time.perf_counter(), failure=failure("unsent", str(error)))
        else:
            answer = await self._client.send(_outgoing(probe, url, headers, body))
        forwarded: list[Forwarded] | None = None
        if self.upstream is not None and isinstance(probe.upstream, str):
            forwarded = await self.upstream.take(values.used["token"], answer.started)
        return self._record(
            Exchange(
                id=_identity(probe, model, shot),
                probe=probe.id,
                model=model,
                attempt=shot.attempt,
                copy=shot.copy,
                retry_of=shot.retry_of,
                values=dict(values.used),
                request=SentRequest(
                    method=probe.method,
                    url=url,
                    headers=headers,
                    body=body.decode() if body else "",
                    padding=probe.padding,
                ),
                timing=Clock(total=0.0, alone=shot.alone),
                forwarded=forwarded,
            ),
            answer,
        )

    async def is_there(self) -> bool:
        """Whether the endpoint takes connections; sends no credential."""
        answer = await self._client.send(Outgoing("HEAD", self.base.below("/"), _COMMON))
        return answer.status > 0

    def _url(self, probe: Probe, values: Values) -> str:
        # A model id may hold a slash, which must not become a part of the path.
        path = fill(probe.path, lambda name: quote(str(values(name)), safe=""))
        if not _DOTS.isdisjoint(re.split(r"[/\\]", unquote(str(path).partition("?")[0]))):
            raise _ElsewhereError("a value of an answer would lead out of the base URL")
        url = self.base.below(str(path))
        query = urlencode(fill(probe.query, values))
        return f"{url}{'&' if '?' in url else '?'}{query}" if query else url

    def _headers(self, probe: Probe, values: Values, *, has_body: bool) -> Headers:
        headers = [*_COMMON]
        if has_body:
            headers.append(("content-type", "application/json"))
        if probe.chunked:
            headers.append(("transfer-encoding", "chunked"))
        if probe.version is not None:
            headers.append(("anthropic-version", probe.version))
        if probe.beta:
            headers.append(("anthropic-beta", ",".join(probe.beta)))
        headers += auth.headers(probe.auth, self.style, self._credential)
        own = {name.lower(): value for name, value in fill(probe.headers, values).items()}
        headers = [(name, value) for name, value in headers if name not in own]
        for name, value in own.items():
            lines = value if isinstance(value, list) else [] if value is None else [value]
            headers += [(name, str(line)) for line in lines]
        return headers

    def _record(self, exchange: Exchange, answer: Answer) -> Exchange:
        """The evidence with the credential taken out, and a note of where it was repeated."""
        clean = self._redactor.text
        request = exchange.request
        shown: list[str] = []
        if self.upstream is not None:
            # A look of its own: whose credential it is that an answer shows makes a difference.
            hidden = cleaned(answer, self.upstream.redactor, self.base.host)
            shown = hidden.leaks
            answer = replace(answer, headers=hidden.headers, body=hidden.body, chunks=hidden.chunks)
        found = cleaned(answer, self._redactor, self.base.host)
        received = None
        if answer.status:
            text, encoded = text_or_base64(found.body)
            received = Received(
                status=answer.status,
                http_version=answer.http_version,
                headers=found.headers,
                text=text,
                base64=encoded,
            )
        failed = answer.failure
        if failed is not None:
            failed = Failure(kind=failed.kind, detail=clean(failed.detail))
        return replace(
            exchange,
            request=SentRequest(
                method=request.method,
                url=clean(request.url),
                headers=self._redactor.headers(request.headers),
                body=request.body,
                padding=request.padding,
            ),
            response=received,
            failure=failed,
            timing=Clock(
                headers=_seconds(answer.headers_at),
                total=round(answer.total, 6),
                lag=round(answer.lag, 3),
                alone=exchange.timing.alone,
                chunks=[(round(at, 6), size) for at, size in found.chunks],
            ),
            events=_events(received, found.body, found.chunks) if received else [],
            leaks=found.leaks,
            upstream_leaks=shown,
            aborted=answer.aborted,
        )


def _outgoing(probe: Probe, url: str, headers: Headers, body: bytes | None) -> Outgoing:
    return Outgoing(
        probe.method,
        url,
        headers,
        body + b" " * probe.padding if body is not None else None,
        probe.timeout if isinstance(probe.timeout, (int, float)) else None,
        chunked=probe.chunked,
        leave_after=_leave_after(probe),
    )


def _leave_after(probe: Probe) -> bytes | None:
    """What has to stand in the body before the probe leaves; none when it stays to the end."""
    match probe.abort_after:
        case Moment.FIRST_DELTA:
            return b"content_block_delta"
        case _:
            return None


def _body(probe: Probe, patch: dict[str, Any] | None, values: Values) -> bytes | None:
    if isinstance(probe.body, str):
        return str(fill(probe.body, values)).encode()
    if probe.json is UNSET:
        return None
    data = merge(probe.json, patch) if patch else probe.json
    return json.encode(fill(data, values))


def merge(value: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), change)
    return merged


def _identity(probe: Probe, model: str | None, shot: Shot) -> str:
    """A name that is the same in each run, for instance `tool-call@some-model#2`."""
    parts = [probe.id]
    if model is not None:
        parts.append(f"@{model}")
    if probe.times * probe.at_once > 1:
        parts.append(f"/{shot.copy}")
    if shot.attempt > 1:
        parts.append(f"#{shot.attempt}")
    if shot.retry:
        parts.append(f"~{shot.retry}")
    return "".join(parts)


def _events(received: Received, body: bytes, chunks: list[tuple[float, int]]) -> list[StreamEvent]:
    kind = next((value for name, value in received.headers if name.lower() == "content-type"), "")
    if not kind.lower().startswith("text/event-stream") and not looks_like_events(body):
        return []
    stream = parse(body, chunks)
    return [
        StreamEvent(
            at=round(event.at, 6), event=event.name, data=event.data if data is NOT_JSON else data
        )
        for event, data in zip(stream.events, stream.documents, strict=True)
    ]


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
