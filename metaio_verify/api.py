"""The Python interface: `verify` an endpoint and get the run record that every report is made of.

from metaio_verify import Endpoint, Options, verify

record = verify(Endpoint("https://gateway.example.com", api_key="…"), Options(profile="quick"))
assert record.exit_code == 0
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from msgspec import Struct

from metaio_verify import __version__
from metaio_verify.cost import cost_of
from metaio_verify.errors import Problem, UserError
from metaio_verify.judge.check import Absent, Collected, collect, judge
from metaio_verify.judge.clients import clients
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.grounds import cut_short
from metaio_verify.judge.late import late
from metaio_verify.outcome import exit_code
from metaio_verify.probe.auth import STYLES
from metaio_verify.probe.client import Bounds, Client
from metaio_verify.probe.engine import UNREACHED, Engine
from metaio_verify.probe.fire import Wire
from metaio_verify.probe.observer import Observer, Silent
from metaio_verify.probe.patience import Patience
from metaio_verify.probe.plan import Budget, Job, JobKey, budget, plan
from metaio_verify.probe.preflight import ALL, LISTING, Findings, Preflight, listed_ids, openers
from metaio_verify.probe.proxies import proxy_secrets
from metaio_verify.probe.redact import Redactor, without_secrets
from metaio_verify.probe.target import BaseUrl, parse_base_url, parse_credential
from metaio_verify.probe.trust import ways_to
from metaio_verify.probe.upstream import greet, parse_upstream
from metaio_verify.record import (
    CheckInfo,
    Exchange,
    Judgement,
    RunRecord,
    Selection,
    Stop,
    Target,
    Tool,
    Unfired,
)
from metaio_verify.suite.load import builtin, load
from metaio_verify.suite.model import Auth, Check, Probe, Suite
from metaio_verify.suite.select import select
from metaio_verify.verdict import Level, Verdict
from metaio_verify.wanted import AUTO, Endpoint, Options

_LEAST_TOTAL = 30.0
TOOL = Tool(name="metaio-verify", version=__version__)


class Chosen(Struct, frozen=True):
    """A suite and what was selected of it."""

    suite: Suite
    checks: Sequence[Check]
    probes: Sequence[Probe]


def choose(options: Options, *, upstream: bool = False) -> Chosen:
    """Load the suite and select from it; raises `UserError` with every mistake that was found.

    With an `upstream`, the checks that look behind the gateway belong to every profile.
    """
    suite = builtin()
    if options.checks:
        suite = load(options.checks, base=suite)
    selected = select(
        suite,
        options.profile,
        options.only,
        options.skip,
        options.tags,
        upstream=upstream,
        places=options.places,
    )
    return Chosen(suite, selected.checks, selected.probes)


def planned(chosen: Chosen, models: Sequence[str]) -> tuple[list[Job], Budget]:
    """What a run would send at most, in order; `all` counts as one model.

    What finds out the credential style and the models comes first, selected or not. Not counted:
    what is sent again because it was refused for load, and further listed models and base URLs
    that are tried because the first one does not work.
    """
    first = openers(models)
    probes = {id_: chosen.suite.probes[id_] for id_ in first}
    probes |= {probe.id: probe for probe in chosen.probes}
    jobs = plan(list(probes.values()), list(models) or ["the first listed model"])
    jobs.sort(key=lambda job: job.probe.id not in first)
    return jobs, budget(jobs)


def verify(
    endpoint: Endpoint,
    options: Options | None = None,
    *,
    chosen: Chosen | None = None,
    observer: Observer | None = None,
) -> RunRecord:
    """Verify an endpoint and return everything that was seen and judged.

    Raises `UserError` for input that makes no sense. Whatever the endpoint does ends in the
    record, also that it cannot be reached. An interrupted run gives a record too.
    """
    options = options or Options()
    chosen = chosen or choose(options, upstream=bool(endpoint.upstream))
    observer = observer or Silent()
    run = _prepared(endpoint, options, chosen, observer)
    record = run.record()
    if options.reference or options.baseline or options.since:
        record = _held_against(record, endpoint, options, chosen, observer)
    return run.clean(record)


def _held_against(
    record: RunRecord, endpoint: Endpoint, options: Options, chosen: Chosen, observer: Observer
) -> RunRecord:
    """The record with what a reference, a baseline and an earlier run make of it."""
    from metaio_verify import after  # noqa: PLC0415 - few runs are held against anything

    if options.reference is not None and after.can_be_compared(record):
        observer.note(f"asking the reference {options.reference.base_url}")
        models = after.reference_models(record, options.reference.models)
        reference = replace(options.reference, models=list(dict.fromkeys(models.values())))
        other = _reference_run(endpoint, reference, options, chosen).record()
        probes = {probe.id for probe in chosen.probes}
        record = after.with_reference(record, other, models, probes, fail_fast=options.fail_fast)
    if options.baseline is not None:
        day = after.day_of(record)
        record = after.with_baseline(record, options.baseline, chosen.suite.checks, day)
    if options.since is not None:
        record = after.with_since(record, options.since)
    return record


def _prepared(endpoint: Endpoint, options: Options, chosen: Chosen, observer: Observer) -> _Run:
    """The run; input that makes no sense for it or for its reference is refused."""
    if options.reference is None:
        return _Run(endpoint, options, chosen, observer)
    _reference_run(endpoint, options.reference, options, chosen)
    both = [*options.secrets, options.reference.api_key]
    return _Run(endpoint, replace(options, secrets=both), chosen, observer)


def _reference_run(
    endpoint: Endpoint, reference: Endpoint, options: Options, chosen: Chosen
) -> _Run:
    """The run of the reference: a client, a credential and a redactor of its own.

    Its evidence is cleaned of both keys, each of which goes to its own endpoint alone.
    """
    both = [*options.secrets, endpoint.api_key]
    options = replace(options, secrets=both, fail_fast=False)
    return _Run(reference, options, chosen, Silent())


def check_input(endpoint: Endpoint, options: Options) -> None:
    """Find out whether a run could begin; sends nothing. Raises `UserError` as `verify` would."""
    _prepared(endpoint, options, choose(options), Silent())


class _Run:
    """One run, from its arguments to its record."""

    def __init__(
        self, endpoint: Endpoint, options: Options, chosen: Chosen, observer: Observer
    ) -> None:
        self._credential = parse_credential(endpoint.api_key)
        self._secrets = [self._credential.secret, *options.secrets, *proxy_secrets()]
        self._redactor = Redactor(self._secrets)
        self._upstream = parse_upstream(endpoint.upstream, endpoint.upstream_token)
        self._base = _base_url(endpoint.base_url, self._redactor)
        if any(map(self._redactor.found_in, endpoint.models)):
            raise UserError(Problem("the API key was given as a model", hint="name the model"))
        self._styles = _styles(endpoint.auth)
        self._endpoint = endpoint
        self._options = options
        self._chosen = chosen
        self._observer = observer
        self._engine: Engine | None = None
        self._findings: Findings | None = None
        self._jobs: list[Job] = []
        self._stop: Stop | None = None
        self._started = dt.datetime.now(dt.UTC)

    def record(self) -> RunRecord:
        """Fire, judge and write down."""
        started = self._started = dt.datetime.now(dt.UTC)
        clock = time.perf_counter()
        try:
            asyncio.run(self._fire())
        except KeyboardInterrupt:
            self._cut("interrupted", "The run was interrupted.")
        finally:
            self._observer.finished()
        record = self._write(started, time.perf_counter() - clock)
        self._engine = None  # and with it what was decoded: the record is all that is kept
        return record

    def clean(self, record: RunRecord) -> RunRecord:
        """Return the record without what texts of answers or of the user may have brought in."""
        secrets = [*self._secrets]
        if self._upstream is not None:
            secrets.append(self._upstream.token.secret)
        return without_secrets(record, Redactor(secrets))

    async def _fire(self) -> None:
        options = self._options
        bounds = Bounds(
            connect=options.connect_timeout,
            silence=options.timeout,
            total=options.request_timeout or max(_LEAST_TOTAL, 2 * options.timeout),
            body=options.max_body,
            events=options.max_events,
        )
        origin = self._base.origin
        ways = ways_to(origin, authorities=options.ca_bundle)
        client = Client(ways, bounds=bounds, origin=origin)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            upstream = None
            if self._upstream is not None:
                authorities = options.ca_bundle
                upstream = await greet(self._upstream, self._credential, stack, authorities)
            wire = Wire(client, self._base, self._credential, self._redactor, upstream)
            engine = self._engine = Engine(
                wire,
                self._chosen.suite,
                self._observer,
                concurrency=self._options.concurrency,
                styles=self._styles,
                patience=Patience(self._observer, options.concurrency, options.patience),
                settled=self._is_failure if self._options.fail_fast else lambda _: False,
                late=lambda exchanges: late(self._chosen.checks, exchanges),
            )
            try:
                async with asyncio.timeout(self._options.run_timeout):
                    await self._preflight_and_run(engine, wire)
            except TimeoutError:
                limit = f"{self._options.run_timeout:g} s"
                self._cut("deadline", f"The run was not finished after {limit}.")

    async def _preflight_and_run(self, engine: Engine, wire: Wire) -> None:
        probes = self._chosen.suite.probes
        wanted = frozenset(probe.id for probe in self._chosen.probes)
        preflight = Preflight(
            engine, wire, probes, wanted, styles=self._styles, asked=self._endpoint.models
        )
        found = self._findings = await preflight.run()
        self._stop = found.stop
        engine.models = found.models
        for id_, exchanges in found.evidence.items():
            engine.adopt(probes[id_], None, exchanges)
        if found.models:
            self._jobs = plan(self._chosen.probes, found.models)
        if found.stop is None:
            self._observer.started(len(self._jobs))
            await engine.run(self._jobs)
        if engine.gone:
            self._stop = _gone(engine.gone)

    def _is_failure(self, job: Job) -> bool:
        """Whether a check that this job completed has failed (for --fail-fast)."""
        from metaio_verify.after import counted  # noqa: PLC0415 - few runs end early

        checks = [
            check
            for check in self._chosen.checks
            if check.level is Level.MUST and job.probe.id in check.probes
        ]
        options = self._options
        found = counted(
            self._judge(checks, collect(self._evidence())),
            options.baseline,
            options.since,
            self._started.date(),
        )
        return any(one.verdict is Verdict.FAIL for one in found)

    def _cut(self, kind: str, message: str) -> None:
        self._stop = Stop(
            kind="interrupted" if kind == "interrupted" else "deadline", message=message
        )
        if self._engine is not None:
            self._engine.abandon(self._jobs, message)

    def _judge(self, checks: Sequence[Check], evidence: Collected) -> list[Judgement]:
        capabilities = self._engine.capabilities if self._engine else {}
        suite, target = self._chosen.suite, self._target()
        return judge(suite, checks, evidence, target, self._absent(), capabilities)

    def _absent(self) -> dict[JobKey, Absent]:
        """Why probes have no evidence."""
        absent = dict(self._engine.absent) if self._engine else {}
        if self._stop is not None:
            fired = {(one.exchange.probe, one.exchange.model) for one in self._evidence()}
            cause = Absent(Verdict.BLOCKED, self._stop.message)
            models = [None, *self._target().models]
            for probe in self._chosen.probes:
                for model in models:
                    if (probe.id, model) not in fired:
                        absent.setdefault((probe.id, model), cause)
        return absent

    def _seen(self) -> list[Evidence]:
        """Everything that was fired so far."""
        return self._engine.evidence if self._engine else []

    def _evidence(self) -> list[Evidence]:
        """What is judged of it.

        A target that was never reached, or whose credential or model is wrong, says nothing about
        the endpoint: its first answers explain why the run stopped and accuse nobody.
        """
        seen = self._seen()
        if self._stop is not None and self._stop.kind in ("unreachable", "refused", "no-model"):
            listed = self._stop.kind == "no-model"
            return [one for one in seen if listed and one.exchange.probe == LISTING]
        # Of the requests under way when an endpoint went away, one may have brought it down; the
        # others are innocent, so none is judged.
        unanswered = {one.id for one in self._engine.gone} if self._engine else set()
        return [one for one in seen if one.exchange.id not in unanswered]

    def _target(self) -> Target:
        found = self._findings
        return Target(
            base_url=str(found.base if found else self._base),
            given_url=str(self._base),
            models=list(found.models if found else [m for m in self._endpoint.models if m != ALL]),
            auth=str(found.style if found else self._styles[0]),
            auth_styles=dict(found.styles) if found else {},
            listed_models=self._listed(),
        )

    def _listed(self) -> list[str]:
        """What discovery lists, whoever asked it."""
        asked = [one.exchange for one in self._seen() if one.exchange.probe == LISTING]
        return list(listed_ids(asked[-1])) if asked else []

    def _write(self, started: dt.datetime, duration: float) -> RunRecord:
        chosen, options, engine = self._chosen, self._options, self._engine
        exchanges = [one.exchange for one in self._seen()]
        evidence = self._evidence()
        collected = collect(evidence)
        verdicts = self._judge(chosen.checks, collected)
        return RunRecord(
            tool=TOOL,
            started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            duration_s=round(duration, 3),
            exit_code=exit_code(verdicts, strict=options.strict, stopped=self._stop),
            target=self._target(),
            selection=selection(options),
            cost=cost_of(self._seen()),
            capabilities=engine.capabilities if engine else {},
            areas=chosen.suite.areas,
            checks={check.id: info(check, chosen.suite) for check in chosen.checks},
            verdicts=verdicts,
            clients=clients(chosen.suite, verdicts, collected, self._target()),
            exchanges=exchanges,
            unfired=[
                Unfired(probe=probe, model=model, verdict=why.verdict, reason=why.reason)
                for (probe, model), why in self._absent().items()
            ],
            set_aside=sorted({e.id for e in exchanges} - {e.exchange.id for e in evidence}),
            notices=self._notices(),
            stopped=self._stop,
        )

    def _notices(self) -> list[str]:
        """What is worth knowing about the run as a whole."""
        found = list(self._findings.notices) if self._findings else []
        if self._engine:
            found.append(self._engine.patience.notice)
            found.append(cut_short(self._engine.exchanges, self._options.concurrency))
        return [one for one in found if one]


def _base_url(text: str, redactor: Redactor) -> BaseUrl:
    try:
        return parse_base_url(text)
    except UserError as error:
        if redactor.found_in(str(error)):
            raise UserError(Problem("the base URL is not a URL, and it holds the key")) from None
        raise


def _gone(unanswered: Sequence[Exchange]) -> Stop:
    """Name what was under way when the endpoint went away: it may have brought it down."""
    under_way = dict.fromkeys(
        one.probe for one in unanswered if one.failure and one.failure.kind not in UNREACHED
    )
    hints = ["Is the server still running, and what does its log say?"]
    if under_way:
        hints.append(f"Under way at that moment: {', '.join(under_way)}.")
    return Stop(kind="gone", message="The endpoint went away during the run.", hints=hints)


def _styles(auth: str) -> list[Auth]:
    if auth == AUTO:
        return list(STYLES)
    if auth in [str(style) for style in STYLES]:
        return [Auth(auth)]
    raise UserError(Problem(f"{auth!r} is no credential style", hint="auto, x-api-key or bearer"))


def selection(options: Options) -> Selection:
    """What was asked for, as the record has it."""
    return Selection(
        profile=options.profile,
        only=list(options.only),
        skip=list(options.skip),
        tags=list(options.tags),
        strict=options.strict,
    )


def info(check: Check, suite: Suite) -> CheckInfo:
    """What the record says about a check."""
    place = suite.places.get(check.id)
    return CheckInfo(
        title=check.title,
        area=check.area,
        sources=list(check.sources),
        breaks=check.breaks,
        fix=check.fix,
        workaround=check.workaround,
        file=place.path if place else "",
        line=place.line if place else None,
    )
