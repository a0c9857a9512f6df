"""`checks`: what the suite holds, what a check says, and what is wrong with a check file."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from metaio_verify.cli import complete
from metaio_verify.cli import options as opt
from metaio_verify.cli.layout import Command, Group
from metaio_verify.errors import NotVerifiedError, Problem, UserError
from metaio_verify.suite.load import builtin, builtin_folder, load
from metaio_verify.suite.model import Check, Suite
from metaio_verify.suite.words import quote, suggest
from metaio_verify.verdict import Level

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="The check suite: list it, explain a check, judge a check file.",
)

_TWO_REQUIREMENTS = len("AUT-01, AUT-02")
"""The width of a column; the rare longer list pushes its title to the right."""

_COLOURS = {Level.MUST: typer.colors.RED, Level.SHOULD: typer.colors.YELLOW}


@app.command("list", cls=Command)
def list_checks(
    *,
    profile: opt.Profile = None,
    only: opt.Only = None,
    skip: opt.Skip = None,
    tag: opt.Tags = None,
    checks: opt.Checks = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List checks: id, level, contract id, title. Without a selection: all of them."""
    suite = _suite(checks)
    chosen: Sequence[Check] = tuple(suite.checks.values())
    if profile or only or skip or tag:
        from metaio_verify.suite.select import select  # noqa: PLC0415 - the plain list needs none

        chosen = select(suite, profile or "full", only or (), skip or (), tag or ()).checks
    if not chosen:
        raise NotVerifiedError(Problem("no check is selected"))
    if json:
        _print_json(chosen, suite)
    else:
        _print_list(chosen)


@app.command("show", cls=Command)
def show(
    check: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The id of a check; a glob lists what it matches.",
            autocompletion=complete.checks,
        ),
    ],
    *,
    checks: opt.Checks = None,
    example: Annotated[
        bool,
        typer.Option(
            "--example/--no-example",
            help="A right and a wrong answer, seen on the embedded endpoint.",
        ),
    ] = True,
) -> None:
    """Explain a check: what is sent, what is expected, what breaks for whom, how to mend it."""
    suite = _suite(checks)
    if check not in suite.checks and set(check) & set("*?["):
        from metaio_verify.suite.select import select  # noqa: PLC0415 - a page needs none

        _print_list(select(suite, only=[check], tags=["heavy"]).checks)
        return
    found = suite.checks.get(check)
    if found is None:
        raise UserError(Problem(f"unknown check {quote(check)}", hint=suggest(check, suite.checks)))
    from metaio_verify.cli.manual import page  # noqa: PLC0415 - the list needs none

    for line in page(found, suite, checks or (), _styled, examples=example):
        _print(line)


@app.command("lint", cls=Command)
def lint(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Check files, or folders of them.")
    ],
) -> None:
    """Judge check files of your own; every mistake is told with its place."""
    own = builtin_folder().resolve()
    others = [path for path in paths if not path.resolve().is_relative_to(own)]
    if len(others) < len(paths):
        # The built-in files cannot be added to themselves, and make sense only together.
        base, suite = None, load([Path(os.path.relpath(own)), *others])
    else:
        base = builtin()
        suite = load(paths, base)
    checks = len(suite.checks) - (len(base.checks) if base else 0)
    probes = len(suite.probes) - (len(base.probes) if base else 0)
    _print(f"{_counted(checks, 'check')} and {_counted(probes, 'probe')}: no mistake found.")


@app.command("schema", cls=Command)
def schema(
    *,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="The one of baselines instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of check files, for editors."""
    # Both read their own source.
    from metaio_verify.baseline import schema as baselines  # noqa: PLC0415
    from metaio_verify.suite import schema as check_files  # noqa: PLC0415

    typer.echo((baselines if baseline else check_files).as_text(), nl=False)


def _suite(paths: Sequence[Path] | None) -> Suite:
    return load(paths, builtin()) if paths else builtin()


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _print_json(checks: Sequence[Check], suite: Suite) -> None:
    from metaio_verify.jsontext import json_text  # noqa: PLC0415

    rows = [
        {
            "id": check.id,
            "title": check.title,
            "level": check.level,
            "contract": check.requirements,
            "area": suite.areas[check.area],
            "tags": check.tags,
            "probes": check.probes,
        }
        for check in checks
    ]
    typer.echo(json_text(rows), nl=False)


def _print_list(checks: Sequence[Check]) -> None:
    """One line for each check, so that it can be searched and cut."""
    ids = max(len(check.id) for check in checks)
    levels = max(len(check.level) for check in checks)
    for check in checks:
        level = _styled(f"{check.level:{levels}}", fg=_COLOURS.get(check.level))
        requirements = f"{', '.join(check.requirements):{_TWO_REQUIREMENTS}}"
        _print(f"{check.id:{ids}}  {level}  {requirements}  {check.title}")


def _styled(text: str, *, fg: str | None = None, bold: bool = False) -> str:
    return typer.style(text, fg=fg, bold=bold) if fg or bold else text


def _print(text: str) -> None:
    """Print with colour where it is wanted: on a terminal, unless the environment decides."""
    from metaio_verify.report.text import without_commands  # noqa: PLC0415 - as all imports here

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    typer.echo(without_commands(text), color=colour or bool(os.environ.get("FORCE_COLOR")))
