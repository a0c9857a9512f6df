"""What a run will send: probes expanded over models, with what each waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from metaio_verify.suite.links import captured, explained, teachers
from metaio_verify.suite.model import Probe, Scope

JobKey: TypeAlias = tuple[str, str | None]
"""Probe id and model; no model for a probe of endpoint scope."""


_REPEATS = 4
"""So many requests may be sent once more in any case."""


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
    """The worst case: all that a run sends, but for what is refused for load and comes again later.

    Beside the first attempt of each request these are further attempts, one repetition of what
    failed, and one of what came late. They share what the attempts alone would need, or else so
    much that four requests, or one request of the costliest kind, can be sent once more.
    """
    jobs = list(jobs)
    first = first_attempts(jobs)
    more = sum(job.probe.max_exchanges - _copies(job) for job in jobs)
    written = sum(_copies(job) * sum(_later_tokens(job.probe)) for job in jobs)
    costliest = max((request_tokens(job.probe) for job in jobs), default=0)
    return Budget(
        first.requests + max(more, min(_REPEATS, first.requests)),
        first.output_tokens + max(written, costliest),
    )


def first_attempts(jobs: Sequence[Job]) -> Budget:
    """What it costs at most to send each request once.

    One request is refused or answered: of what looks into its refusal and what builds on its
    answer only the one is sent, and the other, that costs less, is taken off.
    """
    requests, tokens = _sums(jobs)
    for pair in _either_or(jobs):
        sums = [_sums(some) for some in pair]
        requests -= min(requests for requests, _ in sums)
        tokens -= min(tokens for _, tokens in sums)
    return Budget(requests, tokens)


def request_tokens(probe: Probe, patch: Mapping[str, Any] | None = None) -> int:
    """The output tokens that one request allows; a count of tokens allows none."""
    if probe.method != "POST" or probe.path.endswith("/count_tokens"):
        return 0
    return _max_tokens(patch) or _max_tokens(probe.json)


def _sums(jobs: Iterable[Job]) -> tuple[int, int]:
    """Requests and output tokens of the first attempts."""
    copies = [(_copies(job), request_tokens(job.probe)) for job in jobs]
    return sum(count for count, _ in copies), sum(count * tokens for count, tokens in copies)


def _copies(job: Job) -> int:
    return job.probe.times * job.probe.at_once


def _later_tokens(probe: Probe) -> list[int]:
    return [request_tokens(probe, patch) for patch in probe.attempts]


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
