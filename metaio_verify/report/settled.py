"""What a report that knows only pass, fail, error and skip makes of each verdict.

One place, so that every such report goes red exactly when the exit code does.
"""

from __future__ import annotations

from enum import Enum, auto

from metaio_verify.exitcodes import ExitCode
from metaio_verify.outcome import exit_code_of, fails, leaves_open, worse_since
from metaio_verify.record import Judgement, RunRecord, Since
from metaio_verify.report.summary import summarise
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


def kind(judgement: Judgement, *, strict: bool, since: Since | None = None) -> Kind:
    """Return how a judgement appears; what an earlier run had as well is a remark."""
    as_before = since is not None and not worse_since([judgement], since.changes)
    if fails(judgement, strict=strict):
        return Kind.REMARK if as_before else Kind.FAILED
    if leaves_open(judgement):
        return Kind.REMARK if as_before else Kind.ERROR
    match judgement.verdict:
        case Verdict.PASS:
            return Kind.PASSED
        case Verdict.WARN | Verdict.NOTE:
            return Kind.REMARK
        case _:
            return Kind.SKIPPED


def stopper(record: RunRecord) -> str:
    """Return why the run is not green although no check and no waiver says so; mostly empty.

    That the endpoint was not reached or that nothing was selected is no check's verdict.
    """
    if record.stopped is not None:
        return record.stopped.message
    strict, since = record.selection.strict, record.since
    red = (Kind.FAILED, Kind.ERROR)
    if any(kind(one, strict=strict, since=since) in red for one in record.verdicts):
        return ""
    if any(waiver.state.is_stale for waiver in record.waivers):
        return ""
    is_green = ExitCode.OK == record.exit_code == exit_code_of(record)
    return "" if is_green else summarise(record).closing
