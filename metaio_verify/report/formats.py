"""The report formats and where their output goes.

To add a format: write a module with a function of the run record, and give it a line in `Format`,
`_RENDERERS`, `_SUMMARIES` and `_SUFFIXES`.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from metaio_verify.errors import Problem, UserError
from metaio_verify.record import RunRecord
from metaio_verify.report import files
from metaio_verify.report.surface import Surface

if TYPE_CHECKING:
    from metaio_verify.report.template import Template


class Format(StrEnum):
    """A kind of report. Each is made from the run record alone."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"
    WIRE = "wire"
    HTML = "html"
    JUNIT = "junit"
    GITHUB = "github"
    ANNOTATIONS = "annotations"
    OUTPUTS = "outputs"
    BADGE = "badge"
    BADGE_JSON = "badge-json"

    @property
    def summary(self) -> str:
        """One line for help texts."""
        return _SUMMARIES[self]

    @property
    def suffix(self) -> str:
        """The usual ending of a file's name."""
        return _SUFFIXES[self]

    @property
    def mode(self) -> int:
        """The permissions of a file; whole exchanges are for their owner alone."""
        return 0o600 if self in _WHOLE else 0o644

    def render(self, record: RunRecord, surface: Surface | None = None) -> str:
        """Return the report as text; only those for a terminal look at the surface."""
        # Each format is imported when it is used: the libraries behind some are slow.
        module, _, function = _RENDERERS[self].partition(".")
        make = getattr(import_module(f"metaio_verify.report.{module}"), function)
        text: str = make(record, surface) if self in _SHOWN else make(record)
        return text


_WHOLE = frozenset({Format.JSON, Format.HTML, Format.WIRE})
"""The formats that hold whole exchanges."""

_SHOWN = frozenset({Format.TERMINAL, Format.WIRE})
"""The formats that are made for a terminal."""

_RENDERERS = {
    Format.TERMINAL: "terminal.render",
    Format.MARKDOWN: "markdown.render",
    Format.JSON: "json.text",
    Format.WIRE: "wire.render",
    Format.HTML: "html.render",
    Format.JUNIT: "junit.render",
    Format.GITHUB: "github.render",
    Format.ANNOTATIONS: "annotate.render",
    Format.OUTPUTS: "outputs.render",
    Format.BADGE: "badge.svg",
    Format.BADGE_JSON: "badge.endpoint",
}
"""Format → the module and its function of the run record."""

_SUMMARIES = {
    Format.TERMINAL: "the verdict and each deviation, for a person",
    Format.MARKDOWN: "the onboarding page, ready to publish",
    Format.JSON: "the run record, which every other report can be made from",
    Format.WIRE: "every exchange, byte for byte, as `check -v` shows it",
    Format.HTML: "one page with each exchange, for a browser",
    Format.JUNIT: "JUnit XML, for CI systems",
    Format.GITHUB: "the job summary of GitHub Actions, for $GITHUB_STEP_SUMMARY",
    Format.ANNOTATIONS: "workflow commands of GitHub Actions that annotate a job",
    Format.OUTPUTS: "names and values, for $GITHUB_OUTPUT or a shell",
    Format.BADGE: "an SVG badge",
    Format.BADGE_JSON: "the badge as shields.io reads it from an endpoint",
}

_SUFFIXES = {
    Format.TERMINAL: ".txt",
    Format.MARKDOWN: ".md",
    Format.JSON: ".json",
    Format.WIRE: ".txt",
    Format.HTML: ".html",
    Format.JUNIT: ".xml",
    Format.GITHUB: ".md",
    Format.ANNOTATIONS: ".txt",
    Format.OUTPUTS: ".txt",
    Format.BADGE: ".svg",
    Format.BADGE_JSON: ".json",
}
_OTHER_SUFFIXES = {".markdown": Format.MARKDOWN, ".htm": Format.HTML}

FORMATS: dict[str, Format] = {format_.value: format_ for format_ in Format}


class Output(Struct, frozen=True):
    """A report that was asked for."""

    format: Format
    path: Path | None = None
    """None stands for standard output."""
    template: Template | None = None
    """What makes the onboarding page instead of ours."""
    before: RunRecord | None = None
    """The earlier run that the onboarding page tells the changes since."""
    since: Path | None = None
    """The file that the earlier run was read from."""

    def render(self, record: RunRecord, surface: Surface | None = None) -> str:
        """Return the report as text; only the terminal format looks at the surface."""
        if self.template is not None:
            return self.template.render(record, self.before)
        if self.before is not None:
            from metaio_verify.report import markdown  # noqa: PLC0415

            return markdown.render(record, self.before)
        return self.format.render(record, surface)


