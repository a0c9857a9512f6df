"""Order and concurrency: fires the jobs of a plan as their chains allow."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from metaio_verify.judge.check import Absent, capture, is_refusal, learn, met
from metaio_verify.judge.evidence import Evidence
from metaio_verify.probe.allowance import Allowance
from metaio_verify.probe.auth import styles_needed
from metaio_verify.probe.fire import Shot, Wire
from metaio_verify.probe.observer import Observer
from metaio_verify.probe.patience import Patience
from metaio_verify.probe.plan import Budget, Job, JobKey, request_tokens
from metaio_verify.probe.template import Values
from metaio_verify.record import Exchange
from metaio_verify.suite.model import Auth, Expect, Probe, Suite
from metaio_verify.verdict import Verdict

_SECOND_CHANCES = (0.5, 1.0, 2.0)
"""Seconds between looks at an endpoint that refuses connections: it may just be restarting."""

_HABIT = 2
"""What failed again for so many requests is no accident: others that fail so are not repeated."""

_MOMENT = 1.0
"""Seconds within which connections that break may have broken for the same reason."""

UNREACHED = frozenset({"connect", "dns"})
"""Failures without a connection. Where there was one before, the network is gone, or the server."""


class Engine:
    """The state of a run. What was learnt stays readable when the run is cut short."""

    def __init__(
        self,
        wire: Wire,
        suite: Suite,
        observer: Observer,
        *,
        concurrency: int,
        styles: Sequence[Auth],
        patience: Patience,
        settled: Callable[[Job], bool] = lambda _: False,
        late: Callable[[Sequence[Exchange]], list[Exchange]] = lambda _: [],
    ) -> None:
        self.models: Sequence[str] = ()
        self.evidence: list[Evidence] = []
        """What was seen so far, so that learning, judging and counting decode an answer once."""
        self.absent: dict[JobKey, Absent] = {}
        self.capabilities: dict[str, dict[str, bool]] = {}
        self._wire = wire
        self._suite = suite
        self._observer = observer
        self._concurrency = concurrency
        self._styles = frozenset(styles)
        self._settled = settled
        self.patience = patience
        self._done: dict[JobKey, str] = {}
        """Finished jobs → why they did not succeed; empty when they did."""
        self._captured: dict[JobKey, dict[str, Any]] = {}
        self._refused: set[JobKey] = set()
        self._stop: Absent | None = None
        self._late = late
        """Which exchanges are to be measured again, as they seem to have taken too long."""
        self._allowance: Allowance | None = None
        self._before = Budget(0, 0)
        """What was sent again before there was a plan."""
        self._firm: Counter[str] = Counter()
        """Failure → of how many requests it came again when they were repeated."""
        self._gone = False
        self._cut: list[tuple[float, Exchange]] = []
        """Exchanges without a whole answer since the last one that had one, and when they ended."""

    async def run(self, jobs: Sequence[Job]) -> None:
        """Fire all jobs; each as soon as what it waits for is finished."""
        self._allowance = Allowance(jobs, self.absent, self._before)
        planned = {job.key for job in jobs}
        order = {job.key: number for number, job in enumerate(jobs)}
        by_key = {job.key: job for job in jobs}
        open_needs = {
            job.key: {key for key in job.waits_for if key in planned and key not in self._done}
            for job in jobs
            if job.key not in self._done
        }
        followers: dict[JobKey, list[JobKey]] = {}
        ready: asyncio.PriorityQueue[tuple[int, JobKey]] = asyncio.PriorityQueue()
        for key, needs in open_needs.items():
            if not needs:
                ready.put_nowait((order[key], key))
            for need in needs:
                followers.setdefault(need, []).append(key)

        entrance = asyncio.Lock()

        async def work() -> None:
            while True:
                _, key = await ready.get()
                async with entrance:
                    # One in a turn of the loop. Side by side all of them would be ready at the end,
                    # and each would seem to take as long as it takes to make 64 requests.
                    await asyncio.sleep(0)
                await self._do(by_key[key])
                for other in followers.get(key, ()):
                    open_needs[other].discard(key)
                    if not open_needs[other]:
                        ready.put_nowait((order[other], other))
                ready.task_done()

        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(work()) for _ in range(self._concurrency)]
                await ready.join()
                for worker in workers:
                    worker.cancel()
        except BaseExceptionGroup as errors:
            # A fault of ours is named as what it is, not as a group of one.
            raise errors.exceptions[0] from None
        for late in self._late(self.exchanges):
            if self._stop is None and (self._concurrency > 1 or late.timing.lag):
                await self._measure_alone(late)

    def _affords(self, probe: Probe, patch: dict[str, Any] | None, *, writes: bool = True) -> bool:
        """Whether the plan has room for one more request of this probe; then it is taken.

        A repetition of what was refused `writes` no more than the first time.
        """
        tokens = request_tokens(probe, patch) if writes else 0
        if self._allowance is not None:
            return self._allowance.take(tokens)
        self._before = Budget(self._before.requests + 1, self._before.output_tokens + tokens)
        return True

    async def _measure_alone(self, late: Exchange) -> None:
        """Send again what took too long, with nothing beside it: our own load is not a defect."""
        probe = self._suite.probes[late.probe]
        filled = late.model or self.models[0]
        values = Values(filled, self._captures(late.model), _script(probe))
        patch = probe.attempts[late.attempt - 2] if late.attempt > 1 else None
        if not self._affords(probe, patch):
            return
        shot = Shot(late.attempt, late.copy, retry=1, retry_of=late.id, alone=True, patch=patch)
        again = await self._patiently(probe, late.model, values, shot)
        self.keep([replace(one, until_met=self._is_met(probe, one)) for one in again])

    def stop(self, verdict: Verdict, reason: str) -> None:
        """Fire nothing more; what is still open gets this verdict and reason."""
        self._stop = Absent(verdict, reason)

    def abandon(self, jobs: Sequence[Job], reason: str) -> None:
        """Say of each unfinished job why it has no evidence."""
        for job in jobs:
            if job.key not in self._done:
                self.absent.setdefault(job.key, Absent(Verdict.BLOCKED, reason))

    async def probe(self, probe: Probe, model: str | None, filled: str) -> list[Exchange]:
        """Fire one probe outside a plan; `filled` is the model that the request names."""
        captured = self._captures(model)
        copies: list[list[Exchange]] = []
        for turn in range(probe.times):
            numbers = range(turn * probe.at_once + 1, (turn + 1) * probe.at_once + 1)
            copies += await asyncio.gather(
                *(
                    self._copy(probe, model, Values(filled, captured, _script(probe)), copy)
                    for copy in numbers
                )
            )
        return [exchange for copy in copies for exchange in copy]

    def adopt(self, probe: Probe, model: str | None, exchanges: Sequence[Exchange]) -> None:
        """Take the evidence of one probe into the run."""
        key = (probe.id, model)
        self._done[key] = _shortfall(probe, exchanges)
        answers = self.keep(exchanges)
        for answer in answers:
            for name, value in learn(probe, answer, self._suite.schemas).items():
                for learner in [model] if model else self.models or [""]:
                    self.capabilities.setdefault(learner, {})[name] = value
        if answers and is_refusal(answers[-1]):
            self._refused.add(key)
        if not self._done[key]:
            self._captured[key] = capture(probe, answers[-1])

    def keep(self, exchanges: Iterable[Exchange]) -> list[Evidence]:
        """Take exchanges into what was seen."""
        new = [Evidence(exchange) for exchange in exchanges]
        self.evidence += new
        return new

    @property
    def exchanges(self) -> list[Exchange]:
        """What was sent so far, with the answers."""
        return [one.exchange for one in self.evidence]

    @property
    def gone(self) -> list[Exchange]:
        """When the endpoint went away in the middle of the run: what it never answered in full."""
        return [exchange for _, exchange in self._cut] if self._gone else []

    async def _is_gone(self, exchange: Exchange) -> bool:
        """Watch for an endpoint that answered before and cannot be reached any more."""
        now = asyncio.get_running_loop().time()
        if exchange.failure is None:
            # Of the answers under way when a server dies one may still come whole.
            self._cut = [(at, one) for at, one in self._cut if at > now - _MOMENT and _is_cut(one)]
            return False
        self._cut.append((now, exchange))
        if self._gone or not self.evidence or not _unreached(exchange):
            return self._gone
        self._observer.note("the endpoint takes no connections; looking again")
        for pause in _SECOND_CHANCES:
            await asyncio.sleep(pause)
            if self._gone or await self._wire.is_there():
                return self._gone
        self._gone = True
        self.stop(Verdict.BLOCKED, "the endpoint went away during the run")
        return True

    async def _do(self, job: Job) -> None:
        absent = self._stop or self._blindness(job) or self._hindrance(job)
        if absent is not None:
            self.absent[job.key] = absent
            self._done[job.key] = absent.reason
        else:
            self._observer.fired(job.probe.id, job.model)
            filled = job.model or self.models[0]
            exchanges = await self.probe(job.probe, job.model, filled)
            self.adopt(job.probe, job.model, exchanges)
        self._observer.settled(job.probe.id, job.model)
        if self._stop is None and self._settled(job):
            self.stop(Verdict.SKIPPED, "stopped at the first failure (--fail-fast)")

    def _blindness(self, job: Job) -> Absent | None:
        """Why nothing could be seen behind the gateway, if so."""
        if not _script(job.probe) or self._wire.upstream is not None:
            return None
        return Absent(
            Verdict.SKIPPED, "it takes a look behind the gateway, and --upstream was not given"
        )

    def _hindrance(self, job: Job) -> Absent | None:
        """Why a job cannot be fired, if so."""
        foreign = styles_needed(job.probe.auth) - self._styles
        if foreign:
            names = " and ".join(sorted(foreign))
            return Absent(Verdict.SKIPPED, f"the run was told not to try {names}")
        known = self.capabilities.get(job.model or self.models[0], {})
        for name in job.probe.requires:
            if known.get(name) is False:
                return Absent(Verdict.SKIPPED, f"the target does not offer {name}")
        for key in job.explains:
            if key not in self._refused:
                reason = f"`{key[0]}` was not refused"
                return self.absent.get(key) or Absent(Verdict.SKIPPED, reason)
        for key in job.needs:
            if key in self.absent:
                return self.absent[key]
            if problem := self._done.get(key, ""):
                return Absent(Verdict.BLOCKED, problem)
            if missing := self._missing_capture(job, key):
                return Absent(Verdict.BLOCKED, missing)
        for name in job.probe.requires:
            if name not in known:
                return Absent(Verdict.BLOCKED, f"it is not known whether the target offers {name}")
        return None

    def _missing_capture(self, job: Job, key: JobKey) -> str:
        used = {name for id_, name in job.repeats if id_ == key[0]}
        missing = sorted(used - self._captured.get(key, {}).keys())
        if not missing:
            return ""
        return f"the answer to `{key[0]}` has no {', '.join(missing)} to go on with"

    def _captures(self, model: str | None) -> dict[str, dict[str, Any]]:
        """What earlier answers gave, as seen by a job of this model."""
        model = model or (self.models[0] if self.models else None)
        return {id_: found for (id_, of), found in self._captured.items() if of in (None, model)}

    async def _copy(
        self, probe: Probe, model: str | None, values: Values, copy: int
    ) -> list[Exchange]:
        """One copy of a probe: its attempts until the model did what was asked."""
        exchanges: list[Exchange] = []
        for attempt, patch in enumerate([None, *probe.attempts], start=1):
            if attempt > 1 and not self._affords(probe, patch):
                break
            shot = Shot(attempt=attempt, copy=copy, patch=patch)
            *refused, last = await self._patiently(probe, model, values, shot)
            last = replace(last, until_met=self._is_met(probe, last))
            exchanges += [*refused, last]
            if last.until_met is not False:
                break
        return exchanges

    def _is_met(self, probe: Probe, exchange: Exchange) -> bool | None:
        """Whether the model did what was asked; none when nothing was, or it never answered."""
        if not isinstance(probe.until, Expect) or not _succeeded(exchange):
            return None
        return met(probe.until, exchange, self._suite.schemas)

    async def _patiently(
        self, probe: Probe, model: str | None, values: Values, shot: Shot
    ) -> list[Exchange]:
        """Send a request, again after a wait while the endpoint asks for one."""
        tried: list[Exchange] = []
        while True:
            # A burst is there to see what the endpoint does under load, so it is not slowed down.
            async with self.patience.turn(alone=probe.at_once == 1) as turn:
                exchange = await self._wire.send(probe, model, values, shot)
            tried.append(exchange)
            self._observer.answered(exchange)
            if await self._is_gone(exchange):
                return tried
            if _unreached(exchange) and len(tried) == 1:
                shot = replace(shot, retry=shot.retry + 1, retry_of=exchange.id)
                continue
            # What the upstream played is what was asked for, also where it is a refusal.
            again = (probe.at_once == 1 and not exchange.forwarded) and (
                self.patience.waits(exchange, turn, len(tried))
                # Clients repeat it, so what does not come again hurts nobody.
                or self._may_be_accident(probe, tried, shot)
            )
            if not again:
                return tried
            shot = replace(shot, retry=shot.retry + 1, retry_of=exchange.id)

    def _may_be_accident(self, probe: Probe, tried: Sequence[Exchange], shot: Shot) -> bool:
        """Whether a failure of the endpoint may be gone when its request is sent once more."""
        last = tried[-1]
        if not _stumbled(last):
            return False
        failure = Evidence(last).outcome
        if len(tried) > 1:
            if failure == Evidence(tried[-2]).outcome:
                self._firm[failure] += 1
            return False
        return self._firm[failure] < _HABIT and self._affords(
            probe, shot.patch, writes=_succeeded(last)
        )


def _script(probe: Probe) -> str:
    return probe.upstream if isinstance(probe.upstream, str) else ""


def _stumbled(exchange: Exchange) -> bool:
    """Whether an answer is a failure of the endpoint, at its beginning or within its stream."""
    if exchange.response is None:
        return False
    last = exchange.events[-1].data if exchange.events else None
    failed = isinstance(last, dict) and last.get("type") == "error"
    return failed or exchange.response.status in (500, 502, 503, 504)


def _is_cut(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind in (*UNREACHED, "reset")


def _unreached(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind in UNREACHED


def _succeeded(exchange: Exchange) -> bool:
    response = exchange.response
    return exchange.failure is None and response is not None and 200 <= response.status < 300


def _shortfall(probe: Probe, exchanges: Sequence[Exchange]) -> str:
    """Why a probe's answers are no ground for others to build on; empty when they are."""
    last = {exchange.copy: exchange for exchange in exchanges}
    for exchange in last.values():
        if exchange.failure is not None:
            return f"`{probe.id}` got no complete answer: {exchange.failure.detail}"
        if exchange.response is not None and not _succeeded(exchange):
            return f"`{probe.id}` was answered {exchange.response.status}"
        if exchange.until_met is False and probe.captures:
            return f"the model did not do what `{probe.id}` asks for"
    return ""
