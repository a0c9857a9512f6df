"""`check --watch`: again on Enter, or at an interval, until Ctrl-C or the end of the input."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable

import typer

from metaio_verify.errors import UserError
from metaio_verify.exitcodes import ExitCode
from metaio_verify.record import RunRecord
from metaio_verify.report.formats import show
from metaio_verify.report.rounds import render
from metaio_verify.report.surface import Surface


def watch(
    first: Callable[[], RunRecord], again: Callable[[], RunRecord], interval: float | None
) -> int:
    """Run rounds; the exit code is that of the last one that was finished."""
    last: RunRecord | None = None
    number = 1
    try:
        last = _finished(first())
        while _wait(interval):
            number += 1
            try:
                now = _finished(again())
            except UserError as error:  # for instance a check file that is being edited
                for problem in error.problems:
                    typer.echo(f"error: {problem}", err=True)
                continue
            show(render(last, now, number, Surface.of(sys.stdout)))
            last = now
    except KeyboardInterrupt:
        typer.echo("", err=True)
    return last.exit_code if last is not None else ExitCode.INTERRUPTED


def _finished(record: RunRecord) -> RunRecord:
    if record.stopped is not None and record.stopped.kind == "interrupted":
        raise KeyboardInterrupt
    return record


def _wait(interval: float | None) -> bool:
    """Wait for the next round; false when there is none."""
    if interval is None:
        typer.echo("Enter: again. Ctrl-C: end.", err=True)
        return sys.stdin.readline() != ""
    if sys.stdin.isatty() and sys.platform != "win32":
        # Enter need not wait for the interval.
        ready, _, _ = select.select([sys.stdin], [], [], interval)
        return not ready or sys.stdin.readline() != ""
    time.sleep(interval)
    return True
