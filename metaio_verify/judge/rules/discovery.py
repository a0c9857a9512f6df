"""Rules about the list of models and what it is good for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import short, shown
from metaio_verify.record import Finding, Target

_PICKED = ("claude", "anthropic")
_MOST = 5


@rule(probes=2)
def pages_advance(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The second page has no entry of the first, so that a loop over all pages ends.

    Takes two probes: a page, and the one after its `last_id`. Where the first page says that no
    more follow, nobody asks for the second.
    """
    (first, *_), (second, *_) = answers.values()
    asked_for = first.value("has_more") is True or (
        first.value("has_more") is None and isinstance(first.value("last_id"), str)
    )
    ids = model_ids(first)
    if not first.succeeded or not ids:
        raise NothingToJudgeError(f"`{first.exchange.probe}` lists no models: {first.outcome}")
    again = [id_ for id_ in model_ids(second) if id_ in ids]
    if not asked_for or not again:
        return []
    return [deviation(second, "entries after the first page", f"again {_few(again)}", "$.data")]


@rule
def picker_ids(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every listed id contains `claude` or `anthropic`, which Claude Code's picker asks for."""
    findings = []
    for evidence in each(answers):
        ids = model_ids(evidence)
        dropped = [id_ for id_ in ids if not any(word in id_.lower() for word in _PICKED)]
        if dropped:
            expected = '"claude" or "anthropic" in each id'
            findings.append(deviation(evidence, expected, _few(dropped), "$.data"))
    return findings


@rule
def listed_model_works(
    answers: Answers, _args: Mapping[str, Any], target: Target, _model: str | None
) -> list[Finding]:
    """A request with a model that discovery lists is answered 2xx."""
    listed = {*target.listed_models, *(id_ for one in each(answers) for id_ in model_ids(one))}
    asked = [(evidence, _requested(evidence)) for evidence in each(answers)]
    judged = [(evidence, model) for evidence, model in asked if model in listed]
    if not judged:
        raise NothingToJudgeError("no listed model was asked for")
    return [
        deviation(evidence, f"2xx, as {shown(model)} is listed", evidence.outcome, "status")
        for evidence, model in judged
        if not evidence.succeeded
    ]


def model_ids(evidence: Evidence) -> list[str]:
    """Return the ids of a model list, in its order."""
    data = evidence.value("data")
    entries = data if isinstance(data, list) else []
    ids = (entry.get("id") for entry in entries if isinstance(entry, dict))
    return [id_ for id_ in ids if isinstance(id_, str)]


def _requested(evidence: Evidence) -> str | None:
    try:
        body = decode(evidence.exchange.request.body)
    except NotJSONError:
        return None
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else None


def _few(ids: list[str]) -> str:
    more = f" and {len(ids) - _MOST} more" if len(ids) > _MOST else ""
    return short(", ".join(ids[:_MOST])) + more
