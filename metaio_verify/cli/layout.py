"""How the help of a command is laid out: options by what they are about, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

from metaio_verify.exitcodes import ExitCode

_OTHER = "Options"


class Command(TyperCommand):
    """A command whose options stand under the panels that they name."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then each panel, and last what belongs to none."""
        panels: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                panels.setdefault(_panel(parameter), []).append(record)
        rest = panels.pop(_OTHER, [])
        for name, records in [*panels.items(), (_OTHER, rest)]:
            with formatter.section(name):
                formatter.write_dl(records)


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or _OTHER


class Group(TyperGroup):
    """A group that says of each command what it does, in its whole first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands; what is too long for a line goes on in the next one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries(ctx)))

    def _summaries(self, ctx: Any) -> Iterator[tuple[str, str]]:
        endless = 10_000
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                yield name, command.get_short_help_str(endless)


def write_exit_codes(formatter: Any) -> None:
    """Write what each exit code means."""
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(code.value), code.meaning) for code in ExitCode])
