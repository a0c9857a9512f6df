"""Rules about thinking blocks: where they stand, how they are signed and counted.

Whether a model thinks is its own choice in most modes, so answers without a thinking block say
nothing; a run without any of them skips these checks. An answer that was not finished is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.evidence import THOUGHTS, Evidence
from metaio_verify.judge.rules.registry import Answers, NotSeenError, deviation, each, rule
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_FOREIGN = ("reasoning_content", "reasoning", "reasoning_details")
"""Fields in which other APIs put what a model thinks."""

_TAG = re.compile(r"</?(?:think|thinking|reasoning)>", re.IGNORECASE)

_CUT = ("max_tokens", "model_context_window_exceeded", "pause_turn", "refusal")
"""Stop reasons of answers that go on, or would have gone on, behind their last block."""

_SHORT = 40
"""Characters below which a thought may well be said twice."""

_SLACK = 1.1
"""A bound on tokens is kept by the upstream's own count, which may differ a little."""


class _Thought(NamedTuple):
    """A thinking block and the place that it came from."""

    evidence: Evidence
    position: int
    block: dict[str, Any]

    def deviates(self, expected: str, actual: str, key: str = "") -> Finding:
        return deviation(self.evidence, expected, actual, f"$.content[{self.position}]{key}")


def _finished(answers: Answers) -> list[Evidence]:
    """Return the answers that came to an end of their own."""
    return [one for one in each(answers) if one.succeeded and one.value("stop_reason") is not None]


def _thoughts(answers: Answers) -> list[_Thought]:
    """Return the thinking blocks of all finished answers."""
    thoughts = [
        _Thought(evidence, position, block)
        for evidence in _finished(answers)
        for position, block in enumerate(evidence.blocks)
        if block.get("type") == "thinking"
    ]
    if not thoughts:
        raise NotSeenError("no answer holds a thinking block")
    return thoughts


