"""What the parts of a suite say about each other: who repeats, explains and waits for whom."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import UNSET

from metaio_verify.probe.template import references
from metaio_verify.suite.model import METHODS, Probe

_MAX_CYCLES = 20


def sent(probe: Probe) -> dict[str, Any]:
    """The parts of a probe in which references are filled, by key."""
    keys = (*METHODS, "query", "headers", "json", "body", "attempts")
    parts = {key: getattr(probe, key) for key in keys}
    return {key: part for key, part in parts.items() if part is not UNSET}


def captured(probe: Probe) -> list[tuple[str, str]]:
    """The captured values that a probe sends again: probe and name, in order."""
    names = (name.partition(".") for name in references(list(sent(probe).values())))
    return list(dict.fromkeys((id_, name) for id_, dot, name in names if dot))


def teachers(probes: Iterable[Probe]) -> dict[str, list[str]]:
    """Capability → the probes from whose answers it is learnt."""
    found: dict[str, list[str]] = {}
    for probe in probes:
        for capability in probe.learns:
            found.setdefault(capability, []).append(probe.id)
    return found


def waits_for(probe: Probe, taught_by: Mapping[str, list[str]]) -> list[str]:
    """The probes that come before a probe: needed, repeated, explained, or teaching it."""
    taught = (id_ for capability in probe.requires for id_ in taught_by.get(capability, []))
    before = [*probe.needs, *(id_ for id_, _ in captured(probe)), *taught]
    return list(dict.fromkeys([*before, *explained(probe)]))


def explained(probe: Probe) -> list[str]:
    """The probe whose refusal a probe looks into, if any."""
    return [probe.when_refused] if isinstance(probe.when_refused, str) else []


def cycles(probes: Mapping[str, Probe]) -> Iterator[list[str]]:
    """Probes that wait for each other and so could never be fired; each ends where it began."""
    taught_by = teachers(probes.values())
    graph = {id_: set(waits_for(probe, taught_by)) for id_, probe in probes.items()}
    for _ in range(_MAX_CYCLES):
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            # Each id is waited for by the next one; turned round, it reads "waits for".
            cycle: list[str] = error.args[1][::-1]
            yield cycle
            graph[cycle[0]].discard(cycle[1])
        else:
            return
