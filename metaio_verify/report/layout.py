"""A page of terminal text: wrapped lines with hanging indents, in colour or plain.

Every string passes `safe` on its way to the page, and no markup is read. So nothing that a server
wrote can reach the terminal as anything but text.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import TypeAlias

from rich.console import Console
from rich.text import Text

from metaio_verify.report.surface import Surface
from metaio_verify.report.text import safe

Span: TypeAlias = tuple[str, str]
"""Text and its style."""

LABEL = 12
"""Columns of a field's label, with the gap behind it."""
_NARROWEST_COLUMN = 16
_AT_ONCE = 500
"""Lines that are printed together."""
_ASCII = str.maketrans({"…": "...", "·": "-", "–": "-", "—": "-", "─": "-", "→": "->", "≥": ">="})


class Page:
    """Lines of text, laid out for one surface."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._lines: list[Text] = []
        self._console = Console(
            file=StringIO(),
            width=surface.width,
            force_terminal=surface.colour,
            force_jupyter=False,
            color_system="standard" if surface.colour else None,
            no_color=not surface.colour,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )

    def blank(self) -> None:
        """Leave one line empty; never two."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def line(self, *spans: Span, indent: int = 0, hang: int = 0) -> None:
        """Write a paragraph; lines after the first are indented `hang` columns further."""
        text = Text()
        for content, style in spans:
            text.append(self._clean(content), style)
        width = max(_NARROWEST_COLUMN, self._surface.width - indent - hang)
        for number, line in enumerate(text.wrap(self._console, width) or [text]):
            line.rstrip()
            if line.plain.startswith("::"):
                # A long word was torn there, and GitHub obeys lines that begin so.
                line = Text("\\x3a") + line[1:]  # noqa: PLW2901
            margin = " " * (indent + (hang if number else 0))
            self._lines.append(Text(margin) + line if line.plain else Text())

    def field(self, label: str, *spans: Span, indent: int = 0) -> None:
        """Write a label and its value, wrapped in a column of its own."""
        self.row([(label.ljust(LABEL), "dim")], *spans, indent=indent)

    def row(self, head: Sequence[Span], *spans: Span, indent: int = 0) -> None:
        """Write a head and beside it a paragraph that is wrapped in a column of its own."""
        first = Text(" " * indent)
        for content, style in head:
            first.append(self._clean(content), style)
        start = len(self._lines)
        self.line(*spans, indent=first.cell_len)
        self._lines[start] = first + self._lines[start][first.cell_len :]

    def rule(self, title: str, style: str = "bold") -> None:
        """Begin a section."""
        self.blank()
        sign = self._sign("─")
        text = self._clean(title)
        rest = max(3, self._surface.width - len(text) - 4)
        self._lines.append(
            Text.assemble((f"{sign * 2} ", "dim"), (text, style), (f" {sign * rest}", "dim"))
        )
        self.blank()

    def verbatim(self, line: str, indent: int) -> None:
        """Write a line that is to be copied, so it is never wrapped."""
        self._lines.append(Text(" " * indent + self._clean(line, limit=len(line))))

    def mark(self, unicode: str, ascii_: str) -> str:
        """Return the sign that this surface can show."""
        return unicode if self._surface.unicode else ascii_

    def __str__(self) -> str:
        with self._console.capture() as capture:
            # Many at a time, as each printing has its price; not all, as a run may fill megabytes.
            for start in range(0, len(self._lines), _AT_ONCE):
                lines = self._lines[start : start + _AT_ONCE]
                self._console.print(Text("\n").join(lines), soft_wrap=True)
        return capture.get()

    def _sign(self, sign: str) -> str:
        return sign if self._surface.unicode else sign.translate(_ASCII)

    def _clean(self, text: str, limit: int | None = None) -> str:
        shown = safe(text) if limit is None else safe(text, limit)
        if self._surface.unicode:
            return shown
        return shown.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def joined(parts: Sequence[str]) -> str:
    """Join the parts of a line of facts."""
    return " · ".join(part for part in parts if part)