@rule
def thinking_signed(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each thinking block has a signature, a string; a stream sends it once, at the block's end."""
    findings = [
        thought.deviates("a string", shown(thought.block.get("signature")), ".signature")
        for thought in _thoughts(answers)
        if not isinstance(thought.block.get("signature"), str)
    ]
    for evidence in _finished(answers):
        findings += _after_signatures(evidence)
    return findings


def _after_signatures(evidence: Evidence) -> Iterator[Finding]:
    """Report what a stream adds to a thinking block behind its signature."""
    signed: set[Any] = set()
    for number, data in evidence.event_data:
        if not isinstance(data, dict):
            continue
        if data.get("type") == "content_block_start":
            signed.discard(_index(data))
        delta = data.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if kind in ("signature_delta", "thinking_delta") and _index(data) in signed:
            expected = "content_block_stop after the signature"
            yield deviation(evidence, expected, str(kind), f"event {number}")
        if kind == "signature_delta":
            signed.add(_index(data))


def _index(data: Mapping[str, Any]) -> int | None:
    index = data.get("index")
    return index if isinstance(index, int) else None


@rule
def signature_not_empty(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No thinking block has an empty signature."""
    return [
        thought.deviates("a signature", '""', ".signature")
        for thought in _thoughts(answers)
        if thought.block.get("signature") == ""
    ]


@rule
def thinking_first(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No thinking block stands behind everything that it led to."""
    _thoughts(answers)
    return [
        deviation(evidence, "text or a call behind the last thinking block", "nothing", "$.content")
        for evidence in _finished(answers)
        if evidence.value("stop_reason") not in _CUT
        and evidence.blocks[-1:]
        and evidence.blocks[-1].get("type") in THOUGHTS
        and any(block.get("type") not in THOUGHTS for block in evidence.blocks)
    ]


@rule
def thinking_once(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No thinking text consists of the same text twice."""
    findings = []
    for thought in _thoughts(answers):
        text = str(thought.block.get("thinking") or "").strip()
        half = text[: len(text) // 2].strip()
        if len(text) >= _SHORT and text[len(text) // 2 :].strip() == half:
            findings.append(thought.deviates(shown(half), "the same twice", ".thinking"))
    return findings


@rule
def thinking_omitted(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No thinking block shows its text."""
    return [
        thought.deviates('""', shown(thought.block.get("thinking")), ".thinking")
        for thought in _thoughts(answers)
        if thought.block.get("thinking") != ""
    ]


@rule
def no_thinking_tags(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No text holds the tags that models put around their thoughts.

    A text that is nothing but a tag was cut before the server could know it for one.
    """
    return [
        deviation(evidence, "text without tags", found[0], "text")
        for evidence in each(answers)
        if (found := _TAG.search(text := (evidence.text or "").strip())) and found[0] != text
    ]


@rule
def no_foreign_reasoning(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer has what the model thinks in a field of another API, such as reasoning_content.

    Such a field beside a thinking block that says something is one more that clients do not know.
    """
    findings = []
    for evidence in each(answers):
        if any(block.get("thinking") for block in evidence.blocks if block.get("type") in THOUGHTS):
            continue
        places: list[tuple[str, Any]] = [(f"event {n}", data) for n, data in evidence.event_data]
        if not places and evidence.has_document:
            places = [("body", evidence.document)]
        for where, name in _foreign_fields(places):
            findings.append(deviation(evidence, "thinking blocks only", f"a field {name}", where))
            break
    return findings


def _foreign_fields(places: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield where a field of another API holds something; tool arguments are not looked into."""
    for where, data in places:
        if not isinstance(data, dict):
            continue
        content = data.get("content")
        inner = [data, data.get("message"), data.get("delta"), data.get("content_block")]
        inner += content if isinstance(content, list) else []
        for holder in inner:
            if isinstance(holder, dict):
                yield from ((where, name) for name in _FOREIGN if _says(holder.get(name)))


def _says(value: Any) -> bool:
    """Tell whether a field holds thoughts: text, or parts with text. Settings are none."""
    if isinstance(value, list):
        return any(_says(item.get("text")) for item in value if isinstance(item, dict))
    return isinstance(value, str) and bool(value.strip())


@rule
def thinking_counted(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Thinking counts as output: it is part of output_tokens, and max_tokens bounds both."""
    _thoughts(answers)
    findings = []
    for evidence in _finished(answers):
        tokens = _count(evidence.value("usage", "output_tokens"))
        thought = _count(evidence.value("usage", "output_tokens_details", "thinking_tokens"))
        least = max(thought or 0, _words(evidence) // 2)
        if tokens is None or not any(block.get("type") in THOUGHTS for block in evidence.blocks):
            continue
        if tokens < least:
            where = "$.usage.output_tokens"
            findings.append(deviation(evidence, f"at least {least}", str(tokens), where))
        bound = _allowed(evidence)
        if bound is not None and tokens > _SLACK * bound:
            expected = f"at most {bound}, as max_tokens says"
            findings.append(deviation(evidence, expected, str(tokens), "$.usage.output_tokens"))
    return findings


@rule
def thinking_tokens_reported(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The usage of each answer with thinking has `output_tokens_details.thinking_tokens`."""
    path = ("usage", "output_tokens_details", "thinking_tokens")
    return [
        deviation(thought.evidence, "a number of tokens", "nothing", "$." + ".".join(path))
        for thought in _thoughts(answers)
        if _count(thought.evidence.value(*path)) is None
    ]


def _allowed(evidence: Evidence) -> int | None:
    """Return the max_tokens of the request."""
    try:
        body = decode(evidence.exchange.request.body)
    except NotJSONError:
        return None
    return _count(body.get("max_tokens")) if isinstance(body, dict) else None


def _words(evidence: Evidence) -> int:
    """Return the number of words that were thought aloud and said."""
    texts = [block.get(str(block.get("type"))) for block in evidence.blocks]
    return sum(len(text.split()) for text in texts if isinstance(text, str))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
