"""Rules about token counts that have to agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    rule,
)
from metaio_verify.record import Finding, Target


@rule(probes=2)
def counts_equal(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Two forms of the same request have the same `input_tokens`."""
    (one, *_), (other, *_) = answers.values()
    for evidence in (one, other):
        if not isinstance(evidence.value("input_tokens"), int):
            probe = evidence.exchange.probe
            raise NothingToJudgeError(f"`{probe}` got no input_tokens: {evidence.outcome}")
    wanted, count = one.value("input_tokens"), other.value("input_tokens")
    if count == wanted:
        return []
    return [deviation(other, f"{wanted}, as for a string", str(count), "$.input_tokens")]
