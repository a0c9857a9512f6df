"""When things happened: the course of one stream, and how long each probe took, as geometry.

Positions are per cent of the width, so a page can draw them at any size.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct, field

from metaio_verify.record import Exchange, RunRecord, StreamEvent

_MOST_TICKS = 240
"""Marks of one lane; more cannot be told apart."""
_MOST_LANES = 12
_SHORTEST = 0.001
"""The left end of the latency plot is never below a millisecond."""
_BLOCK = "content_block_"
_KINDS = {
    "message_start": "start",
    "message_delta": "delta",
    "message_stop": "stop",
    "content_block_start": "start",
    "content_block_delta": "delta",
    "content_block_stop": "stop",
    "ping": "ping",
    "error": "error",
}


class Mark(Struct, frozen=True):
    """A moment, or with a width a span of time."""

    x: float
    title: str
    kind: str
    width: float = 0.0


class Lane(Struct, frozen=True):
    """One line of a plot."""

    label: str
    marks: list[Mark] = field(default_factory=list)


class Latency(Struct, frozen=True):
    """How long the requests of one probe took."""

    probe: str
    median: float
    marks: list[Mark]


class Latencies(Struct, frozen=True):
    """All probes on one logarithmic axis, the slowest first."""

    rows: list[Latency]
    axis: list[Mark]


def course(exchange: Exchange) -> list[Lane]:
    """Return the lanes of a stream: its bytes, its message, each content block, and the rest.

    They begin with the head of the answer: how long that took is the latency plot's matter.
    """
    if not exchange.events:
        return []
    start = exchange.timing.headers or 0.0
    end = max(exchange.timing.total, *(one.at for one in exchange.events), start + 1e-6)

    def at(moment: float) -> float:
        return min(100.0, max(0.0, 100 * (moment - start) / (end - start)))

    lanes = [_bytes(exchange, at)]
    by_label: dict[str, list[tuple[int, StreamEvent]]] = {}
    for number, event in enumerate(exchange.events):
        by_label.setdefault(_label(event), []).append((number, event))
    # Blocks in the order of their numbers, what is not of the protocol at the end.
    for label in sorted(by_label, key=_order)[:_MOST_LANES]:
        events = by_label[label]
        lanes.append(Lane(label, [*_span(label, events, at), *_ticks(events, at)]))
    return lanes


def latencies(record: RunRecord) -> Latencies:
    """Return how long each probe took, with an axis for all of them."""
    by_probe: dict[str, list[Exchange]] = {}
    for exchange in record.exchanges:
        by_probe.setdefault(exchange.probe, []).append(exchange)
    times = [max(one.timing.total, _SHORTEST) for one in record.exchanges]
    if not times:
        return Latencies([], [])
    steps = _steps(min(times), max(times))
    low, high = math.log10(steps[0]), math.log10(steps[-1])

    def at(seconds: float) -> float:
        return 100 * (math.log10(max(seconds, steps[0])) - low) / (high - low)

    rows = [
        Latency(
            probe,
            statistics.median(one.timing.total for one in group),
            [mark for one in _sampled(group) for mark in _took(one, at)],
        )
        for probe, group in by_probe.items()
    ]
    rows.sort(key=lambda row: -row.median)
    return Latencies(rows, [Mark(at(step), round_time(step), "axis") for step in steps])


def _steps(shortest: float, longest: float) -> list[float]:
    """Return 1, 2, 5, 10, 20 … from at most the shortest to at least the longest time."""
    low = math.floor(math.log10(shortest))
    steps = [m * 10.0**power for power in range(low, low + 12) for m in (1, 2, 5)]
    first = max(n for n, step in enumerate(steps) if step <= shortest * 1.0001)
    last = next((n for n, step in enumerate(steps) if step >= longest), len(steps) - 1)
    return steps[first : max(last, first + 1) + 1]


def spoken(seconds: float) -> str:
    """Return a short time as `4.2 ms`, `159 ms` or `1.23 s`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def round_time(seconds: float) -> str:
    """Return the time of a mark of an axis."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def _took(exchange: Exchange, at: Any) -> Iterable[Mark]:
    """The wait for the first line of the answer, the rest of it, and its end."""
    clock = exchange.timing
    words = f"{exchange.id}: {spoken(clock.total)}"
    if clock.headers is not None:
        words += f", head after {spoken(clock.headers)}"
        start = at(clock.headers)
        yield Mark(start, "", "body", max(0.0, at(clock.total) - start))
    yield Mark(at(clock.total), words, "ok" if exchange.failure is None else "failed")


def _bytes(exchange: Exchange, at: Any) -> Lane:
    chunks = [
        Mark(at(moment), f"{length:,} bytes after {spoken(moment)}", "chunk")
        for moment, length in _sampled(exchange.timing.chunks)
    ]
    return Lane("bytes", [Mark(0.0, "the answer", "body", 100.0), *chunks])


def _label(event: StreamEvent) -> str:
    name = _name(event)
    if name.startswith("message_"):
        return "message"
    if name.startswith(_BLOCK) and isinstance(event.data, dict):
        index = event.data.get("index")
        if isinstance(index, int) and not isinstance(index, bool):
            return f"block {index}"
    return "ping" if name == "ping" else "other"


def _order(label: str) -> tuple[int, int]:
    kind, _, number = label.partition(" ")
    rank = {"message": 0, "block": 1, "ping": 2}.get(kind, 3)
    return rank, int(number) if number else 0


def _name(event: StreamEvent) -> str:
    told = event.data.get("type") if isinstance(event.data, dict) else None
    return told if isinstance(told, str) else event.event or ""


def _span(label: str, events: Sequence[tuple[int, StreamEvent]], at: Any) -> Iterable[Mark]:
    """The time from the first event of a message or block to its last one."""
    if label.startswith(("message", "block")):
        first, last = at(events[0][1].at), at(events[-1][1].at)
        yield Mark(first, label, "span", max(0.0, last - first))


def _ticks(events: Sequence[tuple[int, StreamEvent]], at: Any) -> Iterable[Mark]:
    for number, event in _sampled(events):
        name = _name(event)
        title = f"event {number}: {name or 'no name'} after {spoken(event.at)}"
        yield Mark(at(event.at), title, _KINDS.get(name, "other"))


def _sampled(many: Sequence[Any]) -> Sequence[Any]:
    """Return at most as many as can be told apart, evenly, with the first and the last."""
    if len(many) <= _MOST_TICKS:
        return many
    step = (len(many) - 1) / (_MOST_TICKS - 1)
    return [many[round(number * step)] for number in range(_MOST_TICKS)]
