"""Rules about header values that depend on the answer they come with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    each,
    rule,
)
from metaio_verify.record import Finding, Target

_TOO_MANY_REQUESTS = 429
_WHOLE_SECONDS = re.compile(r"\d+")


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
    return _WHOLE_SECONDS.fullmatch((evidence.header("retry-after") or "").strip()) is not None
