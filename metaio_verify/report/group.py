"""Judgements brought together as a person reads them: each check once, with the models it is about.

A check is judged once for each model. What came out the same is said once; tokens and model ids,
which differ by design, do not count as a difference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from metaio_verify.record import CheckInfo, Exchange, Finding, Judgement, RunRecord
from metaio_verify.report.text import clients
from metaio_verify.verdict import Level, Verdict

_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.BLOCKED,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.NOTE,
    Verdict.WAIVED,
    Verdict.DECLINED,
    Verdict.PASS,
    Verdict.SKIPPED,
)
_SEVERITY = {verdict: rank for rank, verdict in enumerate(_WORST_FIRST)}
_TOKEN = re.compile(r"VERIFY-[A-Z0-9]{8}")

Tally: TypeAlias = Counter[Verdict]
"""How many checks ended in which verdict; a check counts once, with its worst one."""


class Seen(Struct, frozen=True):
    """One finding, with the models and exchanges that showed it."""

    finding: Finding
    models: tuple[str, ...]
    exchanges: tuple[str, ...]


class Deviation(Struct, frozen=True):
    """One check that was violated in one way of judging it."""

    check: str
    info: CheckInfo
    level: Level
    verdict: Verdict
    contract: tuple[str, ...]
    models: tuple[str, ...]
    """Empty for a check on the endpoint as a whole."""
    reason: str
    seen: tuple[Seen, ...]
    exchanges: tuple[str, ...]

    @property
    def shown_by(self) -> tuple[str, ...]:
        """Its exchanges, those that a finding names first."""
        named = (id_ for seen in self.seen for id_ in seen.exchanges)
        return tuple(dict.fromkeys([*named, *self.exchanges]))

    @property
    def is_tolerated(self) -> bool:
        """Whether another answer than the required one came that clients cope with.

        `reason` says how; what breaks when the requirement is violated does not happen then.
        """
        return self.level is Level.MUST and self.verdict is not Verdict.FAIL and bool(self.reason)

    @property
    def effects(self) -> dict[str, str]:
        """Clients → what their users see; clients with the same effect stand together."""
        if self.is_tolerated:
            return {}
        by_effect: dict[str, list[str]] = {}
        for name, effect in self.info.breaks.items():
            by_effect.setdefault(effect, []).append(name)
        return {clients(names): effect for effect, names in by_effect.items()}


class Unsettled(Struct, frozen=True):
    """Checks that neither pass nor deviate, for one and the same reason."""

    verdict: Verdict
    reason: str
    checks: tuple[str, ...]
    models: tuple[str, ...]
    musts: int
    """How many of the checks are must-checks."""


class Area(Struct, frozen=True):
    """One area of the suite."""

    heading: str
    tally: Tally

    @property
    def worst(self) -> Verdict:
        """The worst verdict of the area."""
        return min(self.tally, key=_SEVERITY.__getitem__)


def evidence(record: RunRecord, ids: Iterable[str]) -> Exchange | None:
    """Return the first of these exchanges that the record holds."""
    by_id = {one.id: one for one in record.exchanges}
    return next((found for id_ in ids if (found := by_id.get(id_))), None)


def tally(judgements: Iterable[Judgement]) -> Tally:
    """Count checks by their worst verdict."""
    worst: dict[str, Verdict] = {}
    for judgement in judgements:
        before = worst.get(judgement.check, judgement.verdict)
        worst[judgement.check] = min(before, judgement.verdict, key=_SEVERITY.__getitem__)
    return Counter(worst.values())


def applicable(counts: Tally) -> int:
    """Return how many checks the selection really asked for."""
    return counts.total() - counts[Verdict.SKIPPED]


def info_of(record: RunRecord, check: str) -> CheckInfo:
    """Return what the record says about a check; a bare stand-in when it says nothing."""
    found = record.checks.get(check)
    if found is not None:
        return found
    return CheckInfo(title=check, area=check.partition(".")[0], sources=[], breaks={}, fix="")


def areas(record: RunRecord) -> list[Area]:
    """Return the areas in the order of the run."""
    by_area: dict[str, list[Judgement]] = {}
    for judgement in record.verdicts:
        by_area.setdefault(info_of(record, judgement.check).area, []).append(judgement)
    return [
        Area(record.areas.get(area, area.replace("-", " ").capitalize()), tally(judgements))
        for area, judgements in by_area.items()
    ]


def deviations(record: RunRecord) -> list[Deviation]:
    """Return failures, then warnings, then notes; each check once for each of its verdicts."""
    groups: dict[tuple[str, Verdict], list[Judgement]] = {}
    for judgement in record.verdicts:
        if judgement.verdict.is_deviation:
            groups.setdefault((judgement.check, judgement.verdict), []).append(judgement)
    found = [_deviation(record, group) for group in groups.values()]
    return sorted(found, key=lambda deviation: _SEVERITY[deviation.verdict])


def waived(record: RunRecord) -> list[Deviation]:
    """Return what is waived, each with the verdict that it would have."""
    found = [
        replace(one, verdict=one.found, waiver=None)
        for one in record.verdicts
        if one.waiver is not None
    ]
    return deviations(replace(record, verdicts=found))


def _deviation(record: RunRecord, group: Sequence[Judgement]) -> Deviation:
    first = group[0]
    return Deviation(
        check=first.check,
        info=info_of(record, first.check),
        level=first.level,
        verdict=first.verdict,
        contract=tuple(first.contract),
        models=_models(group),
        reason=first.reason,
        seen=tuple(_seen(group)),
        exchanges=tuple(dict.fromkeys(id_ for one in group for id_ in one.exchanges)),
    )


def _seen(group: Sequence[Judgement]) -> list[Seen]:
    """Merge equal findings, in the order of their first appearance."""
    merged: dict[tuple[str, ...], list[tuple[Judgement, Finding]]] = {}
    for judgement in group:
        for finding in judgement.findings:
            texts = (finding.expected, finding.actual, finding.where)
            key = tuple(normal(text, judgement.model) for text in texts)
            merged.setdefault(key, []).append((judgement, finding))
    return [
        Seen(
            finding=pairs[0][1],
            models=_models([judgement for judgement, _ in pairs]),
            exchanges=tuple(dict.fromkeys(f.exchange for _, f in pairs if f.exchange)),
        )
        for pairs in merged.values()
    ]


def unsettled(record: RunRecord, verdict: Verdict) -> list[Unsettled]:
    """Return the checks of one such verdict by their reason, the largest group first."""
    groups: dict[str, list[Judgement]] = {}
    for judgement in record.verdicts:
        if judgement.verdict is verdict:
            groups.setdefault(normal(_reason(judgement), judgement.model), []).append(judgement)
    found = [
        Unsettled(
            verdict=verdict,
            reason=_reason(group[0]),
            checks=tuple(dict.fromkeys(judgement.check for judgement in group)),
            models=_models(group),
            musts=len({one.check for one in group if one.level is Level.MUST}),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda group: -len(group.checks))


def _reason(judgement: Judgement) -> str:
    if judgement.waiver is not None:
        return f"{judgement.waiver.reason} (until {judgement.waiver.expires})"
    if judgement.reason or not judgement.findings:
        return judgement.reason or judgement.verdict.meaning
    return judgement.findings[0].actual


def _models(group: Iterable[Judgement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.model for one in group if one.model is not None))


def normal(text: str, model: str | None) -> str:
    """Return a text without what differs by design: tokens, and the model's id."""
    text = _TOKEN.sub("VERIFY-…", text)
    return text.replace(model, "…") if model else text
