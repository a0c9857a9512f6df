"""Rules about what ends an answer: the number of tokens that it may have, and stop sequences.

What a model writes is its own affair. So each rule looks for what only the endpoint can have done,
and calls the model unwilling where an answer says nothing either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    UnsureError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_Found: TypeAlias = "list[tuple[str, str, str]]"
"""Expected, actual, where."""

_COUNT_BEGUN = re.compile(r"\b1[\s,.]+2\b")
_COUNT_ENDED = re.compile(r"\b200\b")
_LONG_TEXT = 60
"""So many characters are more than five tokens of text."""
_FEW = 3
"""So many characters of a stop sequence at the end of a text are no chance."""


@rule(required=("counts",))
def stops_at_max_tokens(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer is longer than `max_tokens` allows, and one that was cut there says so.

    The probes that `counts` lists ask the model to count to 200. It may give a short answer all
    the same. Then nothing is known, unless another plain answer and another stream of the run were
    cut at their `max_tokens`.
    """
    confirmed: set[bool] = set()
    findings = []
    for probe, copies in answers.items():
        for evidence in copies:
            limit = _asked(evidence, "max_tokens")
            if not evidence.succeeded and probe in args["counts"]:
                findings.append(deviation(evidence, "2xx", evidence.outcome, "status"))
            if not evidence.succeeded or not isinstance(limit, int):
                continue
            found = _beyond(evidence, limit)
            if not found and probe in args["counts"]:
                found = _unsaid(evidence, limit)
            findings += [deviation(evidence, *one) for one in found]
            if evidence.value("stop_reason") == "max_tokens":
                confirmed.add(evidence.is_sse)
    if not findings and len(confirmed) < len({False, True}):
        form = "stream" if False in confirmed else "plain answer"
        raise UnsureError(f"the model ended every {form} before it came to max_tokens")
    return findings


def _beyond(evidence: Evidence, limit: int) -> _Found:
    used = evidence.value("usage", "output_tokens")
    if isinstance(used, int) and used > limit:
        return [(f"at most {limit}", str(used), "$.usage.output_tokens")]
    return []


def _unsaid(evidence: Evidence, limit: int) -> _Found:
    """Whether the count to 200 was cut and the stop reason does not say so."""
    reason, text = evidence.value("stop_reason"), evidence.text or ""
    if reason in ("max_tokens", "refusal"):
        return []
    if len(text) > _LONG_TEXT:
        return [(f"at most {limit} tokens", shown(text), "text")]
    if _COUNT_BEGUN.search(text) and not _COUNT_ENDED.search(text):
        return [('"max_tokens", as the count ends in the middle', shown(reason), "$.stop_reason")]
    return []


@rule
def stops_at_sequence(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A stop sequence ends the answer, is named by it, and stays out of its text.

    A model that never writes one of the sequences says nothing.
    """
    findings: list[Finding] = []
    silent = ""
    for evidence in each(answers):
        if not evidence.succeeded:
            continue
        sequences = [one for one in _asked(evidence, "stop_sequences") or () if one]
        found = list(_misses(evidence, sequences))
        findings += [deviation(evidence, *one) for one in found]
        if not found and evidence.value("stop_reason") != "stop_sequence":
            silent = silent or f"`{evidence.exchange.probe}` was answered {shown(evidence.text)}"
    if silent and not findings:
        raise UnsureError(f"the model did not write a stop sequence: {silent}")
    return findings


def _misses(evidence: Evidence, sequences: list[str]) -> Iterator[tuple[str, str, str]]:
    text, reason = evidence.text or "", evidence.value("stop_reason")
    named = evidence.value("stop_sequence")
    written = next((one for one in sequences if one in text), None)
    if written is not None:
        yield f"an end before {shown(written)}", shown(text), "text"
    if reason == "stop_sequence":
        if named not in sequences:
            yield f"one of {shown(sequences)}", shown(named), "$.stop_sequence"
        elif written is None and (part := _leaked(text, named)):
            yield f"nothing of {shown(named)}", f"{shown(part)} at the end of {shown(text)}", "text"
    elif named is not None:
        yield '"stop_sequence"', shown(reason), "$.stop_reason"
    elif written is None and reason == "end_turn" and _was_cut(text, sequences):
        yield '"stop_sequence"', f"{shown(reason)} after {shown(text)}", "$.stop_reason"


def _leaked(text: str, sequence: str) -> str:
    """Return the beginning of a stop sequence with which the text ends."""
    parts = (sequence[:length] for length in range(len(sequence) - 1, _FEW - 1, -1))
    return next((part for part in parts if text.endswith(part)), "")


def _was_cut(text: str, sequences: list[str]) -> bool:
    """Whether an answer without a stop sequence must have been ended by one all the same."""
    if all(len(one) == 1 for one in sequences):
        # A text of many words that lacks the commonest letters ended at the first of them.
        return text.isascii() and text[-1:].isalnum()
    return re.search(r"\balpha bravo\W*$", text) is not None


def _asked(evidence: Evidence, name: str) -> Any:
    """Return a field of the request's body."""
    try:
        body = decode(evidence.exchange.request.body)
    except NotJSONError:
        return None
    return body.get(name) if isinstance(body, dict) else None
