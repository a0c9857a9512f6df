"""The formats of a comparison and where they go."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from metaio_verify.compare.model import Comparison
from metaio_verify.errors import Problem, UserError
from metaio_verify.jsontext import json_text
from metaio_verify.report import files
from metaio_verify.report.formats import show
from metaio_verify.report.surface import Surface
from metaio_verify.suite.words import quote, suggest


class Format(StrEnum):
    """A kind of report."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"

    def render(
        self, comparison: Comparison, surface: Surface | None = None, *, every: bool = False
    ) -> str:
        """Return the report; only the terminal leaves out what is the same, unless asked."""
        match self:
            # Each is imported when it is used: the libraries behind some are slow.
            case Format.TERMINAL:
                from metaio_verify.compare import terminal  # noqa: PLC0415

                return terminal.render(comparison, surface, every=every)
            case Format.MARKDOWN:
                from metaio_verify.compare import markdown  # noqa: PLC0415

                return markdown.render(comparison)
            case Format.HTML:
                from metaio_verify.compare import html  # noqa: PLC0415

                return html.render(comparison)
            case Format.JSON:
                return json_text(comparison)


class Output(Struct, frozen=True):
    """A report that was asked for."""

    format: Format
    path: Path | None = None
    """None stands for standard output."""


def parse_output(text: str) -> Output:
    """Read `markdown=diff.md`; without a path, or with `-`, it goes to standard output."""
    name, sign, path = text.partition("=")
    if name not in list(Format):
        raise UserError(
            Problem(f"there is no format {quote(name)} of a comparison", hint=suggest(name, Format))
        )
    if sign and not path:
        hint = f"write {name}=PATH, or {name} alone for standard output"
        raise UserError(Problem(f"no path is given in {text!r}", hint=hint))
    return Output(Format(name), Path(path) if path not in ("", "-") else None)


def prepare(outputs: Sequence[Output], records: Iterable[Path] = ()) -> None:
    """Find out whether every report can be written, over none of the records.

    Raises:
        UserError: one cannot.

    """
    if sum(output.path is None for output in outputs) > 1:
        raise UserError(
            Problem(
                "only one report can go to standard output",
                hint="give the others a path: --as markdown=diff.md",
            )
        )
    files.prepare((output.path for output in outputs if output.path is not None), records)


def emit(comparison: Comparison, outputs: Sequence[Output], *, every: bool) -> None:
    """Write each report to its place, files first."""
    for output in sorted(outputs, key=lambda output: output.path is None):
        if output.path is None:
            show(output.format.render(comparison, Surface.of(sys.stdout), every=every))
        else:
            files.write(output.path, output.format.render(comparison, every=every))
