"""What is made of a run once it is over: a reference, waivers, and what changed since.

Each step takes a record and returns a record, and the exit code is that of its verdicts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from metaio_verify.baseline.apply import apply
from metaio_verify.baseline.model import Baseline, KnownDeviation
from metaio_verify.compare.changes import changes, since
from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.outcome import NEVER_BEGAN, exit_code_of, worse_since
from metaio_verify.record import Judgement, Reference, RunRecord, Waiver
from metaio_verify.reference.differences import compare
from metaio_verify.report.text import moment
from metaio_verify.suite.words import quote
from metaio_verify.wanted import Earlier


def day_of(record: RunRecord) -> dt.date:
    """Return the day on which a run started, in UTC: a record is judged as of its own day.

    Raises:
        UserError: the record was changed by hand, and has no day any more.

    """
    time = moment(record.started)
    if time is None:
        raise UserError(Problem("this run record is damaged at $.started: it is no time"))
    return time.date()


def counted(
    judgements: Sequence[Judgement],
    baseline: Baseline | None,
    before: Earlier | None,
    today: dt.date,
) -> Sequence[Judgement]:
    """Return the judgements that count in mid-run: not what is waived, nor what is as before."""
    if baseline is not None:
        judgements, _ = apply(baseline, judgements, (), today)
    if before is None:
        return judgements
    old, models = before.record, before.record.target.models
    of_one = {one.model: models[0] for one in judgements if one.model and len(models) == 1}
    return worse_since(judgements, changes(old.verdicts, judgements, of_one))


def with_baseline(
    record: RunRecord, baseline: Baseline, known: Iterable[str], today: dt.date
) -> RunRecord:
    """Return the record with what is waived; `known` are the ids of all checks there are."""
    verdicts, waivers = apply(baseline, record.verdicts, known, today)
    return settled(replace(record, verdicts=verdicts, waivers=waivers))


def waived_again(record: RunRecord, known: Iterable[str]) -> RunRecord:
    """Return a record that was judged anew with the waivers that it knows, as of its own day."""
    if not record.waivers:
        return settled(record)
    waivers = tuple(
        KnownDeviation(
            check=one.check,
            model=one.model,
            reason=one.reason,
            expires=_day(one),
            place=Place(one.place),
        )
        for one in record.waivers
    )
    return with_baseline(record, Baseline("", waivers), known, day_of(record))


def _day(waiver: Waiver) -> dt.date:
    try:
        return dt.date.fromisoformat(waiver.expires)
    except ValueError:
        said = f"the waiver of {quote(waiver.check)} expires on no day"
        raise UserError(Problem(f"this run record is damaged at $.waivers: {said}")) from None


def with_since(record: RunRecord, before: Earlier) -> RunRecord:
    """Return the record compared with an earlier run: only what got worse since fails it."""
    return settled(replace(record, since=since(before.record, before.path, record)))


def can_be_compared(record: RunRecord) -> bool:
    """Whether a run went far enough to ask a reference the same."""
    stopped = record.stopped
    return stopped is None or stopped.kind not in (*NEVER_BEGAN, "interrupted")


def reference_models(record: RunRecord, named: Sequence[str]) -> dict[str, str]:
    """Return which model of the reference stands for each model of the run."""
    return {model: named[0] if named else model for model in record.target.models}


def with_reference(
    record: RunRecord,
    other: RunRecord,
    models: Mapping[str, str],
    probes: Collection[str],
    *,
    fail_fast: bool,
) -> RunRecord:
    """Return the record with the differences in shape between its answers and a reference's.

    Differences never fail a run: the reference is no contract, and its outage no defect of the
    endpoint.
    """
    complete = record.stopped is None and other.stopped is None and not fail_fast
    found = compare(record.exchanges, other.exchanges, models, probes, complete=complete)
    if other.stopped is not None and other.stopped.kind in NEVER_BEGAN:
        found = compare([], [], models, probes, complete=False)
    reference = Reference(
        base_url=other.target.base_url,
        auth=other.target.auth,
        models=dict(models),
        cost=other.cost,
        compared=found.pairs,
        set_aside=found.set_aside,
        differences=found.differences,
        stopped=other.stopped,
    )
    was_interrupted = other.stopped is not None and other.stopped.kind == "interrupted"
    stopped = other.stopped if was_interrupted else record.stopped
    return settled(replace(record, reference=reference, stopped=stopped))


def settled(record: RunRecord) -> RunRecord:
    """Return the record with the exit code that it comes to."""
    return replace(record, exit_code=int(exit_code_of(record)))
