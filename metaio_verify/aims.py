"""The runs of one command: one, or one for each target, with the reports of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from metaio_verify.errors import Problem, UserError
from metaio_verify.report import Output, pages, parse_target
from metaio_verify.wanted import Endpoint, Options

PLACEHOLDER = "{target}"
"""Stands for the name of the target in the path of a report."""


class Aim(Struct, frozen=True):
    """One run."""

    name: str
    """The name of the target; empty when none was named."""
    endpoint: Endpoint
    options: Options
    outputs: tuple[Output, ...]
    config: Path | None = None
    """The configuration file that says so."""


def outputs_of(
    reports: Sequence[str], template: Path | None = None, since: Path | None = None
) -> tuple[Output, ...]:
    """Return what `FORMAT=PATH` asks for, the onboarding page with its template and its past."""
    return tuple(pages([parse_target(text) for text in reports], template, since))


def reports_of(reports: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the reports of each target with its name filled in.

    Raises:
        UserError: several targets would overwrite each other's report, or a path waits for a name
            where there is none.

    """
    problems: dict[str, Problem] = {}
    several = len(reports) > 1
    for name, wanted in reports.items():
        for text in wanted:
            if not name and PLACEHOLDER in text:
                problems[text] = Problem(
                    f"{text}: {PLACEHOLDER} stands for the name of a target, and none was named",
                    hint="give --target NAME, or a path without it",
                )
    if several:
        for text in _overwritten(reports):
            problems[text] = Problem(
                f"{text}: each target would overwrite the report of the one before",
                hint=f"write {_with_placeholder(text)}",
            )
        for text in (text for wanted in reports.values() for text in wanted):
            if text.partition("=")[2] in ("", "-"):
                problems[text] = Problem(
                    f"{text}: standard output belongs to all targets",
                    hint=f"write {_with_placeholder(text)}",
                )
    if problems:
        raise UserError(*problems.values())
    return {
        name: tuple(text.replace(PLACEHOLDER, name) for text in wanted)
        for name, wanted in reports.items()
    }


def _overwritten(reports: Mapping[str, Sequence[str]]) -> list[str]:
    """The reports that more than one target would write to the same place."""
    places: dict[str, int] = {}
    for name, wanted in reports.items():
        for text in wanted:
            place = text.partition("=")[2].replace(PLACEHOLDER, name)
            places[place] = places.get(place, 0) + 1
    return list(
        dict.fromkeys(
            text
            for wanted in reports.values()
            for text in wanted
            if PLACEHOLDER not in text and places[text.partition("=")[2]] > 1
        )
    )


def _with_placeholder(text: str) -> str:
    """Return `json=run-{target}.json` for `json=run.json`, and for `json` alone."""
    format_, _, path = text.partition("=")
    if path in ("", "-"):
        return f"{format_}={PLACEHOLDER}{parse_target(format_).format.suffix}"
    pure = PurePath(path)
    return f"{format_}={pure.with_name(f'{pure.stem}-{PLACEHOLDER}{pure.suffix}')}"
