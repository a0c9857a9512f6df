"""Rules about the form of an answer: a stream of events, or one document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    rule,
)
from metaio_verify.record import Finding, Target

_NO_ROUTE = frozenset({404, 405, 410, 501})


@rule(optional=("blamed", "excused"))
def not_streamed(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A request that does not ask for a stream is answered with a document.

    Some of the requests are odd in further ways, so a refusal may have other reasons. `excused`
    gives for such a probe a pattern of refusals that are about something else, `blamed` one of
    those that are about `stream`; a refusal by the route or by a redirect never is.
    """
    findings = []
    unknown: list[Evidence] = []
    for probe, copies in answers.items():
        for evidence in copies:
            if evidence.succeeded:
                if evidence.is_sse:
                    actual = "a stream of events"
                    findings.append(deviation(evidence, "one JSON document", actual, "body"))
            elif _is_about_stream(evidence, probe, args):
                findings.append(deviation(evidence, "200", evidence.outcome, "status"))
            else:
                unknown.append(evidence)
    if unknown and not findings:
        one = unknown[0]
        raise NothingToJudgeError(
            f"`{one.exchange.probe}` was refused for another reason: {one.outcome}"
        )
    return findings


def _is_about_stream(evidence: Evidence, probe: str, args: Mapping[str, Any]) -> bool:
    status, text = evidence.status or 0, evidence.body_text
    if status in _NO_ROUTE or status // 100 == 3:
        return False
    if blamed := args.get("blamed", {}).get(probe):
        return re.search(blamed, text) is not None
    excused = args.get("excused", {}).get(probe)
    return excused is None or re.search(excused, text) is None