def parse_target(text: str) -> Output:
    """Read `markdown=page.md`; without a path, or with `-`, the report goes to standard output.

    Raises:
        UserError: there is no such format; the nearest right name is given.

    """
    name, sign, path = text.partition("=")
    format_ = FORMATS.get(name)
    if format_ is None:
        raise UserError(Problem(f"there is no report format {name!r}", hint=_suggestion(text)))
    if sign and not path:
        hint = f"write {name}=PATH, or {name} alone for standard output"
        raise UserError(Problem(f"no path is given in {text!r}", hint=hint))
    if path.endswith(("/", os.sep)):
        raise UserError(Problem(f"{path} is a folder", hint=f"name a file in it: {text}report"))
    return Output(format_, Path(path) if path not in ("", "-") else None)


def pages(outputs: Sequence[Output], template: Path | None, since: Path | None) -> list[Output]:
    """Return the outputs; the onboarding pages among them with a template and an earlier run.

    Raises:
        UserError: the template or the record cannot be read, or no page was asked for.

    """
    if template is None and since is None:
        return list(outputs)
    if not any(output.format is Format.MARKDOWN for output in outputs):
        flag = "--template" if template is not None else "--since"
        raise UserError(
            Problem(
                f"{flag} belongs to the onboarding page, and none was asked for",
                hint="ask for markdown=onboarding.md",
            )
        )
    made = before = None
    if template is not None:
        from metaio_verify.report.template import Template  # noqa: PLC0415 - imports Jinja

        made = Template(template)
    if since is not None:
        from metaio_verify.report.json import read  # noqa: PLC0415

        before = read(since)
    return [
        replace(output, template=made, before=before, since=since)
        if output.format is Format.MARKDOWN
        else output
        for output in outputs
    ]


def _suggestion(text: str) -> str:
    name, _, path = text.partition("=")
    by_suffix = _format_of(Path(text).suffix)
    if not path and by_suffix:
        return f"did you mean {by_suffix}={text}?"
    close = difflib.get_close_matches(name.lower(), FORMATS, n=1)
    nearest = close[0] if close else _format_of(f".{name}")
    if nearest:
        return f"did you mean {nearest}{f'={path}' if path else ''}?"
    return f"the formats are {', '.join(FORMATS)}"


def _format_of(suffix: str) -> Format | None:
    """The format that a file with this ending most likely is: the first one that has it."""
    suffix = suffix.lower()
    found = (format_ for format_, usual in _SUFFIXES.items() if usual == suffix)
    return _OTHER_SUFFIXES.get(suffix) or next(found, None)


def prepare(
    outputs: Iterable[Output], kept: Iterable[Path] = (), records: Iterable[Path] = ()
) -> None:
    """Find out before the first request that every report can be written.

    Args:
        outputs: the reports
        kept: files that are read, and that no report may replace
        records: run records that are read; only another record may replace them

    Raises:
        UserError: a path cannot be written, or two reports want the same place.

    """
    outputs = list(outputs)
    if sum(output.path is None for output in outputs) > 1:
        raise UserError(
            Problem(
                "only one report can go to standard output",
                hint="give the others a path: --report markdown=page.md",
            )
        )
    kept = [*kept, *(output.template.path for output in outputs if output.template is not None)]
    records = [*records, *(output.since for output in outputs if output.since is not None)]
    placed = [(output.format, output.path) for output in outputs if output.path is not None]
    files.prepare((path for _, path in placed), kept)
    files.prepare((path for format_, path in placed if format_ is not Format.JSON), records)


def emit(record: RunRecord, outputs: Sequence[Output]) -> None:
    """Render each report to its place, files first; one that fails does not keep the others back.

    Raises:
        UserError: with each report that could not be written.

    """
    problems: list[Problem] = []
    for output in sorted(outputs, key=lambda output: output.path is None):
        try:
            if output.path is None:
                show(output.render(record, Surface.of(sys.stdout)))
            else:
                files.write(output.path, output.render(record), output.format.mode)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(*problems)


def deliver(record: RunRecord, outputs: Sequence[Output]) -> int:
    """Write the reports of a run, show its result, and return its exit code.

    The result is shown on standard output unless a report was asked for there. A reader that has
    gone (`| head`) changes nothing about what the run found.
    """
    shown = any(output.path is None for output in outputs)
    with _reader_may_go():
        emit(record, [*outputs, *([] if shown else [Output(Format.TERMINAL)])])
    tell_places((output.format, output.path) for output in outputs)
    return record.exit_code


def tell_places(written: Iterable[tuple[str, Path | None]]) -> None:
    """Say on standard error where each report is that was written to a file."""
    with contextlib.suppress(OSError):
        for format_, path in written:
            if path is not None:
                sys.stderr.write(f"{format_}: {path}\n")


@contextlib.contextmanager
def _reader_may_go() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # Python would complain about what is still to be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(text: str) -> None:
    """Write to standard output: UTF-8, or on a terminal as far as its own encoding goes.

    Raises:
        UserError: it cannot be written, for instance to a full disk
        BrokenPipeError: the reader has gone

    """
    encoding = sys.stdout.encoding if sys.stdout.isatty() else "utf-8"
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(encoding or "utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        reason = error.strerror or str(error)
        raise UserError(Problem(f"standard output cannot be written: {reason}")) from None
