"""`report`: any report from a saved run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaio_verify.cli import complete
from metaio_verify.cli import options as opt
from metaio_verify.exitcodes import ExitCode

if TYPE_CHECKING:
    from metaio_verify.record import RunRecord


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN.json",
            help="A run record, from --report json=RUN.json; - reads standard input.",
        ),
    ],
    *,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="FORMAT[=PATH]",
            help=f"{opt.FORMATS} [default: terminal]; without a path to standard output; "
            "repeatable.",
            autocompletion=complete.formats,
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Judge the recorded answers again, with the checks of now; the exit code is then "
            "that of the new verdicts.",
        ),
    ] = False,
    checks: opt.Checks = None,
    template: opt.Template = None,
    since: opt.Since = None,
) -> int:
    """Make any report from a saved run; sends nothing. The exit code is about the report alone."""
    from metaio_verify import report as reports  # noqa: PLC0415 - keeps --help fast
    from metaio_verify.report.json import decode, read  # noqa: PLC0415
    from metaio_verify.suite.read import find  # noqa: PLC0415

    outputs = [reports.parse_target(text) for text in formats or [reports.Format.TERMINAL]]
    outputs = reports.pages(outputs, template, since)
    piped = run == "-"
    record = decode(sys.stdin.buffer.read(), "standard input") if piped else read(Path(run))
    reports.prepare(outputs, find(checks or [], []), [] if piped else [Path(run)])
    if again or checks:
        record = _judged_again(record, checks or [])
    reports.emit(record, outputs)
    reports.tell_places((output.format, output.path) for output in outputs)
    return record.exit_code if again or checks else ExitCode.OK


def _judged_again(record: RunRecord, checks: list[Path]) -> RunRecord:
    from metaio_verify.again import judge_again  # noqa: PLC0415 - only when it is asked for
    from metaio_verify.wanted import Options  # noqa: PLC0415 - likewise

    made = record.selection
    options = Options(
        profile=made.profile,
        only=made.only,
        skip=made.skip,
        tags=made.tags,
        strict=made.strict,
        checks=checks,
    )
    return judge_again(record, options)
