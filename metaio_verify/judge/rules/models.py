"""Rules about the model list that compare one answer with another, or with its request."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.discovery import model_ids
from metaio_verify.judge.rules.registry import Answers, deviation, each, rule
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target
from metaio_verify.urls import split


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


@rule
def page_ends(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`first_id` and `last_id` of a page are the ids of its first and last entry.

    Pages without these fields, or with an entry that has no id, are not judged.
    """
    findings = []
    for evidence in each(answers):
        page, ids = evidence.document, model_ids(evidence)
        if not evidence.succeeded or not isinstance(page, dict) or len(ids) != _count(evidence):
            continue
        first, last = (ids[0], ids[-1]) if ids else (None, None)
        for name, wanted in (("first_id", first), ("last_id", last)):
            if name in page and page[name] != wanted:
                actual = shown(page[name])
                findings.append(deviation(evidence, shown(wanted), actual, f"$.{name}"))
    return findings


@rule
def newest_first(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No listed model is younger than the one before it, by `created_at`."""
    findings = []
    for evidence in each(answers):
        data = evidence.value("data")
        entries = (
            [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
        )
        dated = [entry for entry in entries if isinstance(entry.get("created_at"), str)]
        for earlier, later in pairwise(dated):
            if later["created_at"] > earlier["created_at"]:
                expected = f"not after {earlier['created_at']}, as {shown(earlier.get('id'))} is"
                actual = f"{later['created_at']} ({shown(later.get('id'))})"
                findings.append(deviation(evidence, expected, actual, "$.data[*].created_at"))
                break
    return findings


def _count(evidence: Evidence) -> int:
    entries = evidence.value("data")
    return len(entries) if evidence.succeeded and isinstance(entries, list) else 0


def _last_segments(evidence: Evidence) -> str:
    """The id in the URL of a request; it may hold slashes."""
    path = split(evidence.exchange.request.url).path
    return unquote(path.rpartition("/v1/models/")[2])
