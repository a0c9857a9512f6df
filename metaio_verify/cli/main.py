"""The command line. Every exit code leaves by one door: `Commands.invoke`."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections import UserDict
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from metaio_verify import __version__
from metaio_verify.cli.layout import Command, Group, write_exit_codes
from metaio_verify.cli.said import careful_usage_errors, said
from metaio_verify.errors import UserError
from metaio_verify.exitcodes import ExitCode

# httpx loads its own command line, with click and pygments, where these are installed; that is a
# quarter of the time that it takes to load, and the program has a command line of its own.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

_MODULES = {
    "check": "check",
    "demo": "check",
    "checks": "checks",
    "report": "report",
    "compare": "compare",
    "doctor": "doctor",
    "serve": "serve",
    "init": "init",
}
"""Command → the module of this package that has it, as a function or as a group of its own."""

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO})
"""What a full or broken disk answers; files of the program's own are written with more words."""


class _Loaded(UserDict[str, Any]):
    """Each command by its name; loaded when it is asked for, as a process needs one of them."""

    def get(self, name: str, default: Any = None) -> Any:
        """The command, if there is one; what goes wrong while it is loaded is no sign of that."""
        return self[name] if name in self.data else default

    def __getitem__(self, name: str) -> Any:
        command = self.data[name]
        if isinstance(command, str):
            command = self.data[name] = _command(name, command)
        return command


def _command(name: str, module: str) -> Any:
    found = import_module(f"metaio_verify.cli.{module}")
    if hasattr(found, "app"):
        return get_command(found.app)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name, cls=Command)(getattr(found, name))
    return get_command(alone)


class Commands(Group):
    """Runs a command and turns whatever happens into an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Loaded(_MODULES)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as it is called
        """The names of all commands, none of which needs to be loaded for it."""
        return [*_MODULES]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as it is called
        """Write the exit codes."""
        write_exit_codes(formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command."""
        with careful_usage_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run; no traceback ever reaches a user."""
        try:
            with careful_usage_errors():
                code = super().invoke(ctx)
            sys.stdout.flush()
        except UserError as error:
            for problem in error.problems:
                typer.echo(f"error: {said(str(problem))}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # The reader has what it wanted, for instance `| head`; that is no failure of anything.
            _leave_stdout()
            code = ExitCode.OK
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            _leave_stdout()
            typer.echo(f"error: standard output cannot be written: {error.strerror}", err=True)
            ctx.exit(ExitCode.USAGE)
        ctx.exit(code or ExitCode.OK)


app = typer.Typer(
    cls=Commands,
    name="metaio-verify",
    help="Find out whether an Anthropic-style base URL really behaves: for Claude Code, the SDKs "
    "and your release gate.",
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


_COLLECTED_AFTER = 100_000
"""So many more objects before the collector of cycles looks at the young ones."""


def run() -> None:
    """The console script."""
    _open_streams()
    _interrupt_on_signals()
    # Hardly anything here holds cycles, and looking for some takes a fifteenth of a run.
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        app(prog_name=app.info.name)
    except SystemExit:
        raise
    except Exception as error:
        if os.environ.get("METAIO_VERIFY_DEBUG"):
            raise
        kind = type(error).__name__
        with contextlib.suppress(OSError):
            typer.echo(
                f"error: metaio-verify itself failed ({kind}). Please report it; "
                "METAIO_VERIFY_DEBUG=1 shows where.",
                err=True,
            )
        sys.exit(ExitCode.INTERNAL)
    finally:
        # The process ends: to take every object apart first would take a tenth of a run.
        gc.freeze()


def _open_streams() -> None:
    """Let what is said to a closed stream (`2>&-`) be lost, instead of failing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process's life


def _interrupt_on_signals() -> None:
    """Take the end of a job, or of its terminal, as Ctrl-C: the partial record is written."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _as_ctrl_c)


def _as_ctrl_c(*_: object) -> None:
    # A shell script starts `… &` with SIGINT ignored; the end of the job counts all the same.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)


def _leave_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
