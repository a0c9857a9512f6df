"""What a report that knows only pass, fail, error and skip makes of each verdict.

One place, so that every such report goes red exactly when the exit code does.
"""

from __future__ import annotations

from enum import Enum, auto

from metaio_verify.outcome import fails, leaves_open
from metaio_verify.record import Judgement, RunRecord
from metaio_verify.report.summary import Outcome, summarise
from metaio_verify.verdict import Verdict


class Kind(Enum):
    """What a CI system can show of a test."""

    PASSED = auto()
    REMARK = auto()
    """Passed, with something to say."""
    FAILED = auto()
    ERROR = auto()
    """It could not be judged, and a run without it is not green."""
    SKIPPED = auto()


def kind(judgement: Judgement, *, strict: bool) -> Kind:
    """Return how a judgement appears."""
    if fails(judgement, strict=strict):
        return Kind.FAILED
    if leaves_open(judgement):
        return Kind.ERROR
    match judgement.verdict:
        case Verdict.PASS:
            return Kind.PASSED
        case Verdict.WARN | Verdict.NOTE:
            return Kind.REMARK
        case _:
            return Kind.SKIPPED


def stopper(record: RunRecord) -> str:
    """Return why the run is not green although none of its checks says so; mostly empty.

    That the endpoint was not reached or that nothing was selected is no check's verdict.
    """
    if record.stopped is not None:
        return record.stopped.message
    strict = record.selection.strict
    red = (Kind.FAILED, Kind.ERROR)
    if any(kind(one, strict=strict) in red for one in record.verdicts):
        return ""
    found = summarise(record)
    return "" if found.outcome is Outcome.WORKS else found.closing
