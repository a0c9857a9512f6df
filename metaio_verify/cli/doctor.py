"""`doctor`: find out why Claude Code on this machine does not reach the endpoint."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from metaio_verify.errors import Problem, UserError

if TYPE_CHECKING:
    from metaio_verify.doctor.shells import Shell


def doctor(
    *,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The base URL that Claude Code should reach [default: the one that it is set to].",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="What you give to claude --model.")
    ] = None,
    settings: Annotated[
        str | None,
        typer.Option(metavar="FILE_OR_JSON", help="What you give to claude --settings."),
    ] = None,
    shell: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Lines to paste are for bash, zsh, fish or powershell [default: your shell].",
        ),
    ] = None,
    run_helper: Annotated[
        bool | None,
        typer.Option(
            "--run-helper/--no-run-helper",
            help="Run the apiKeyHelper [default: if Claude Code runs it without asking].",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1, metavar="SECONDS", help="Longest wait for the next byte of an answer."
        ),
    ] = 30.0,
    json: Annotated[
        bool, typer.Option("--json", help="The report as JSON, for a support desk.")
    ] = False,
) -> int:
    """Find out why Claude Code on this machine does not reach an endpoint.

    Reads what Claude Code reads here: its settings files and the environment. Then sends a real
    message. The key goes to the base URL only, and no output shows it. Exits with 0 only when a
    message came back.
    """
    from metaio_verify.doctor.machine import Machine  # noqa: PLC0415 - keeps --help fast
    from metaio_verify.doctor.run import Wishes, examine  # noqa: PLC0415
    from metaio_verify.probe.target import parse_base_url  # noqa: PLC0415

    wanted = parse_base_url(base_url) if base_url else None
    wishes = Wishes(
        base_url=str(wanted.without_mistake() or wanted) if wanted else "",
        model=model or "",
        settings=settings,
        shell=_shell(shell),
        run_helper=run_helper,
        timeout=timeout,
    )
    report = examine(Machine.here(), wishes)
    if json:
        from metaio_verify.doctor.report import encode  # noqa: PLC0415

        sys.stdout.write(encode(report))
    else:
        from metaio_verify.doctor.render import render  # noqa: PLC0415
        from metaio_verify.report.surface import Surface  # noqa: PLC0415

        sys.stdout.write(render(report, Surface.of(sys.stdout)))
    return report.exit_code


def _shell(name: str | None) -> Shell | None:
    from metaio_verify.doctor.shells import Shell  # noqa: PLC0415

    if name is None or name in set(Shell):
        return Shell(name) if name else None
    raise UserError(Problem(f"{name!r} is no shell", hint=", ".join(Shell)))
