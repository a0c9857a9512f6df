"""`compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN.json…",
            help="Run records, from --report json=RUN.json; the first is what the last is held "
            "against. One alone compares its models.",
        ),
    ],
    *,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="FORMAT[=PATH]",
            help="terminal (the default), markdown, html or json; to standard output without a "
            "path; repeatable.",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="On the terminal, list also what is the same.")
    ] = False,
    fail_on_worse: Annotated[
        bool,
        typer.Option(
            help="Exit code 1 when a must-check fails in the last run that did not in the first, "
            "3 when one is no longer known; otherwise always 0."
        ),
    ] = True,
) -> int:
    """Show endpoints, models or dates side by side, the differences first; sends nothing."""
    from metaio_verify.compare import words  # noqa: PLC0415
    from metaio_verify.compare.build import compare as build  # noqa: PLC0415
    from metaio_verify.compare.formats import emit, parse_output, prepare  # noqa: PLC0415
    from metaio_verify.report.formats import tell_places  # noqa: PLC0415
    from metaio_verify.report.json import read  # noqa: PLC0415
    from metaio_verify.wanted import Earlier  # noqa: PLC0415 - keeps --help fast

    outputs = [parse_output(text) for text in formats or ["terminal"]]
    records = [Earlier(str(path), read(path)) for path in runs]
    comparison = build(records, fail_on_worse=fail_on_worse)
    prepare(outputs, runs)
    emit(comparison, outputs, every=every)
    tell_places((output.format, output.path) for output in outputs)
    if all(output.path is not None for output in outputs):
        typer.echo(words.closing(comparison), err=True)
    return comparison.exit_code
