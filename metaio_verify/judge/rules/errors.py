"""Rules about refusals: their envelope, their text and their type."""

from __future__ import annotations

import unicodedata
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

_FIRST_ERROR = 400
_REFUSED_FOR_A_FIELD = frozenset({400, 422})
_LINE_BREAKS = "\n\r\t"


@rule
def error_message(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every refusal has a readable text in `error.message`."""
    return [
        deviation(evidence, "a readable text", _what_came(evidence), "$.error.message")
        for evidence in _refusals(answers)
        if _message(evidence) is None
    ]


@rule
def error_envelope(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every refusal has `type` "error" beside its `error`, and a string as `error.type`."""
    findings = []
    for evidence in _refusals(answers):
        if evidence.value("type") != "error":
            findings.append(deviation(evidence, '"error"', _at(evidence, "type"), "$.type"))
        elif not isinstance(evidence.value("error", "type"), str):
            actual = _at(evidence, "error", "type")
            findings.append(deviation(evidence, "a string", actual, "$.error.type"))
    return findings


@rule(required=("types",))
def error_types(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A refusal's `error.type` is one of those that `types` gives for its status.

    Other statuses are not judged, but one of these has to occur.
    """
    types: Mapping[str, list[str]] = args["types"]
    everything = each(answers)
    judged = [evidence for evidence in everything if str(evidence.status) in types]
    if not judged:
        wanted = "an error with status " + " or ".join(types)
        return [deviation(evidence, wanted, evidence.outcome, "status") for evidence in everything]
    findings = []
    for evidence in judged:
        allowed = types[str(evidence.status)]
        if evidence.value("error", "type") not in allowed:
            expected = f"{' or '.join(allowed)} with status {evidence.status}"
            actual = _at(evidence, "error", "type")
            findings.append(deviation(evidence, expected, actual, "$.error.type"))
    return findings


@rule(required=("names",))
def error_names(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A 400 or 422 holds the word that `names` gives for its probe, in its message or elsewhere."""
    names: Mapping[str, str] = args["names"]
    return [
        deviation(
            evidence, f"a message that names `{names[probe]}`", _said(evidence), "$.error.message"
        )
        for probe, copies in answers.items()
        for evidence in copies
        if evidence.status in _REFUSED_FOR_A_FIELD
        and names.get(probe, "").lower() not in evidence.body_text.lower()
    ]


@rule
def error_details(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Where an error has `details`, they are an object whose `error_code`, if any, is a string."""
    detailed = [one for one in each(answers) if one.value("error", "details") is not None]
    if not detailed:
        raise NotSeenError("no error has details")
    findings = []
    for evidence in detailed:
        details = evidence.value("error", "details")
        code = details.get("error_code") if isinstance(details, dict) else details
        if not isinstance(details, dict) or not isinstance(code, str | None):
            wanted = 'an object such as {"error_code": "…"}'
            findings.append(deviation(evidence, wanted, shown(details), "$.error.details"))
    return findings


@rule
def no_error_in_success(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No 2xx has an error as its body."""
    return [
        deviation(evidence, "a 4xx or 5xx for an error", evidence.outcome, "status")
        for evidence in each(answers)
        if evidence.succeeded
        and (evidence.value("type") == "error" or evidence.value("error") is not None)
    ]


def _refusals(answers: Answers) -> list[Evidence]:
    found = [
        evidence
        for evidence in each(answers)
        if evidence.status is not None and evidence.status >= _FIRST_ERROR
    ]
    if not found:
        raise NothingToJudgeError("the endpoint refused none of the requests")
    return found


def _said(evidence: Evidence) -> str:
    message = evidence.value("error", "message")
    return _what_came(evidence) if message is None else shown(message)


def _message(evidence: Evidence) -> str | None:
    """The text of an error; none when there is none that a person could read."""
    message = evidence.value("error", "message")
    if not isinstance(message, str) or not message.strip():
        return None
    return None if any(map(_is_garbage, message)) else message


def _is_garbage(char: str) -> bool:
    """Whether a character only occurs where bytes were taken for text."""
    return char == "\ufffd" or (unicodedata.category(char) == "Cc" and char not in _LINE_BREAKS)


def _what_came(evidence: Evidence) -> str:
    if not evidence.has_document:
        return f"{evidence.status} with {evidence.why_no_document}"
    return f"{evidence.status} with {shown(evidence.document)}"


def _at(evidence: Evidence, *path: str) -> str:
    value = evidence.value(*path)
    return _what_came(evidence) if value is None else shown(value)
