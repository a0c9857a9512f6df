"""Rules about answers that have to fit a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.match import deviations
from metaio_verify.judge.rules.registry import Answers, NotSeenError, deviation, each, rule
from metaio_verify.judge.wording import shown, shown_path
from metaio_verify.record import Finding, Target


@rule(required=("schema",))
def text_fits_schema(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The text of each answer is one JSON document that fits `schema`, and nothing around it."""
    findings = []
    for evidence in each(answers):
        if not evidence.succeeded:
            raise NotSeenError(f"`{evidence.exchange.probe}` was answered {evidence.outcome}")
        text = evidence.text or ""
        try:
            document = decode(text.encode(errors="replace"))
        except NotJSONError as error:
            actual = f"{error}: {shown(text)}"
            findings.append(deviation(evidence, "text that is JSON", actual, "text"))
            continue
        findings += [
            deviation(evidence, one.expected, one.actual, f"text {shown_path(one.location)}")
            for one in deviations(args["schema"], document, {})
        ]
    return findings
