"""From verdicts to the exit code: the one place that decides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from metaio_verify.exitcodes import ExitCode
from metaio_verify.record import Change, ChangeKind, Judgement, RunRecord, Stop, Waiver
from metaio_verify.verdict import Level, Verdict

NEVER_BEGAN = frozenset({"unreachable", "refused", "no-model"})
"""Stops after which nothing that was judged says anything about the endpoint as a whole."""


def exit_code(
    verdicts: Iterable[Judgement],
    *,
    strict: bool = False,
    stopped: Stop | None = None,
    waivers: Iterable[Waiver] = (),
    changes: Sequence[Change] | None = None,
) -> ExitCode:
    """Return what the shell sees after a run.

    An interruption comes first, then a target that could not be verified at all. After that a
    failed check or a stale waiver (1) beats everything that was not learnt (3): what is broken is
    broken, however much of the rest is unknown. A run that judged nothing is never green. With the
    changes since an earlier run, only what got worse since counts.
    """
    judged = list(verdicts)
    counted = judged if changes is None else worse_since(judged, changes)
    if stopped is not None and stopped.kind == "interrupted":
        return ExitCode.INTERRUPTED
    if stopped is not None and stopped.kind in NEVER_BEGAN:
        return ExitCode.NOT_VERIFIED
    if any(fails(judgement, strict=strict) for judgement in counted):
        return ExitCode.FAILED
    if any(waiver.state.is_stale for waiver in waivers):
        return ExitCode.FAILED
    if stopped is not None or not any(map(_is_judged, judged)) or any(map(leaves_open, counted)):
        return ExitCode.NOT_VERIFIED
    return ExitCode.OK


def exit_code_of(record: RunRecord) -> ExitCode:
    """Return the exit code that a record's verdicts, waivers and changes come to."""
    return exit_code(
        record.verdicts,
        strict=record.selection.strict,
        stopped=record.stopped,
        waivers=record.waivers,
        changes=None if record.since is None else record.since.changes,
    )


def fails(judgement: Judgement, *, strict: bool) -> bool:
    """Whether this judgement alone makes a run fail."""
    return judgement.verdict is Verdict.FAIL or (strict and judgement.verdict is Verdict.WARN)


def leaves_open(judgement: Judgement) -> bool:
    """Whether a must-check was not learnt, which is never green."""
    return judgement.level is Level.MUST and judgement.verdict.is_unknown


def worse_since(judged: Sequence[Judgement], changes: Sequence[Change]) -> list[Judgement]:
    """What got worse, or is judged for the first time."""
    new = ChangeKind.ADDED
    news = {(one.check, one.model) for one in changes if one.kind.is_worse or one.kind is new}
    return [one for one in judged if (one.check, one.model) in news]


def _is_judged(judgement: Judgement) -> bool:
    return not judgement.verdict.is_unknown and judgement.verdict is not Verdict.SKIPPED
