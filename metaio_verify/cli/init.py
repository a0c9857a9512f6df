"""`init`: a configuration to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from metaio_verify.cli.said import said
from metaio_verify.config import FILE_NAME
from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.exitcodes import ExitCode


def init(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=True)
    ] = Path(FILE_NAME),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> int:
    """Write a commented configuration, filled in from the environment; never a key."""
    from metaio_verify.report.files import prepare, write  # noqa: PLC0415 - keeps --help fast
    from metaio_verify.starter import starter  # noqa: PLC0415

    if path.exists() and not force:
        raise UserError(Problem("the file exists", Place(str(path)), "give --force to replace it"))
    prepare([path])
    write(path, starter())
    typer.echo(f"{said(str(path))} is written. Next: metaio-verify check")
    return ExitCode.OK
