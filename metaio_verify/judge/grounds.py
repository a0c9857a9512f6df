"""What an answer is no ground for: our own limits and a model that refuses accuse no endpoint."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.expect import exceeded
from metaio_verify.judge.rules.registry import measures_time
from metaio_verify.record import Exchange, Finding
from metaio_verify.suite.model import Check, Expect

_LIMIT = "timeout"
"""The kind of a failure that we brought about ourselves, by waiting no longer."""

_SAID = ("$", "text")
"""Places of what the model said, as opposed to how the endpoint carried it."""


def own_limit(check: Check, evidence: Evidence) -> str:
    """Say that a limit of this run cut an exchange short; empty when none did.

    Nobody knows how the answer would have gone on. Only a check on time can judge it: one whose
    own bound was exceeded as well, or whose rule looks at when things came.
    """
    failure = evidence.exchange.failure
    if failure is None or failure.kind != _LIMIT:
        return ""
    if check.rule is not UNSET and measures_time(check.rule):
        return ""
    if isinstance(check.expect, Expect) and exceeded(check.expect, evidence):
        return ""
    return f"a limit of this run (--timeout, --request-timeout) ended it: {failure.detail}"


def cut_short(exchanges: Iterable[Exchange], concurrency: int) -> str:
    """Say what helps when limits of a run ended its requests; empty when they ended none."""
    cut = sum(1 for one in exchanges if one.failure is not None and one.failure.kind == _LIMIT)
    if not cut:
        return ""
    said = "One request" if cut == 1 else f"{cut} requests"
    less = f" or less than {concurrency} requests at a time (--concurrency)"
    return (
        f"{said} got no whole answer in the time that this run allows. A slow server needs more "
        f"time (--timeout, --request-timeout){less if concurrency > 1 else ''}."
    )


def heard(check: Check, found: Iterable[Finding], judged: Iterable[Evidence]) -> list[Finding]:
    """Leave out what is only found in the words of an answer that the model refused to give.

    A refusal is a legal answer to any request: HTTP 200, `stop_reason` `refusal`, and as much or
    as little content as the model cares for. Its status, headers and stream are judged as always.
    """
    if _asks_for_refusal(check):
        return list(found)
    refused = {one.exchange.id for one in judged if one.is_refusal}
    return [one for one in found if one.exchange not in refused or not one.where.startswith(_SAID)]


def _asks_for_refusal(check: Check) -> bool:
    expect = check.expect
    return isinstance(expect, Expect) and expect.json.get("$.stop_reason") == "refusal"
