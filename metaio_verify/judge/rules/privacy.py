"""Rules about what an answer must not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.internals import leaks
from metaio_verify.judge.rules.registry import Answers, deviation, each, rule
from metaio_verify.record import Finding, Target
from metaio_verify.urls import split

_MADE_UP = re.compile(r"sk-[\w-]*metaio-verify[\w-]*")


@rule
def no_credential_echo(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer repeats the credential, neither in a header nor in its body."""
    return [
        deviation(evidence, "no credential", "the credential of the request", place)
        for evidence in each(answers)
        for place in (*evidence.exchange.leaks, *_echoes(evidence))
    ]


def _echoes(evidence: Evidence) -> Iterator[str]:
    """Where an answer repeats the made-up key of its request, which the record does not hide."""
    values = [value.rpartition(" ")[2] for _, value in evidence.exchange.request.headers]
    for key in (value for value in values if _MADE_UP.fullmatch(value)):
        yield from (
            f"header {name}"
            for name, lines in evidence.headers.items()
            if any(key in line for line in lines)
        )
        if key in evidence.body_text:
            yield "body"


@rule
def no_internal_leak(
    answers: Answers, _args: Mapping[str, Any], target: Target, _model: str | None
) -> list[Finding]:
    """No error shows stack traces, file paths, keys, account ids or hosts of the inside."""
    own_host = split(target.base_url).hostname or ""
    findings = []
    for evidence in each(answers):
        if evidence.succeeded and evidence.value("error") is None:
            continue
        text = "\n".join(_strings(evidence))
        findings += [
            deviation(evidence, f"no {leak.kind}", leak.excerpt, "body")
            for leak in leaks(text, own_host)
        ]
    return findings


def _strings(evidence: Evidence) -> Iterator[str]:
    """Return every string of the document, or the body when it is no JSON."""
    if not evidence.has_document:
        yield evidence.body_text
        return
    open_values = [evidence.document]
    while open_values:
        value = open_values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            open_values += reversed(value)
        elif isinstance(value, dict):
            open_values += reversed(value.values())
