"""Rules about requests as Claude Code composes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, NothingToJudgeError, deviation, rule
from metaio_verify.record import Finding, Target


@rule(required=("parts",), optional=("wider",))
def one_part_less(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The first probe is answered as it is; if it was refused, say which part has to go.

    The other probes are the same request with one part less each; `parts` names, for each of
    them, what it lacks. `wider` names those that lack several parts: they count only where no
    other one is answered.
    """
    full, *variants = (copies[0] for copies in answers.values())
    if full.succeeded:
        return []
    if all(one.status is None for one in variants):
        raise NothingToJudgeError(f"no variant of `{full.exchange.probe}` was answered")
    parts = args["parts"]
    enough = [one for one in variants if _is_answered(one)]
    if not enough:
        refusal = f"each variant is refused too: {full.outcome}"
        return [deviation(full, "an answer to the request or to a variant of it", refusal)]
    wider = args.get("wider", [])
    narrow = [one for one in enough if one.exchange.probe not in wider]
    return [
        deviation(one, "an answer to the full request", f"answered only without {parts[probe]}")
        for one in narrow or enough
        if (probe := one.exchange.probe) in parts
    ]


def _is_answered(evidence: Evidence) -> bool:
    """Whether the answer is a message, and not an error within a stream that began well."""
    return evidence.succeeded and evidence.value("type") == "message"
