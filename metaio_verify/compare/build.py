"""From run records to a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from metaio_verify.compare.changes import changes, kind_of, models_of
from metaio_verify.compare.latency import latencies
from metaio_verify.compare.model import (
    CapabilityRow,
    Cell,
    ClientRow,
    Column,
    Comparison,
    Row,
    Run,
)
from metaio_verify.errors import Problem, UserError
from metaio_verify.exitcodes import ExitCode
from metaio_verify.outcome import exit_code
from metaio_verify.record import ChangeKind, Judgement, RunRecord
from metaio_verify.report.capabilities import called
from metaio_verify.report.group import info_of
from metaio_verify.report.summary import summarise
from metaio_verify.report.text import client, listed
from metaio_verify.wanted import Earlier

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORDER = {kind: number for number, kind in enumerate(ChangeKind)}


def compare(runs: Sequence[Earlier], *, fail_on_worse: bool = True) -> Comparison:
    """Return runs side by side, in the order in which they were given.

    Raises:
        UserError: there is nothing to compare.

    """
    records = [run.record for run in runs]
    columns = _columns(records)
    if len(columns) < 2:
        hint = "give two run records, or one of several models"
        raise UserError(Problem("there is nothing to compare with", hint=hint))
    pairs = _pairs(records, columns)
    judged = [_judged(records[column.run], column.model) for column in columns]
    timed = latencies([(records[one.run], one.model) for one in columns], pairs)
    outcome = _exit_code(records[-1], judged, pairs)
    return Comparison(
        runs=[_run(number, run) for number, run in enumerate(runs)],
        columns=columns,
        pairs=pairs,
        rows=_rows(records, judged, pairs),
        latencies=timed.probes,
        pace=timed.pace,
        shift_s=timed.shift_s,
        clients=_clients(records),
        capabilities=_capabilities(records, columns),
        notices=_notices(records),
        outcome=outcome,
        exit_code=outcome if fail_on_worse else ExitCode.OK,
    )


def _label(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else f"R{number + 1}"


def _run(number: int, run: Earlier) -> Run:
    record = run.record
    return Run(
        label=_label(number),
        path=run.path,
        base_url=record.target.base_url,
        models=record.target.models,
        started=record.started,
        profile=record.selection.profile,
        headline=summarise(record).headline,
        exit_code=record.exit_code,
        cost=record.cost,
        duration_s=record.duration_s,
    )


def _columns(records: Sequence[RunRecord]) -> list[Column]:
    found = []
    for number, record in enumerate(records):
        models: list[str | None] = [*record.target.models] or [None]
        for position, model in enumerate(models, start=1):
            label = _label(number) + (str(position) if len(models) > 1 else "")
            found.append(Column(label=label, run=number, model=model))
    return found


def _pairs(records: Sequence[RunRecord], columns: Sequence[Column]) -> list[tuple[int, int]]:
    """The last run's targets with those of the first one; of one run, the others with the first."""
    if len(records) == 1:
        return [(0, number) for number in range(1, len(columns))]
    place = {(column.run, column.model): number for number, column in enumerate(columns)}
    last = len(records) - 1
    models = models_of(records[0], records[-1])
    pairs = [(place[0, old], place[last, new]) for new, old in models.items()]
    # Without a model in common, the targets as such are compared.
    return pairs or [(0, number) for number, column in enumerate(columns) if column.run == last]


def _judged(record: RunRecord, model: str | None) -> dict[str, Judgement]:
    """The verdicts on one target, those on the endpoint as a whole included."""
    return {one.check: one for one in record.verdicts if one.model in (None, model)}


def _rows(
    records: Sequence[RunRecord],
    judged: Sequence[dict[str, Judgement]],
    pairs: Sequence[tuple[int, int]],
) -> list[Row]:
    checks = dict.fromkeys(check for column in reversed(judged) for check in column)
    rows = [_row(check, records, judged, pairs) for check in checks]
    none = len(_ORDER)
    return sorted(rows, key=lambda r: (_ORDER[r.kind] if r.kind else none, not r.differs))


def _row(
    check: str,
    records: Sequence[RunRecord],
    judged: Sequence[dict[str, Judgement]],
    pairs: Sequence[tuple[int, int]],
) -> Row:
    found = [column.get(check) for column in judged]
    moves = [kind_of(found[before], found[now]) for before, now in pairs]
    kinds = sorted((kind for kind in moves if kind is not None), key=_ORDER.__getitem__)
    known = next(one for one in reversed(found) if one is not None)
    info = info_of(next(r for r in reversed(records) if _has(r, check)), check)
    verdicts = {one.verdict if one else None for one in found}
    return Row(
        check=check,
        title=info.title,
        area=info.area,
        level=known.level,
        kind=kinds[0] if kinds else None,
        differs=len(verdicts) > 1 or bool(kinds),
        cells=[None if one is None else _cell(one) for one in found],
    )


def _has(record: RunRecord, check: str) -> bool:
    return any(one.check == check for one in record.verdicts)


def _cell(judgement: Judgement) -> Cell:
    detail = judgement.reason
    if judgement.findings and judgement.found.is_deviation:
        first = judgement.findings[0]
        detail = f"expected {first.expected}, got {first.actual}"
    return Cell(verdict=judgement.verdict, detail=detail)


def _clients(records: Sequence[RunRecord]) -> list[ClientRow]:
    reach = [{one.client: one.reach for one in record.clients} for record in records]
    names = dict.fromkeys(name for found in reach for name in found)
    return [
        ClientRow(client=client(name), reach=[found.get(name) for found in reach]) for name in names
    ]


def _capabilities(records: Sequence[RunRecord], columns: Sequence[Column]) -> list[CapabilityRow]:
    known = []
    for column in columns:
        found = records[column.run].capabilities
        known.append({**found.get("", {}), **found.get(column.model or "", {})})
    names = dict.fromkeys(name for found in known for name in found)
    return [
        CapabilityRow(name=called(name), has=[found.get(name) for found in known]) for name in names
    ]


def _notices(records: Sequence[RunRecord]) -> list[str]:
    """What makes the runs hard to compare."""
    notices = []
    for what, values in (
        ("profiles", [record.selection.profile for record in records]),
        ("versions of metaio-verify", [record.tool.version for record in records]),
    ):
        if len(set(values)) > 1:
            named = listed(list(dict.fromkeys(values)))
            notices.append(f"The runs are of different {what}: {named}.")
    for number, record in enumerate(records):
        if record.stopped is not None:
            notices.append(f"{_label(number)} was not finished: {record.stopped.message}")
    return notices


def _exit_code(
    last: RunRecord, judged: Sequence[dict[str, Judgement]], pairs: Sequence[tuple[int, int]]
) -> int:
    """What the last run comes to where only what got worse counts."""
    codes = []
    for before, now in pairs:
        later = list(judged[now].values())
        models = {one.model: one.model for one in later if one.model is not None}
        earlier = list(judged[before].values())
        old = next((one.model for one in earlier if one.model is not None), None)
        models = {new: old if old is not None else new for new in models}
        found = changes(earlier, later, {k: v for k, v in models.items() if v is not None})
        strict = last.selection.strict
        codes.append(exit_code(later, strict=strict, stopped=last.stopped, changes=found))
    if ExitCode.FAILED in codes:
        return ExitCode.FAILED
    return ExitCode.OK if set(codes) <= {ExitCode.OK} else ExitCode.NOT_VERIFIED
