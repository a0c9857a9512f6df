"""Rules about the model list that compare one answer with another, or with its request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, deviation, rule
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target


@rule(probes=2)
def has_more_is_true(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A first page that is shorter than the list says `has_more` true.

    Takes two probes: the list, and its first page.
    """
    (whole, *_), (page, *_) = answers.values()
    listed, on_page = _count(whole), _count(page)
    if not on_page or listed <= on_page or page.value("has_more") is True:
        return []
    expected = f"true: the list has {listed} models, this page {on_page}"
    return [deviation(page, expected, shown(page.value("has_more")), "$.has_more")]


@rule
def retrieves_same_id(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A model that is asked for by its id is answered under that id."""
    findings = []
    for copies in answers.values():
        for evidence in copies:
            wanted = _last_segments(evidence)
            if evidence.succeeded and evidence.value("id") != wanted:
                actual = shown(evidence.value("id"))
                findings.append(deviation(evidence, shown(wanted), actual, "$.id"))
    return findings


def _count(evidence: Evidence) -> int:
    entries = evidence.value("data")
    return len(entries) if evidence.succeeded and isinstance(entries, list) else 0


def _last_segments(evidence: Evidence) -> str:
    """The id in the URL of a request; it may hold slashes."""
    path = urlsplit(evidence.exchange.request.url).path
    return unquote(path.rpartition("/v1/models/")[2])
