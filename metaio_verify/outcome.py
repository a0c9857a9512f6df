"""From verdicts to the exit code: the one place that decides it."""

from __future__ import annotations

from collections.abc import Iterable

from metaio_verify.exitcodes import ExitCode
from metaio_verify.record import Judgement, Stop
from metaio_verify.verdict import Level, Verdict

NEVER_BEGAN = frozenset({"unreachable", "refused", "no-model"})
"""Stops after which nothing that was judged says anything about the endpoint as a whole."""


def exit_code(
    verdicts: Iterable[Judgement], *, strict: bool = False, stopped: Stop | None = None
) -> ExitCode:
    """Return what the shell sees after a run.

    An interruption comes first, then a target that could not be verified at all. After that a
    failed check (1) beats everything that was not learnt (3): what is broken is broken, however
    much of the rest is unknown. A run that judged nothing is never green.
    """
    judged = list(verdicts)
    if stopped is not None and stopped.kind == "interrupted":
        return ExitCode.INTERRUPTED
    if stopped is not None and stopped.kind in NEVER_BEGAN:
        return ExitCode.NOT_VERIFIED
    if any(fails(judgement, strict=strict) for judgement in judged):
        return ExitCode.FAILED
    if stopped is not None or not any(map(_is_judged, judged)) or any(map(leaves_open, judged)):
        return ExitCode.NOT_VERIFIED
    return ExitCode.OK


def fails(judgement: Judgement, *, strict: bool) -> bool:
    """Whether this judgement alone makes a run fail."""
    return judgement.verdict is Verdict.FAIL or (strict and judgement.verdict is Verdict.WARN)


def leaves_open(judgement: Judgement) -> bool:
    """Whether a must-check was not learnt, which is never green."""
    return judgement.level is Level.MUST and judgement.verdict.is_unknown


def _is_judged(judgement: Judgement) -> bool:
    return not judgement.verdict.is_unknown and judgement.verdict is not Verdict.SKIPPED
