"""The runs of `check`: one, one for each target, or one after the other while somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer
from msgspec import Struct

from metaio_verify import report
from metaio_verify.aims import Aim
from metaio_verify.api import check_input, choose, verify
from metaio_verify.cli.against import add_failures
from metaio_verify.errors import Problem, UserError
from metaio_verify.exitcodes import ExitCode, worst
from metaio_verify.record import RunRecord
from metaio_verify.report.live import progress

_IN_A_WORD: dict[int, str] = {
    ExitCode.OK: "works",
    ExitCode.FAILED: "broken",
    ExitCode.NOT_VERIFIED: "not verified",
    ExitCode.INTERRUPTED: "interrupted",
}


class Manner(Struct, frozen=True):
    """How the runs are shown and repeated."""

    verbose: bool = False
    """Show each exchange byte for byte."""
    watch: bool = False
    interval: float | None = None
    """Seconds between two rounds; none waits for Enter."""
    update_baseline: bool = False
    """Write a waiver into the baseline for each failure that has none."""


_ONCE = Manner()


def run_all(aims: Sequence[Aim], manner: Manner) -> int:
    """Run one after the other; the exit code is the worst. Ctrl-C ends them all."""
    if manner.watch or manner.interval is not None:
        return _watched(aims, manner)
    if len(aims) == 1:
        return verify_one(aims[0], manner)
    for aim in aims:  # nothing is sent to the first one if the last one makes no sense
        check_input(aim.endpoint, aim.options)
    _prepare(aims)
    codes: dict[str, int] = {}
    for aim in aims:
        typer.echo(f"{chr(10) if codes else ''}== {aim.name}: {aim.endpoint.base_url}\n")
        codes[aim.name] = verify_one(aim, manner)
        if codes[aim.name] == ExitCode.INTERRUPTED:
            break
    typer.echo("\n== targets\n")
    width = max(len(aim.name) for aim in aims)
    for aim in aims:
        code = codes.get(aim.name)
        found = "not begun" if code is None else f"{_IN_A_WORD[code]} (exit code {code})"
        typer.echo(f"{aim.name:{width}}  {found}")
    return worst(codes.values())


def verify_one(aim: Aim, manner: Manner = _ONCE) -> int:
    """Run, write the reports, print the result; the exit code is the record's."""
    if manner.verbose and any(output.path is None for output in aim.outputs):
        raise UserError(
            Problem(
                "-v shows the exchanges on standard output, and a report was to go there too",
                hint="give the report a path, or leave -v out and ask for --report wire=PATH",
            )
        )
    record = _run(aim, verbose=manner.verbose)
    code = report.deliver(record, aim.outputs)
    if manner.update_baseline and aim.options.baseline is not None:
        add_failures(aim.options.baseline, record)
    return code


def _run(aim: Aim, *, verbose: bool) -> RunRecord:
    _prepare([aim])
    chosen = choose(aim.options, upstream=bool(aim.endpoint.upstream))
    record = verify(aim.endpoint, aim.options, chosen=chosen, observer=progress(sys.stderr))
    if verbose:
        report.emit(record, [report.Output(report.Format.WIRE)])
    return record


def _prepare(aims: Sequence[Aim]) -> None:
    """Find out whether the reports can be written, over nothing that a run reads."""
    kept = [aim.config for aim in aims if aim.config is not None]
    records: list[Path] = []
    for options in (aim.options for aim in aims):
        kept += [options.ca_bundle] if options.ca_bundle else []
        if options.checks:
            from metaio_verify.suite.read import find  # noqa: PLC0415 - most runs have none

            kept += find(options.checks, [])
        kept += [options.baseline.file] if options.baseline and options.baseline.file else []
        records += [Path(options.since.path)] if options.since else []
    report.prepare([output for aim in aims for output in aim.outputs], kept, records)


def _watched(aims: Sequence[Aim], manner: Manner) -> int:
    from metaio_verify.cli.watch import watch  # noqa: PLC0415 - few runs are watched

    if len(aims) > 1:
        raise UserError(
            Problem("only one target can be watched", hint=f"give --target {aims[0].name}")
        )
    if manner.update_baseline:
        raise UserError(Problem("a watched run does not update a baseline"))
    aim = aims[0]
    if any(output.path is None for output in aim.outputs):
        raise UserError(Problem("a watched run needs a path for each report"))

    def first() -> RunRecord:
        record = _run(aim, verbose=manner.verbose)
        report.deliver(record, aim.outputs)
        return record

    def again() -> RunRecord:
        record = _run(aim, verbose=manner.verbose)
        report.emit(record, aim.outputs)
        return record

    return watch(first, again, manner.interval)
