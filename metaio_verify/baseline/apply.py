"""What waivers make of the verdicts of a run. Pure: the day is given, not asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from metaio_verify.baseline.model import Baseline, KnownDeviation
from metaio_verify.record import Acceptance, Judgement, Waiver, WaiverState
from metaio_verify.suite.words import suggest
from metaio_verify.verdict import Verdict


def apply(
    baseline: Baseline, judgements: Sequence[Judgement], known: Iterable[str], today: dt.date
) -> tuple[list[Judgement], list[Waiver]]:
    """Return the verdicts with what is waived, and what became of each waiver.

    Only a deviation can be waived: what could not be judged stays open, because nobody can accept
    what nobody has seen.

    Args:
        baseline: the waivers
        judgements: the verdicts of the run
        known: the ids of all checks that there are, selected or not
        today: a waiver holds to the end of the day on which it expires

    """
    valid = {one.key: one for one in baseline.waivers if today <= one.expires}
    verdicts: list[Judgement] = []
    used: set[tuple[str, str | None]] = set()
    for judgement in judgements:
        waiver = valid.get((judgement.check, judgement.model)) or valid.get((judgement.check, None))
        if waiver is not None and judgement.verdict.is_deviation:
            used.add(waiver.key)
            verdicts.append(_waived(judgement, waiver))
        else:
            verdicts.append(judgement)
    ids = list(known)
    states = [
        _state(one, judgements, ids, today=today, used=one.key in used) for one in baseline.waivers
    ]
    return verdicts, states


def _waived(judgement: Judgement, waiver: KnownDeviation) -> Judgement:
    acceptance = Acceptance(
        verdict=judgement.verdict, reason=waiver.reason, expires=waiver.expires.isoformat()
    )
    return replace(judgement, verdict=Verdict.WAIVED, waiver=acceptance)


def _state(
    waiver: KnownDeviation,
    judgements: Sequence[Judgement],
    known: Sequence[str],
    *,
    today: dt.date,
    used: bool,
) -> Waiver:
    state, detail = _found(waiver, judgements, known, used=used)
    still_deviates = detail == _COVERED
    if today > waiver.expires and (still_deviates or state is WaiverState.NOT_JUDGED):
        # A day that has passed is no matter of this run's selection: the file needs a look.
        state = WaiverState.EXPIRED
        detail = f"It expired on {waiver.expires.isoformat()}. Mend the endpoint, or decide anew."
    return Waiver(
        check=waiver.check,
        model=waiver.model,
        reason=waiver.reason,
        expires=waiver.expires.isoformat(),
        state=state,
        detail=detail,
        place=str(waiver.place),
    )


_COVERED = "Waivers that name a model cover all of it: remove this one."


def _found(
    waiver: KnownDeviation, judgements: Sequence[Judgement], known: Sequence[str], *, used: bool
) -> tuple[WaiverState, str]:
    """What the verdicts say about a waiver, and in a sentence why when it waived nothing."""
    if used:
        return WaiverState.USED, ""
    if waiver.check not in known:
        near = suggest(waiver.check, known).replace("`", "")
        return WaiverState.UNUSED, " ".join(filter(None, ["There is no such check.", near]))
    of_check = [one for one in judgements if one.check == waiver.check]
    if not of_check:
        return WaiverState.NOT_JUDGED, "The check was not selected in this run."
    if waiver.model is not None and all(one.model is None for one in of_check):
        detail = "The check is about the endpoint as a whole: leave the model out."
        return WaiverState.UNUSED, detail
    about = [one for one in of_check if waiver.model in (None, one.model)]
    if not about:
        return WaiverState.NOT_JUDGED, "The model was not verified in this run."
    if any(one.verdict.is_deviation for one in about):
        return WaiverState.UNUSED, _COVERED
    if any(one.verdict.is_unknown or one.verdict is Verdict.SKIPPED for one in about):
        return WaiverState.NOT_JUDGED, "The check could not be judged in this run."
    return WaiverState.UNUSED, "The check does not deviate any more: remove the waiver."
