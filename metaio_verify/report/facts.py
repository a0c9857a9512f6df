"""What a run measured about an endpoint, as far as its customers have to know."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from metaio_verify.record import REDACTED, Exchange, Judgement, Received, RunRecord
from metaio_verify.report.text import listed
from metaio_verify.urls import split
from metaio_verify.verdict import Verdict

VARIABLES = {"x-api-key": "ANTHROPIC_API_KEY", "bearer": "ANTHROPIC_AUTH_TOKEN"}
"""Credential style → the variable with which Claude Code sends it."""

MESSAGES, MODELS = "/v1/messages", "/v1/models"
_PICKED = ("claude", "anthropic")
_OVERLOADED = (429, 529)


class _Entry(msgspec.Struct):
    id: str


class _List(msgspec.Struct):
    data: list[_Entry]


class Discovery(Struct, frozen=True):
    """What `GET /v1/models` said."""

    status: int | None
    """None when it was not asked, or did not answer."""
    listed: tuple[str, ...]

    @property
    def is_served(self) -> bool:
        """Whether there is a list, even an empty one."""
        return bool(self.listed) or (self.status is not None and 200 <= self.status < 300)

    @property
    def picked(self) -> tuple[str, ...]:
        """The listed ids that Claude Code's picker keeps."""
        return tuple(filter(picker_keeps, self.listed))


def picker_keeps(model: str) -> bool:
    """Whether Claude Code's model picker shows a discovered id (measured: it goes by the name)."""
    return any(word in model.lower() for word in _PICKED)


def styles(record: RunRecord) -> tuple[list[str], list[str]]:
    """Return the credential styles that work and those that are refused."""
    found = record.target.auth_styles
    working = [style for style in VARIABLES if found.get(style)]
    return working, [style for style in VARIABLES if found.get(style) is False]


def credential(record: RunRecord) -> str:
    """Which credential styles the endpoint takes."""
    styles = record.target.auth_styles
    taken = [style for style, works in styles.items() if works]
    refused = [style for style, works in styles.items() if works is False]
    parts = []
    if taken:
        parts.append(f"{listed(taken)} {'works' if len(taken) == 1 else 'work'}")
    if refused:
        parts.append(f"{listed(refused)} {'is' if len(refused) == 1 else 'are'} refused")
    return ", ".join(parts) or f"sent as {record.target.auth}"


def variable(record: RunRecord) -> str | None:
    """Return the variable that a customer puts the token into; none when no style works."""
    working, refused = styles(record)
    style = working[0] if working else record.target.auth
    return None if style in refused else VARIABLES.get(style)


def discovery(record: RunRecord) -> Discovery:
    """Return what became of model discovery."""
    sent = [one for one in _sent(record, "GET", MODELS) if _has_key(one)]
    answers = [one.response for one in sent if one.response]
    served = [answer for answer in answers if answer.status < 300]
    listed = [*record.target.listed_models, *(id_ for answer in served for id_ in _ids(answer))]
    status = next((answer.status for answer in [*served, *answers]), None)
    return Discovery(status, tuple(dict.fromkeys(listed)))


def doubled_path(record: RunRecord) -> int | None:
    """Return the status of `POST /v1/v1/messages`, where the `/v1` mistake leads, if measured."""
    base = record.target.base_url.removesuffix("/v1")
    for exchange in record.exchanges:
        path = exchange.request.url.removeprefix(base).partition("?")[0]
        if exchange.request.method == "POST" and path == f"/v1{MESSAGES}" and exchange.response:
            return exchange.response.status
    return None


def is_open(record: RunRecord) -> bool:
    """Whether a message was answered without any credential."""
    return any(
        one.response is not None and one.response.status < 300 and not _sends_credential(one)
        for one in _sent(record, "POST", MESSAGES)
    )


def wrong_key(record: RunRecord) -> int | None:
    """Return the status of a message with a made-up key, if one was sent."""
    judged = [one for one in record.verdicts if "AUT-06" in one.contract]
    ids = {id_ for one in judged for id_ in one.exchanges}
    answers = (one.response for one in record.exchanges if one.id in ids)
    return next((answer.status for answer in answers if answer), None)


def overloads(record: RunRecord) -> int:
    """Return how many requests were refused for load."""
    return sum(
        one.response is not None and one.response.status in _OVERLOADED for one in record.exchanges
    )


def proved(record: RunRecord, *contract: str) -> bool:
    """Whether requirements were measured and hold: one check passes at least, none deviates."""
    judged = [one for one in record.verdicts if set(contract) & set(one.contract)]
    return _any(judged, Verdict.PASS) and not any(
        one.found.is_unknown or one.found in (Verdict.FAIL, Verdict.WARN, Verdict.DECLINED)
        for one in judged
    )


def _ids(answer: Received) -> list[str]:
    """Return the ids of a list of models, whatever else is wrong with it."""
    try:
        return [entry.id for entry in msgspec.json.decode(answer.body, type=_List).data]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _any(judged: Iterable[Judgement], verdict: Verdict) -> bool:
    return any(one.verdict is verdict for one in judged)


def _sent(record: RunRecord, method: str, path: str) -> list[Exchange]:
    prefix = split(record.target.base_url).path
    return [
        one
        for one in record.exchanges
        if one.request.method == method and split(one.request.url).path == prefix + path
    ]


def _has_key(exchange: Exchange) -> bool:
    """Whether a request carried the valid credential, and not a made-up one or none."""
    return any(
        name.lower() in ("x-api-key", "authorization") and REDACTED in value
        for name, value in exchange.request.headers
    )


def _sends_credential(exchange: Exchange) -> bool:
    return any(n.lower() in ("x-api-key", "authorization") for n, _ in exchange.request.headers)
