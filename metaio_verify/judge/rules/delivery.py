"""Rules about how a stream arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from metaio_verify.judge.evidence import THOUGHTS, Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    UnsureError,
    deviation,
    rule,
)
from metaio_verify.record import Finding, Target

_LONG = 2.0
_LENGTH = 200
_MOST = 0.8
_BURST = 0.1
_WAIT = 0.5
_LAG = 0.2
"""The share of the time for which this program may have been late itself."""
_CHARACTERS = 2
"""Fewer characters for each token than this: not all tokens are in the text."""
_PAYLOADS = ("text", "partial_json", "thinking")


class Burst(NamedTuple):
    """The shortest stretch of a stream in which most of it came."""

    begin: float
    length: float
    share: float
    """Of all characters."""


@rule(optional=("longer-than", "control"))
def incremental(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A stream arrives while it is written, not at once when it is finished.

    Demanded of streams of at least 200 characters that last longer than `longer-than` seconds (2).
    Held back is what comes nearly all (80 %) within a tenth of the time, after a wait of more than
    half of it. The time that the first word of `control`, a short stream, took is no such wait:
    reading the prompt takes as long for any answer. Neither is time that the model thought in
    silence, or for which this program was late itself; then it is inconclusive.
    """
    control = args.get("control")
    judged = [
        evidence
        for probe, copies in answers.items()
        for evidence in copies
        if evidence.stream.events and probe != control
    ]
    if not judged:
        raise NothingToJudgeError("no answer is a stream of events")
    firsts = [first for one in answers.get(str(control), ()) if (first := _first(one)) is not None]
    start = max(firsts, default=0.0)
    findings = []
    for evidence in judged:
        burst = held_back(evidence, start, args.get("longer-than", _LONG))
        if burst is None:
            continue
        if reason := _other_cause(evidence):
            raise UnsureError(reason)
        findings.append(_finding(evidence, burst, start, control))
    return findings


def held_back(evidence: Evidence, start: float = 0.0, longer_than: float = _LONG) -> Burst | None:
    """Return the burst in which a long stream came; none when it came bit by bit.

    Args:
        evidence: the stream
        start: the seconds that any answer takes to begin
        longer_than: the seconds that a stream has to last for anything to be said about it

    """
    pieces = _pieces(evidence)
    total = evidence.exchange.timing.total
    if total <= longer_than or sum(size for _, size in pieces) < _LENGTH:
        return None
    burst = _shortest(pieces)
    is_burst = burst.length <= _BURST * total and burst.begin - start > _WAIT * total
    return burst if is_burst else None


def _pieces(evidence: Evidence) -> list[tuple[float, int]]:
    """Return when each delta came, and how many characters it brought."""
    events = zip(evidence.stream.events, evidence.stream.documents, strict=True)
    found = []
    for event, data in events:
        delta = data.get("delta") if isinstance(data, dict) else None
        if isinstance(delta, dict) and data.get("type") == "content_block_delta":
            texts = [text for key in _PAYLOADS if isinstance(text := delta.get(key), str)]
            found.append((event.at, sum(map(len, texts))))
    return found


def _shortest(pieces: Sequence[tuple[float, int]]) -> Burst:
    """Return the shortest stretch that brings more than 80 % of all characters."""
    sums = [0, *accumulate(size for _, size in pieces)]
    return min(_stretches(pieces, sums), key=lambda burst: burst.length)


def _stretches(pieces: Sequence[tuple[float, int]], sums: Sequence[int]) -> Iterator[Burst]:
    end = 0
    for begin, (at, _) in enumerate(pieces):
        while end < len(pieces) and (
            sums[end] - sums[begin] <= _MOST * sums[-1] or pieces[end][0] == pieces[end - 1][0]
        ):
            end += 1
        share = (sums[end] - sums[begin]) / sums[-1]
        if share <= _MOST:
            return
        yield Burst(at, pieces[end - 1][0] - at, share)


def _first(evidence: Evidence) -> float | None:
    """Return when the first character of a stream came."""
    return next((at for at, size in _pieces(evidence) if size), None)


def _other_cause(evidence: Evidence) -> str:
    """Return what else than a buffer may have kept a stream back; empty when there is nothing."""
    timing = evidence.exchange.timing
    if timing.lag > _LAG * timing.total:
        return (
            f"this machine was too busy to read for {timing.lag:.1f} of {timing.total:.1f} s, so "
            "it cannot tell when the text came"
        )
    tokens = evidence.value("usage", "output_tokens")
    written = sum(size for _, size in _pieces(evidence))
    hidden = isinstance(tokens, int) and written < _CHARACTERS * tokens
    if hidden or any(block.get("type") in THOUGHTS for block in evidence.blocks):
        return "the model thought before it wrote, so the wait may have been its own"
    return ""


def _finding(evidence: Evidence, burst: Burst, start: float, control: Any) -> Finding:
    total = evidence.exchange.timing.total
    actual = (
        f"{burst.share:.0%} of it within {burst.length:.2f} s, after {burst.begin:.2f} of "
        f"{total:.2f} s"
    )
    if start:
        actual += f"; `{control}` began to write after {start:.2f} s"
    return deviation(evidence, "the text bit by bit, as it is written", actual, "arrival")
