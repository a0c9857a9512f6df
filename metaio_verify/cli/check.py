"""`check` and `demo`: verify an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaio_verify.cli import complete
from metaio_verify.cli import options as opt
from metaio_verify.cli.against import Against, named
from metaio_verify.config import (
    NOTHING,
    Config,
    Credentials,
    Target,
    credentials_of,
    named_targets,
    no_target_named,
    read_config,
    read_environment,
)
from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.exitcodes import ExitCode

if TYPE_CHECKING:
    from metaio_verify.aims import Aim
    from metaio_verify.wanted import Options

_TARGET = "Target"
_DEMO_FOLDER = Path("metaio-verify-reports")


def check(  # noqa: PLR0913 - one parameter an option
    *,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The base URL, without /v1 [env: ANTHROPIC_BASE_URL].",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="The key. Other users of this machine may see it here: the environment is safer "
            "[env: ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN].",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="STYLE",
            help="auto finds out which header works; or x-api-key, bearer [default: auto].",
            autocompletion=complete.auth,
            rich_help_panel=_TARGET,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="A model to verify; repeatable; `all` for every listed one [env: ANTHROPIC_MODEL; "
            "default: the first listed one that answers].",
            autocompletion=complete.models,
            rich_help_panel=_TARGET,
        ),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="METAIO_UPSTREAM",
            help="The upstream behind a gateway (`serve --upstream`): verify both of its sides.",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    upstream_token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="METAIO_UPSTREAM_TOKEN",
            help="What the upstream printed; the environment is safer.",
            rich_help_panel=_TARGET,
        ),
    ] = None,
    profile: opt.Profile = None,
    only: opt.Only = None,
    skip: opt.Skip = None,
    tag: opt.Tags = None,
    checks: opt.Checks = None,
    report: opt.Reports = None,
    template: opt.Template = None,
    since: opt.Since = None,
    strict: opt.Strict = None,
    fail_fast: opt.FailFast = False,
    concurrency: opt.Concurrency = None,
    timeout: opt.Timeout = None,
    connect_timeout: opt.ConnectTimeout = None,
    request_timeout: opt.RequestTimeout = None,
    run_timeout: opt.RunTimeout = None,
    max_body: opt.MaxBody = None,
    max_events: opt.MaxEvents = None,
    ca_bundle: opt.CaBundle = None,
    plan: opt.PlanOnly = False,
    verbose: opt.Verbose = False,
    watch: opt.Watch = False,
    interval: opt.Interval = None,
    baseline: opt.Baseline = None,
    update_baseline: opt.UpdateBaseline = False,
    baseline_run: opt.BaselineRun = None,
    reference_url: opt.ReferenceUrl = None,
    reference_key_env: opt.ReferenceKeyEnv = None,
    reference_model: opt.ReferenceModel = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A target of the configuration file; repeatable; `all` for each. They run one "
            "after the other; the exit code is the first of 130, 4, 2, 1, 3, 0 that occurred.",
            autocompletion=complete.targets,
            rich_help_panel=_TARGET,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Defaults [default: metaio-verify.yaml, if it is there].",
            rich_help_panel=_TARGET,
        ),
    ] = None,
) -> int:
    """Verify an endpoint: find out whether Claude Code and the SDKs work with it.

    Without a selection, everything is checked that costs little: the profile full.
    """
    file = read_config(config)
    given = file.config
    chosen = named_targets(given, target or ())
    if chosen:
        _refuse_beside_target(base_url=base_url, api_key=api_key)

    def options_of(settings: Target, name: str) -> Options:
        options = _options(
            settings,
            file.places_of(name),
            profile=profile,
            only=only,
            skip=skip,
            tag=tag,
            checks=checks,
            strict=strict,
            fail_fast=fail_fast,
            concurrency=concurrency,
            timeout=timeout,
        )
        return replace(
            options,
            connect_timeout=connect_timeout or settings.connect_timeout or options.connect_timeout,
            request_timeout=request_timeout or settings.request_timeout,
            run_timeout=run_timeout or settings.run_timeout or options.run_timeout,
            max_body=max_body or settings.max_body or options.max_body,
            max_events=max_events or settings.max_events or options.max_events,
            ca_bundle=ca_bundle or (Path(settings.ca_bundle) if settings.ca_bundle else None),
        )

    def models_of(settings: Target, environment: Credentials) -> Sequence[str]:
        return model or ([environment.model] if environment.model else settings.models)

    if plan:
        for name, one in (chosen or {"": given}).items():
            environment = NOTHING if name else read_environment(one)
            models = models_of(one, environment)
            _print_plan(options_of(one, name), models, name, upstream=bool(upstream))
        return ExitCode.OK
    from metaio_verify.aims import Aim, outputs_of, reports_of  # noqa: PLC0415 - imports the network
    from metaio_verify.cli.runs import Manner, run_all  # noqa: PLC0415
    from metaio_verify.wanted import AUTO, Endpoint  # noqa: PLC0415

    def aim(name: str, settings: Target, reports: tuple[str, ...]) -> Aim:
        environment = credentials_of(name, settings) if name else read_environment(settings)
        no_url = no_target_named(given) if given.targets else _NO_URL
        key = api_key or environment.api_key
        endpoint = Endpoint(
            _required(base_url or environment.base_url or settings.base_url, no_url),
            _required(key, _NO_KEY),
            models_of(settings, environment),
            auth or settings.auth or AUTO,
            upstream=upstream or "",
            upstream_token=upstream_token or "",
        )
        others = tuple(secret for secret in environment.secrets if secret != key)
        outputs = outputs_of(reports, template, named(since, name) if since else None)
        options = replace(options_of(settings, name), secrets=others)
        known = baseline or (Path(settings.baseline) if settings.baseline else None)
        options = held_against.read(options, known, name)
        return Aim(name, endpoint, options, outputs, file.path)

    held_against = Against(
        update_baseline=update_baseline,
        baseline_run=baseline_run,
        reference_url=reference_url,
        reference_key_env=reference_key_env,
        reference_model=reference_model,
    )
    runs = chosen or {"": given}
    reports = reports_of({name: report or one.reports for name, one in runs.items()})
    aims = [aim(name, one, reports[name]) for name, one in runs.items()]
    manner = Manner(
        verbose=verbose, watch=watch, interval=interval, update_baseline=update_baseline
    )
    return run_all(aims, manner)


def _refuse_beside_target(*, base_url: str | None, api_key: str | None) -> None:
    """A target says itself where it is and with which key."""
    for flag, value in (("--base-url", base_url), ("--api-key", api_key)):
        if value:
            raise UserError(
                Problem(
                    f"{flag} and --target exclude each other",
                    hint="a target has its own base-url and api-key-env in the configuration",
                )
            )


def demo(  # noqa: PLR0913 - one parameter an option
    *,
    gateway: opt.Gateway = None,
    fault: opt.Faults = None,
    variant: opt.Variants = None,
    profile: opt.Profile = None,
    only: opt.Only = None,
    skip: opt.Skip = None,
    tag: opt.Tags = None,
    checks: opt.Checks = None,
    report: opt.Reports = None,
    template: opt.Template = None,
    since: opt.Since = None,
    strict: opt.Strict = None,
    fail_fast: opt.FailFast = False,
    concurrency: opt.Concurrency = None,
    timeout: opt.Timeout = None,
    plan: opt.PlanOnly = False,
) -> int:
    """Verify the embedded endpoint; with --fault, see what a broken one looks like.

    With --gateway it stands behind a gateway of the lab, and both sides of that are verified, with
    the profile `gateway` unless another is named.

    Leaves the onboarding page and the run record in metaio-verify-reports/, unless --report says
    otherwise.
    """
    options = _options(
        Config(),
        {},
        profile=profile or ("gateway" if gateway else None),
        only=only,
        skip=skip,
        tag=tag,
        checks=checks,
        strict=strict,
        fail_fast=fail_fast,
        concurrency=concurrency,
        timeout=timeout,
    )
    if "list" in (*(fault or ()), *(variant or ())):
        from metaio_verify.cli.changes import print_changes  # noqa: PLC0415

        return print_changes(gateway, faults="list" in (fault or ()))
    if plan:
        return _print_plan(options, [], upstream=gateway is not None)
    from metaio_verify.aims import Aim, outputs_of  # noqa: PLC0415 - imports the network
    from metaio_verify.cli.embedded import embedded  # noqa: PLC0415
    from metaio_verify.cli.runs import verify_one  # noqa: PLC0415

    with embedded(gateway, faults=fault or [], variants=variant or []) as endpoint:
        if not report:
            _DEMO_FOLDER.mkdir(exist_ok=True)
            report = [f"markdown={_DEMO_FOLDER}/onboarding.md", f"json={_DEMO_FOLDER}/run.json"]
        return verify_one(Aim("", endpoint, options, outputs_of(report, template, since)))


_NO_URL = Problem(
    "no base URL was given",
    hint="set ANTHROPIC_BASE_URL or give --base-url https://…",
)
_NO_KEY = Problem(
    "no API key was given",
    hint="set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN (any text, if the endpoint wants none)",
)


def _required(value: str | None, problem: Problem) -> str:
    if not value:
        raise UserError(problem)
    return value


def _options(  # noqa: PLR0913 - one parameter an option
    settings: Target,
    places: Mapping[tuple[str, str], Place],
    *,
    profile: str | None,
    only: Sequence[str] | None,
    skip: Sequence[str] | None,
    tag: Sequence[str] | None,
    checks: Sequence[Path] | None,
    strict: bool | None,
    fail_fast: bool,
    concurrency: int | None,
    timeout: float | None,
) -> Options:
    """Flags win over the configuration file."""
    from metaio_verify.wanted import Options  # noqa: PLC0415 - imports the network

    default = Options()
    flags = {"profile": profile, "only": only, "skip": skip, "tags": tag}
    return Options(
        places={asked: place for asked, place in places.items() if not flags[asked[0]]},
        profile=profile or settings.profile or default.profile,
        only=only or settings.only,
        skip=skip or settings.skip,
        tags=tag or settings.tags,
        checks=checks or [Path(path) for path in settings.checks],
        strict=settings.strict or False if strict is None else strict,
        fail_fast=fail_fast,
        concurrency=concurrency or settings.concurrency or default.concurrency,
        timeout=timeout or settings.timeout or default.timeout,
    )


def _print_plan(
    options: Options, models: Sequence[str], name: str = "", *, upstream: bool = False
) -> int:
    """What would be sent, in order, and what it costs at most."""
    from metaio_verify.api import choose, planned  # noqa: PLC0415
    from metaio_verify.report.text import plural  # noqa: PLC0415

    chosen = choose(options, upstream=upstream)
    jobs, cost = planned(chosen, models)
    if name:
        typer.echo(f"== {name}\n")
    for job in jobs:
        times = f"  ×{job.probe.max_exchanges}" if job.probe.max_exchanges > 1 else ""
        of = f"  [{job.model}]" if job.model and len(models) > 1 else ""
        typer.echo(f"{job.probe.method:8}{job.probe.path:28} {job.probe.id}{of}{times}")
    typer.echo(
        f"\n{plural(len(chosen.checks), 'check')} from {plural(len(jobs), 'probe')}: at most "
        f"{plural(cost.requests, 'request')} and {cost.output_tokens:,} output tokens."
    )
    return ExitCode.OK
