"""The command line. Every exit code leaves by one door: `Commands.invoke`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from metaio_verify import __version__
from metaio_verify.cli import check, checks, doctor, report, serve
from metaio_verify.errors import UserError
from metaio_verify.exitcodes import ExitCode

_EPILOG = "Exit codes:\n\n\b\n" + "\n".join(f"{code.value:4}  {code.meaning}" for code in ExitCode)


class Commands(TyperGroup):
    """Runs a command and turns whatever happens into an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run; no traceback ever reaches a user."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except UserError as error:
            for problem in error.problems:
                typer.echo(f"error: {problem}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # The reader has gone, for instance `| head`; nothing more can be said on stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ExitCode.INTERNAL)
        ctx.exit(code or ExitCode.OK)


app = typer.Typer(
    cls=Commands,
    name="metaio-verify",
    help="Find out whether an Anthropic-style base URL really behaves: for Claude Code, the SDKs "
    "and your release gate.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts faster, and brackets in it are brackets
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"metaio-verify {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Parse what all commands share."""


app.command("check")(check.check)
app.command("demo")(check.demo)
app.add_typer(checks.app, name="checks")
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)


def run() -> None:
    """The console script."""
    try:
        app()
    except SystemExit:
        raise
    except Exception as error:
        if os.environ.get("METAIO_VERIFY_DEBUG"):
            raise
        kind = type(error).__name__
        typer.echo(
            f"error: metaio-verify itself failed ({kind}). Please report it; "
            "METAIO_VERIFY_DEBUG=1 shows where.",
            err=True,
        )
        sys.exit(ExitCode.INTERNAL)
