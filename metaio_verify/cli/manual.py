"""The page of one check, as `checks show` prints it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from metaio_verify.suite.describe import sections
from metaio_verify.suite.layout import broken
from metaio_verify.suite.model import Check, Suite
from metaio_verify.suite.sent import Code
from metaio_verify.verdict import Verdict

if TYPE_CHECKING:
    from metaio_verify.example import Answer

_WIDEST = 100


def page(
    check: Check,
    suite: Suite,
    files: Sequence[Path],
    style: Callable[..., str],
    *,
    examples: bool,
) -> Iterator[str]:
    """The lines of the page, each as wide as the terminal at most."""
    tags = f" · tags: {', '.join(check.tags)}" if check.tags else ""
    yield style(check.id, bold=True)
    yield from _wrapped(check.title)
    facts = f"{check.level} · {', '.join(check.requirements)} · {suite.areas[check.area]}{tags}"
    yield from _wrapped(facts)
    for heading, lines in sections(check, suite):
        if heading == _BEFORE and examples:
            yield from _examples(check, suite, files, style)
        if lines:
            yield ""
            yield style(heading, bold=True)
            for line in lines:
                yield from _wrapped(line, "  ")


_BEFORE = "Breaks"
"""The section that the examples precede."""


def _examples(
    check: Check, suite: Suite, files: Sequence[Path], style: Callable[..., str]
) -> Iterator[str]:
    """What the embedded endpoint answers, as it is and with the first fault of the check."""
    from metaio_verify.example import example  # noqa: PLC0415 - imports the network and the lab
    from metaio_verify.example_kept import recall  # noqa: PLC0415

    fault = check.faults[0] if check.faults else None
    kept = None if files else recall(check.id, fault, suite)
    right, wrong = kept or example(check.id, fault, files)
    if right is not None:
        verdict = right.verdict
        heading = "A right answer" if verdict is Verdict.PASS else f"An answer ({verdict})"
        yield from _answer(right, f"{heading} to {right.probe}, from the lab", style)
    if wrong is not None and wrong.verdict.is_deviation:
        yield from _answer(wrong, f"A wrong answer to {wrong.probe}, with {fault}", style)
        if right and not any(line.differs for line in (*right.lines, *wrong.lines)):
            yield ""
            yield from _wrapped("Both answers have the same bytes.", "  ")
    elif fault:
        yield ""
        yield style("A wrong answer", bold=True)
        yield from _wrapped(
            f"{fault} shows in the answers to other requests only, so in a whole run: "
            f"metaio-verify demo --fault {fault}",
            "  ",
        )


def _answer(answer: Answer, heading: str, style: Callable[..., str]) -> Iterator[str]:
    yield ""
    yield style(heading, bold=True)
    for line in answer.lines:
        mark = "> " if line.differs else "  "
        yield from broken(line.text, _width(), f"  {mark}")
    for finding in answer.findings:
        yield ""
        yield from _wrapped(f"expected {finding.expected}", "  ")
        yield from _wrapped(f"got {finding.actual}", "  ")
        if finding.where:
            yield from _wrapped(f"where {finding.where}", "  ")
    if answer.reason and not answer.findings:
        yield ""
        yield from _wrapped(f"{answer.verdict}: {answer.reason}", "  ")


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    """A line in the width of the terminal."""
    width = _width()
    inner = indent + " " * (len(text) - len(text.lstrip(" ")))
    for line in text.splitlines() or [""]:
        if isinstance(text, Code):
            yield from broken(line, width, indent)
            continue
        parts = textwrap.wrap(
            line.strip(" "),
            width,
            initial_indent=inner,
            subsequent_indent=inner,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from parts or [""]


def _width() -> int:
    return min(shutil.get_terminal_size().columns, _WIDEST)
