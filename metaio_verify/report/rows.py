"""Every judgement as a row of a table: what came out the same of several models is one row."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from metaio_verify.record import CheckInfo, Judgement, RunRecord
from metaio_verify.report.group import areas, info_of, tally
from metaio_verify.verdict import Level, Verdict


class Row(Struct, frozen=True):
    """One check that came out in one way."""

    check: str
    info: CheckInfo
    level: Level
    verdict: Verdict
    contract: tuple[str, ...]
    models: tuple[str, ...]
    reason: str
    exchanges: tuple[str, ...]


class Area(Struct, frozen=True):
    """The checks of one area."""

    heading: str
    worst: Verdict
    rows: list[Row]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many of its checks have each verdict; a check counts once, with its worst one."""
        found = tally(
            Judgement(check=row.check, level=row.level, verdict=row.verdict, contract=[])
            for row in self.rows
        )
        return {verdict: found[verdict] for verdict in Verdict if found[verdict]}


def by_area(record: RunRecord) -> list[Area]:
    """Return the areas in the order of the run."""
    groups: dict[str, list[Judgement]] = {}
    for judgement in record.verdicts:
        groups.setdefault(info_of(record, judgement.check).area, []).append(judgement)
    return [
        Area(area.heading, area.worst, _rows(record, judgements))
        for area, judgements in zip(areas(record), groups.values(), strict=True)
    ]


def _rows(record: RunRecord, judgements: Sequence[Judgement]) -> list[Row]:
    merged: dict[tuple[str, Verdict, str], list[Judgement]] = {}
    for one in judgements:
        merged.setdefault((one.check, one.verdict, one.reason), []).append(one)
    return [
        Row(
            check=group[0].check,
            info=info_of(record, group[0].check),
            level=group[0].level,
            verdict=group[0].verdict,
            contract=tuple(group[0].contract),
            models=tuple(dict.fromkeys(one.model for one in group if one.model is not None)),
            reason=group[0].reason,
            exchanges=tuple(dict.fromkeys(id_ for one in group for id_ in one.exchanges)),
        )
        for group in merged.values()
    ]
