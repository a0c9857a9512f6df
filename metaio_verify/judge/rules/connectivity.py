"""Rules about what has to be answered at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, deviation, each, rule
from metaio_verify.record import Finding, Target

_ABOUT_THE_CALLER = frozenset({401, 402, 403})
_MAY_NAME_THE_MODEL = frozenset({400, 403, 404, 422})


@rule
def messages_served(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """One of the messages is answered, or refused because of its credential or its model."""
    everything = each(answers)
    if any(map(_is_served, everything)):
        return []
    return [
        deviation(evidence, "200 with a message", evidence.outcome, "status")
        for evidence in everything
    ]


def _is_served(evidence: Evidence) -> bool:
    if evidence.succeeded:
        return isinstance(evidence.document, dict)
    return evidence.status in _ABOUT_THE_CALLER or evidence.throttled or _blames_the_model(evidence)


def _blames_the_model(evidence: Evidence) -> bool:
    """Whether a refusal names the model that was asked for: then the route is there."""
    wanted = evidence.exchange.values.get("model")
    message = evidence.value("error", "message")
    return (
        evidence.status in _MAY_NAME_THE_MODEL
        and isinstance(message, str)
        and bool(wanted)
        and str(wanted).lower() in message.lower()
    )


@rule(optional=("among",))
def one_succeeds(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """At least one answer is a 2xx; with `among`, one of these probes.

    The other probes of the check are there for its alternatives.
    """
    among = args.get("among", list(answers))
    candidates = [
        evidence for probe, copies in answers.items() if probe in among for evidence in copies
    ]
    if any(evidence.succeeded for evidence in candidates):
        return []
    return [deviation(evidence, "2xx", evidence.outcome, "status") for evidence in candidates]


@rule
def success_has_content(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every 2xx has a JSON object or server-sent events as its body."""
    return [
        deviation(
            evidence,
            "a JSON object or server-sent events",
            evidence.why_no_document or evidence.outcome,
            "body",
        )
        for evidence in each(answers)
        if evidence.succeeded and not _has_content(evidence)
    ]


def _has_content(evidence: Evidence) -> bool:
    if evidence.is_sse:
        return bool(evidence.stream.events)
    return isinstance(evidence.document, dict) and bool(evidence.document)
