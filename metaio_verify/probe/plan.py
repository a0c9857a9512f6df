"""What a run will send: probes expanded over models, with what each waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from metaio_verify.suite.links import captured, explained, teachers
from metaio_verify.suite.model import Probe, Scope

JobKey: TypeAlias = tuple[str, str | None]
"""Probe id and model; no model for a probe of endpoint scope."""


class Job(Struct, frozen=True):
    """One probe to fire at one target."""

    probe: Probe
    model: str | None
    """None for a probe of endpoint scope, which uses the first model."""
    needs: tuple[JobKey, ...]
    """Jobs that must have succeeded."""
    learns_from: tuple[JobKey, ...]
    """Jobs that must be finished because they teach a required capability."""
    explains: tuple[JobKey, ...] = ()
    """Jobs that must have been refused."""
    repeats: tuple[tuple[str, str], ...] = ()
    """What it sends again of earlier answers: probe and name of the captured value."""

    @property
    def key(self) -> JobKey:
        """The identity of this job within a run."""
        return (self.probe.id, self.model)

    @property
    def waits_for(self) -> tuple[JobKey, ...]:
        """All jobs that come first."""
        return self.needs + self.learns_from + self.explains


class Budget(Struct, frozen=True):
    """What a plan costs at most."""

    requests: int
    output_tokens: int


def plan(probes: Sequence[Probe], models: Sequence[str]) -> list[Job]:
    """The jobs of a run, longest chain first, so that no chain is left for the end."""
    by_id = {probe.id: probe for probe in probes}
    taught_by = teachers(probes)

    def key(probe_id: str, model: str | None) -> JobKey:
        if by_id[probe_id].scope is Scope.ENDPOINT:
            return (probe_id, None)
        return (probe_id, model or models[0])

    jobs: list[Job] = []
    for probe in probes:
        repeats = tuple(captured(probe))
        needed = dict.fromkeys([*probe.needs, *(id_ for id_, _ in repeats)])
        taught = [id_ for name in probe.requires for id_ in taught_by.get(name, []) if id_ in by_id]
        jobs += [
            Job(
                probe=probe,
                model=model,
                needs=tuple(key(id_, model) for id_ in needed if id_ in by_id),
                learns_from=tuple(key(id_, model) for id_ in taught),
                explains=tuple(key(id_, model) for id_ in explained(probe) if id_ in by_id),
                repeats=repeats,
            )
            for model in ([None] if probe.scope is Scope.ENDPOINT else models)
        ]
    heights = _heights(jobs)
    return sorted(jobs, key=lambda job: -heights[job.key])


def budget(jobs: Iterable[Job]) -> Budget:
    """The worst case: every attempt is needed and every answer is as long as it may be.

    One request is refused or answered: of what looks into its refusal and what builds on its
    answer only the one is sent, and the other, that costs less, is taken off.
    """
    jobs = list(jobs)
    requests = sum(job.probe.max_exchanges for job in jobs)
    tokens = sum(map(_output_tokens, jobs))
    for looking, building in _either_or(jobs):
        requests -= min(
            sum(job.probe.max_exchanges for job in some) for some in (looking, building)
        )
        tokens -= min(sum(map(_output_tokens, some)) for some in (looking, building))
    return Budget(requests, tokens)


def _either_or(jobs: Sequence[Job]) -> Iterator[tuple[list[Job], list[Job]]]:
    """Yield, for each request whose refusal is looked into: what does that, what needs its answer.

    Of a request that is sent several times one may be refused and another one answered.
    """
    single = {job.key for job in jobs if job.probe.max_exchanges == 1}
    for key in dict.fromkeys(key for job in jobs for key in job.explains if key in single):
        yield (
            [job for job in jobs if key in job.explains],
            [job for job in jobs if key in job.needs or set(job.learns_from) == {key}],
        )


def _output_tokens(job: Job) -> int:
    probe = job.probe
    if probe.method != "POST" or probe.path.endswith("/count_tokens"):
        return 0
    limit = _max_tokens(probe.json)
    once = limit + sum(_max_tokens(patch) or limit for patch in probe.attempts)
    return probe.times * probe.at_once * once


def _max_tokens(body: Any) -> int:
    value = body.get("max_tokens") if isinstance(body, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def _heights(jobs: Sequence[Job]) -> dict[JobKey, int]:
    """For each job the length of the longest chain that it starts."""
    heights = {job.key: 1 for job in jobs}
    followers: dict[JobKey, list[JobKey]] = {}
    for job in jobs:
        for before in job.waits_for:
            followers.setdefault(before, []).append(job.key)

    def height(key: JobKey) -> int:
        known = measured.get(key)
        if known is None:
            known = 1 + max((height(after) for after in followers.get(key, [])), default=0)
            measured[key] = known
        return known

    measured: dict[JobKey, int] = {}
    return {key: height(key) for key in heights}
