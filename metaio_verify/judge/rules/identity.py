"""Rules about what has to differ, or to belong together, from answer to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.path import compile_path
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_TOKEN = re.compile(r"VERIFY-[A-Z0-9]{8}")


@rule(optional=("path",))
def unique_ids(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No two answers, plain or streamed, have the same id; `path` says where ids stand (`$.id`)."""
    path = args.get("path", "$.id")
    ids = [
        (evidence, node.value)
        for evidence in each(answers)
        if evidence.has_document
        for node in compile_path(path)(evidence.document)
        if isinstance(node.value, str)
    ]
    return _repeated(ids, f"an id of its own at {path}", path)


@rule(required=("header",))
def unique_headers(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No two answers have the same value of the header that `header` names."""
    name = args["header"]
    values = [(evidence, value) for evidence in each(answers) if (value := evidence.header(name))]
    return _repeated(values, "a value of its own", f"header {name}")


def _repeated(values: Sequence[tuple[Evidence, str]], expected: str, where: str) -> list[Finding]:
    if len(values) <= 1:
        raise NothingToJudgeError(f"fewer than two answers have something at {where}")
    findings = []
    first: dict[str, Evidence] = {}
    for evidence, value in values:
        if value in first:
            actual = f"{shown(value)}, as in the answer to `{first[value].exchange.probe}`"
            findings.append(deviation(evidence, expected, actual, where))
        first.setdefault(value, evidence)
    return findings


@rule
def request_id_matches_body(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Where a body has a `request_id` and the head a `request-id`, they are the same."""
    findings = []
    for evidence in each(answers):
        header = evidence.header("request-id")
        body = evidence.value("request_id")
        if header is not None and isinstance(body, str) and body != header:
            findings.append(deviation(evidence, shown(header), shown(body), "$.request_id"))
    return findings


@rule
def no_foreign_token(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer holds the token of another request: sessions are kept apart."""
    everything = each(answers)
    owner = {
        token: evidence.exchange.probe
        for evidence in everything
        for name, token in evidence.exchange.values.items()
        if name.partition(":")[0] == "token"
    }
    findings = []
    for evidence in everything:
        own = set(evidence.exchange.values.values())
        own.update(_TOKEN.findall(evidence.exchange.request.body))
        came = _TOKEN.findall(evidence.body_text) + _TOKEN.findall(evidence.text or "")
        for token in dict.fromkeys(came):
            if token in owner and token not in own:
                actual = f"{token}, which was sent with `{owner[token]}`"
                findings.append(deviation(evidence, "only its own token", actual, "body"))
    return findings


@rule
def one_answer_per_copy(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each of several copies of a request gets a complete 2xx, with its own token if it has one."""
    findings = []
    for evidence in each(answers):
        failure = evidence.exchange.failure
        token = evidence.exchange.values.get("token")
        if failure is not None:
            findings.append(deviation(evidence, "a complete answer", failure.detail))
        elif not evidence.succeeded:
            findings.append(deviation(evidence, "status 2xx", evidence.outcome, "status"))
        elif token and token not in (evidence.text or ""):
            findings.append(deviation(evidence, token, shown(evidence.text), "text"))
    return findings
