"""Rules about connections and codings, judged on everything that a run received."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.record import Finding, Target
from metaio_verify.urls import split

_LONG = 1.0
"""Seconds; a stream that is finished sooner may arrive in one piece."""
_MANY_EVENTS = 20


@rule
def codings_decode(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every body has the content-coding that its label says, one of those that were offered."""
    return [
        deviation(evidence, "a body that decodes", failure.detail, "header content-encoding")
        for evidence in each(answers)
        if (failure := evidence.exchange.failure) is not None and failure.kind == "encoding"
    ]


@rule
def compressed_streams_flow(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A compressed stream of many events that lasts more than a second comes in several pieces."""
    streams = [one for one in each(answers) if one.is_sse]
    compressed = [one for one in streams if _coding(one)]
    if not compressed:
        raise NotSeenError("no stream was compressed")
    return [
        deviation(
            evidence,
            "events one by one",
            f"{len(evidence.stream.events)} events in one piece of {_coding(evidence)}",
            "arrival",
        )
        for evidence in compressed
        if evidence.exchange.timing.total > _LONG
        and len(evidence.stream.events) >= _MANY_EVENTS
        and len({at for at, length in evidence.exchange.timing.chunks if length}) == 1
    ]


@rule
def keeps_connections(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No 2xx says `connection: close`."""
    closed = (
        deviation(evidence, "an open connection", "close", "header connection")
        for evidence in each(answers)
        if evidence.succeeded and "close" in (evidence.header("connection") or "").lower()
    )
    return _first(closed)


@rule
def ends_in_one_way(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer has both a content-length and a transfer-encoding."""
    both = (
        deviation(
            evidence,
            "a content-length or a transfer-encoding",
            f"content-length: {evidence.header('content-length')} and "
            f"transfer-encoding: {evidence.header('transfer-encoding')}",
            "headers",
        )
        for evidence in each(answers)
        if "content-length" in evidence.headers and "transfer-encoding" in evidence.headers
    )
    return _first(both)


def _first(found: Iterable[Finding]) -> list[Finding]:
    """One is enough of what is a habit of the server and no property of an answer."""
    return [*islice(found, 1)]


@rule
def encrypted(
    _answers: Answers, _args: Mapping[str, Any], target: Target, _model: str | None
) -> list[Finding]:
    """The base URL is https, or its host is this machine."""
    url = split(target.base_url)
    if url.scheme == "https" or _is_local(url.hostname or ""):
        return []
    return [Finding(expected="https", actual=f"{url.scheme}://{url.netloc}", where="base URL")]


def _coding(evidence: Evidence) -> str:
    coding = (evidence.header("content-encoding") or "").strip().lower()
    return "" if coding == "identity" else coding


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
