"""Rules about how a stream arrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    each,
    rule,
)
from metaio_verify.record import Finding, Target

_LONG = 2.0
_LATEST_START = 0.5
_LARGEST_BURST = 0.8
_MOMENTS = 5
_LENGTH = 200


@rule(optional=("longer-than",))
def incremental(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A stream arrives while it is written, not at once when it is finished.

    Demanded of streams of at least 200 characters of text or of arguments that last longer than
    `longer-than` seconds (2): a fast model may finish within one piece. Then the first event comes
    in the first half of the time, deltas come at five different moments or more, and no single
    moment brings more than 80 % of them.
    """
    longer_than = args.get("longer-than", _LONG)
    streams = [evidence for evidence in each(answers) if evidence.stream.events]
    if not streams:
        raise NothingToJudgeError("no answer is a stream of events")
    return [
        deviation(evidence, expected, actual, "arrival")
        for evidence in streams
        if evidence.exchange.timing.total > longer_than and _length(evidence) >= _LENGTH
        for expected, actual in _delays(evidence)
    ]


def _length(evidence: Evidence) -> int:
    """Return the number of characters of the text or, if that is more, of all arguments."""
    deltas = (data.get("delta") for _, data in evidence.event_data if _is_delta(data))
    arguments = (delta.get("partial_json") for delta in deltas if isinstance(delta, dict))
    written = sum(len(piece) for piece in arguments if isinstance(piece, str))
    return max(written, len(evidence.text or ""))


def _delays(evidence: Evidence) -> Iterator[tuple[str, str]]:
    total = evidence.exchange.timing.total
    events = evidence.stream.events
    pairs = zip(events, evidence.stream.documents, strict=True)
    deltas = [round(event.at, 3) for event, data in pairs if _is_delta(data)]
    if events[0].at > _LATEST_START * total:
        yield "the first event in the first half", f"after {events[0].at:.2f} of {total:.2f} s"
        return
    moments = Counter(deltas)
    if len(moments) < _MOMENTS:
        yield f"deltas at {_MOMENTS} moments or more", f"{len(deltas)} deltas at {len(moments)}"
        return
    moment, burst = max(moments.items(), key=lambda item: item[1])
    if burst > _LARGEST_BURST * len(deltas):
        yield "deltas one by one", f"{burst} of {len(deltas)} at once, after {moment:.2f} s"


def _is_delta(data: Any) -> bool:
    return isinstance(data, dict) and data.get("type") == "content_block_delta"
