"""Rules about answers that have to agree with each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    UnsureError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")

_FIELDS = (
    "content",
    "id",
    "model",
    "role",
    "stop_reason",
    "stop_sequence",
    "type",
    "usage",
)
"""Fields that every message has; others come with some answers only, whatever the form."""

_CHANCE = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""Ends to which a model may come one time and not the next, whatever the form."""

_THINKING = frozenset({"thinking", "redacted_thinking"})
"""Blocks that a model may leave out from one time to the next."""

_SHARE = 0.15
_TOKENS = 20


@rule(pairs=True)
def same_shape(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The first and second probe of each pair get the same kind of answer, streamed or not.

    Compared are the fields, the stop reason, the types of the blocks and of tool calls the JSON
    types of the input and of the arguments that both have; which ones a model gives is its own
    affair. Pairs of which one was refused are not compared, and none in which the model did not do
    what it was asked or only one answer ran out of tokens: two such answers may differ as they
    like.
    """
    copies = [evidence for evidence, *_ in answers.values()]
    pairs = [
        (one, other)
        for one, other in zip(copies[::2], copies[1::2], strict=True)
        if _is_comparable(one) and _is_comparable(other)
    ]
    if not pairs:
        raise NothingToJudgeError("in no pair of answers the model did twice what it was asked")
    pairs = [pair for pair in pairs if not _ended_by_chance(*pair)]
    if not pairs:
        raise UnsureError("the model ended its answers differently each time")
    findings = []
    for one, other in pairs:
        for where, left, right in _aspects(one, other):
            if left != right:
                expected = f"{shown(left)}, as in the answer to `{one.exchange.probe}`"
                findings.append(deviation(other, expected, shown(right), where))
    return findings


def _is_comparable(evidence: Evidence) -> bool:
    return evidence.exchange.until_met is not False and isinstance(evidence.value("content"), list)


def _aspects(one: Evidence, other: Evidence) -> list[tuple[str, Any, Any]]:
    """Return what is compared: where, in the first answer, in the second."""
    aspects = [
        ("fields of the message", _fields(one), _fields(other)),
        ("$.stop_reason", one.value("stop_reason"), other.value("stop_reason")),
        ("types of $.content", _types(one), _types(other)),
    ]
    left, right = _inputs(one), _inputs(other)
    aspects += [
        (f"input of {name}", *_shapes(left[name], right[name])) for name in left if name in right
    ]
    return aspects


def _ended_by_chance(one: Evidence, other: Evidence) -> bool:
    left, right = one.value("stop_reason"), other.value("stop_reason")
    return left != right and not _CHANCE.isdisjoint(
        reason for reason in (left, right) if isinstance(reason, str)
    )


def _fields(evidence: Evidence) -> list[str]:
    return [name for name in _FIELDS if evidence.value(name) is not None]


def _types(evidence: Evidence) -> list[str]:
    types = {str(block.get("type")) for block in evidence.blocks} - _THINKING
    # A word of introduction before a call comes and goes from one time to the next.
    return sorted(types - {"text"} if "tool_use" in types else types)


def _inputs(evidence: Evidence) -> dict[str, Any]:
    """Return the tool calls: name → input."""
    return {
        str(block.get("name")): block.get("input")
        for block in evidence.blocks
        if block.get("type") == "tool_use"
    }


def _shapes(left: Any, right: Any) -> tuple[Any, Any]:
    """Return the JSON types of two inputs, or of the arguments that both have."""
    if isinstance(left, dict) and isinstance(right, dict):
        both = sorted(left.keys() & right.keys())
        return _types_of(left, both), _types_of(right, both)
    return _json_type(left), _json_type(right)


def _types_of(arguments: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: _json_type(arguments[name]) for name in names}


def _json_type(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "null")


_JSON_TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
}


@rule
def count_grows(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`input_tokens` is higher for each probe than for the one before it."""
    counts = _counts([copies[0] for copies in answers.values()])
    return [
        deviation(later, f"more than {low}", str(high), "$.input_tokens")
        for (_, low), (later, high) in pairwise(counts)
        if high <= low
    ]


@rule(probes=2)
def count_close(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The count (first probe) is within 15 % or 20 tokens of the message's usage (second)."""
    counted, billed = (copies[0] for copies in answers.values())
    ((_, count),) = _counts([counted])
    parts = [_number(billed.value("usage", key)) for key in _INPUT]
    if parts[0] is None:
        raise NothingToJudgeError(f"`{billed.exchange.probe}` reports no usage.input_tokens")
    usage = sum(part or 0 for part in parts)
    if abs(count - usage) <= max(_TOKENS, _SHARE * usage):
        return []
    return [deviation(counted, f"about {usage}, as billed", str(count), "$.input_tokens")]


def _counts(answers: Sequence[Evidence]) -> list[tuple[Evidence, int]]:
    counts = []
    for evidence in answers:
        count = _number(evidence.value("input_tokens"))
        if count is None:
            probe = evidence.exchange.probe
            raise NothingToJudgeError(f"`{probe}` got no input_tokens: {evidence.outcome}")
        counts.append((evidence, count))
    return counts


@rule
def usage_plausible(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`usage.output_tokens` is at least half the number of words of the text."""
    findings = []
    judged = 0
    for evidence in each(answers):
        tokens = _number(evidence.value("usage", "output_tokens"))
        if tokens is None:
            continue
        judged += 1
        least = math.ceil(len((evidence.text or "").split()) / 2) or min(len(evidence.blocks), 1)
        if tokens < least:
            expected = f"at least {least}"
            findings.append(deviation(evidence, expected, str(tokens), "$.usage.output_tokens"))
    if not judged:
        raise NothingToJudgeError("no answer has usage.output_tokens")
    return findings


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
