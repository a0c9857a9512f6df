"""Rules about header values that depend on the answer they come with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_TOO_MANY_REQUESTS = 429
_WHOLE_NUMBER = re.compile(r"\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_RATE_LIMIT = re.compile(r"anthropic-ratelimit-(?!unified).*-(?P<kind>limit|remaining|reset)")


@rule
def retry_after(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every 429 has a whole number of seconds in `retry-after`, unless the money is spent."""
    limited = [one for one in each(answers) if one.status == _TOO_MANY_REQUESTS]
    if not limited:
        raise NothingToJudgeError("no answer is a 429")
    return [
        deviation(
            evidence,
            "a whole number of seconds",
            evidence.header("retry-after") or "no such header",
            "header retry-after",
        )
        for evidence in limited
        if not _says_when(evidence)
    ]


def _says_when(evidence: Evidence) -> bool:
    if evidence.value("error", "type") == "billing_error":
        return True
    return _WHOLE_NUMBER.fullmatch((evidence.header("retry-after") or "").strip()) is not None


@rule
def rate_limit_headers(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`anthropic-ratelimit-*-limit` and `-remaining` are whole numbers, `-reset` is a time."""
    findings: dict[str, Finding] = {}
    seen = False
    for evidence in each(answers):
        for name, lines in evidence.headers.items():
            if (form := _RATE_LIMIT.fullmatch(name)) is None:
                continue
            seen = True
            is_time = form["kind"] == "reset"
            pattern = _TIME if is_time else _WHOLE_NUMBER
            wanted = "a time such as 2026-11-22T12:00:00Z" if is_time else "a whole number"
            if not pattern.fullmatch(lines[0].strip()):
                found = deviation(evidence, wanted, shown(lines[0]), f"header {name}")
                findings.setdefault(name, found)
    if not seen:
        raise NotSeenError("no answer has rate-limit headers")
    return list(findings.values())


@rule(required=("prefix",))
def no_such_headers(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer has a header whose name begins with `prefix`; each name is told once."""
    found = {
        name: deviation(evidence, "no such header", shown(lines[0]), f"header {name}")
        for evidence in each(answers)
        for name, lines in evidence.headers.items()
        if name.startswith(args["prefix"])
    }
    return list(found.values())


@rule(required=("header",))
def same_header(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """All answers that have the header which `header` names have the same value of it."""
    name = args["header"]
    values = [(value, one) for one in each(answers) if (value := one.header(name)) is not None]
    if not values:
        raise NotSeenError(f"no answer has {name}")
    first, _ = values[0]
    for value, evidence in values:
        if value != first:
            return [deviation(evidence, shown(first), shown(value), f"header {name}")]
    return []
