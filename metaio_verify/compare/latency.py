"""How long the probes took, and which of them moved by more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from metaio_verify.compare.model import Latency
from metaio_verify.record import Exchange, RunRecord

_LARGE = 1.5
"""So many times as long is a move; a usual spread of one probe is below that."""
LEAST = 0.1
"""Seconds that a probe has to move by: below, a factor says nothing a user would notice."""


class Latencies(NamedTuple):
    """The medians of each probe, the largest move first, and how a usual probe moved."""

    probes: list[Latency]
    pace: float | None
    shift_s: float | None


def latencies(
    targets: Sequence[tuple[RunRecord, str | None]], pairs: Sequence[tuple[int, int]]
) -> Latencies:
    """Return how long the probes took on every target."""
    measured = [_measured(record, model) for record, model in targets]
    probes = list(dict.fromkeys(probe for one in measured for probe in one))
    found = [_latency(probe, [one.get(probe, []) for one in measured], pairs) for probe in probes]
    found.sort(key=_move, reverse=True)
    factors = [one.factor for one in found if one.factor is not None]
    shifts = [
        now - before
        for one in found
        for a, b in pairs
        if (before := one.total[a]) is not None and (now := one.total[b]) is not None
    ]
    if not factors or not shifts:
        return Latencies(found, None, None)
    return Latencies(found, round(median(factors), 2), round(median(shifts), 3))


def _measured(record: RunRecord, model: str | None) -> dict[str, list[Exchange]]:
    """The complete answers of a target by probe."""
    found: dict[str, list[Exchange]] = {}
    for one in record.exchanges:
        complete = one.failure is None and one.response is not None and not one.aborted
        if complete and (one.model is None or model is None or one.model == model):
            found.setdefault(one.probe, []).append(one)
    return found


def _latency(
    probe: str, answers: Sequence[Sequence[Exchange]], pairs: Sequence[tuple[int, int]]
) -> Latency:
    total = [_median([one.timing.total for one in column]) for column in answers]
    first = [_median([_first_byte(one) for one in column]) for column in answers]
    moves = [
        (before, now)
        for a, b in pairs
        if (before := total[a]) is not None and (now := total[b]) is not None
    ]
    before, now = max(moves, key=lambda move: abs(move[1] - move[0]), default=(0.0, 0.0))
    factor = round(now / before, 2) if before > 0 else None
    longest, shortest = max(before, now), min(before, now)
    moved = longest - shortest >= LEAST and longest >= _LARGE * shortest
    return Latency(probe=probe, first_byte=first, total=total, factor=factor, moved=moved)


def _first_byte(exchange: Exchange) -> float:
    timing = exchange.timing
    if timing.chunks:
        return timing.chunks[0][0]
    return timing.headers if timing.headers is not None else timing.total


def _median(values: Sequence[float]) -> float | None:
    return round(median(values), 4) if values else None


def _move(one: Latency) -> tuple[bool, float]:
    known = [value for value in one.total if value is not None]
    return one.moved, max(known) - min(known) if known else 0.0
