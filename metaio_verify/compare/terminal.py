"""The comparison for a terminal: the differences as a matrix, then what moved otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from metaio_verify.compare import words
from metaio_verify.compare.model import Cell, Comparison, Row, sections
from metaio_verify.record import ChangeKind
from metaio_verify.report.layout import Page, Span
from metaio_verify.report.surface import Surface
from metaio_verify.report.terminal import SIGNS
from metaio_verify.report.text import plural, safe
from metaio_verify.verdict import Verdict

_STYLES: dict[ChangeKind | None, str] = {
    ChangeKind.NEW_FAILURE: "bold red",
    ChangeKind.UNKNOWN: "magenta",
    ChangeKind.WORSE: "yellow",
    ChangeKind.MENDED: "green",
    ChangeKind.BETTER: "green",
}
_QUIET = (ChangeKind.ADDED, ChangeKind.REMOVED)
_INDENT, _GAP = 2, 2
_NARROWEST_NAME = 30
_MOST = 40
_MOST_PROBES = 12


def render(comparison: Comparison, surface: Surface | None = None, *, every: bool = False) -> str:
    """Return the report; with `every`, also the checks that are the same everywhere."""
    surface = surface or Surface()
    page = Page(surface)
    style = {0: "bold green", 1: "bold red"}.get(comparison.outcome, "bold magenta")
    page.line((words.title(comparison), style))
    page.blank()
    _legend(page, comparison)
    for notice in comparison.notices:
        page.blank()
        page.line(("! ", "yellow"), (notice, ""), hang=2)
    matrix = _Matrix(page, surface.width, comparison)
    for kind, heading, rows in sections(comparison):
        page.rule(f"{heading}: {len(rows)}", _STYLES.get(kind, "bold"))
        if kind in _QUIET and not every:
            page.line((", ".join(row.check for row in rows[:_MOST]), "dim"), indent=_INDENT)
            if len(rows) > _MOST:
                page.line((f"and {len(rows) - _MOST} more", "dim"), indent=_INDENT)
            continue
        matrix.rows(rows, details=True)
    if comparison.same:
        page.rule("Same everywhere")
        page.line((words.agreed(comparison), ""), indent=_INDENT)
        if every:
            page.blank()
            matrix.rows(comparison.same, details=False)
    _latencies(page, matrix, comparison)
    _clients(page, comparison)
    _capabilities(page, comparison)
    page.rule("Cost")
    for run in comparison.runs:
        page.row([(f"{run.label}  ", "bold")], (words.spent(run), ""), indent=_INDENT)
    page.rule("Result")
    page.line((words.closing(comparison), ""))
    return str(page)


def _legend(page: Page, comparison: Comparison) -> None:
    for number, run in enumerate(comparison.runs):
        page.row([(f"{run.label}  ", "bold")], (run.path, ""), indent=_INDENT)
        page.line((words.facts(run), "dim"), indent=_INDENT + 3)
        page.line((run.headline, ""), indent=_INDENT + 3)
        targets = [one for one in comparison.columns if one.run == number]
        if len(targets) > 1:
            for one in targets:
                page.line((f"{one.label}  {one.model}", ""), indent=_INDENT + 3)


class _Block(Struct, frozen=True):
    """The columns that stand beside each other."""

    columns: range
    width: int
    """Of each column."""
    name: int
    """Of the first column."""
    spelt: bool
    """Whether the verdict stands beside its sign."""


class _Matrix:
    """Rows of names and one cell for each target; as many targets at a time as fit."""

    def __init__(self, page: Page, width: int, comparison: Comparison) -> None:
        self._page = page
        self._width = width - _INDENT
        self._labels = [column.label for column in comparison.columns]
        self._explained = False

    def rows(self, rows: Sequence[Row], *, details: bool) -> None:
        """Write checks with their verdicts."""
        longest = max(len(cell.verdict) for row in rows for cell in row.cells if cell)
        names = max(len(row.check) for row in rows)
        for block in self._blocks(names, 2 + longest):
            if not block.spelt:
                self._explain()
            self._head(block)
            for row in rows:
                cells = [_cell(self._page, row.cells[n], spelt=block.spelt) for n in block.columns]
                self._line(block, row.check, cells)
                if details and block.columns.stop == len(self._labels):
                    self._detail(row)
            self._page.blank()

    def table(self, names: Sequence[str], cell: Callable[[int, int], str], width: int) -> None:
        """Write named rows of texts; `cell` gives that of a row and a column."""
        for block in self._blocks(max(map(len, names)), width, always=True):
            self._head(block)
            for number, name in enumerate(names):
                self._line(block, name, [(cell(number, n), "") for n in block.columns])
            self._page.blank()

    def _blocks(self, names: int, width: int, *, always: bool = False) -> Iterator[_Block]:
        """The columns in groups that fit; verdicts are spelt out where one group is enough."""
        count = len(self._labels)
        wide = max(width, *map(len, self._labels))
        name = min(names, max(_NARROWEST_NAME, self._width - count * (wide + _GAP)))
        spelt = always or name + count * (wide + _GAP) <= self._width
        if not spelt:
            wide = max(1, *map(len, self._labels))
            name = min(names, _NARROWEST_NAME)
        fit = max(1, (self._width - name) // (wide + _GAP))
        for start in range(0, count, fit):
            yield _Block(range(start, min(start + fit, count)), wide, name, spelt)

    def _explain(self) -> None:
        """Say once what the signs mean."""
        if not self._explained:
            self._explained = True
            signs = [f"{self._page.mark(s.unicode, s.ascii)} {v}" for v, s in SIGNS.items()]
            self._page.line(("  ".join(signs), "dim"), indent=_INDENT)
            self._page.blank()

    def _head(self, block: _Block) -> None:
        labels: list[Span] = [(self._labels[n], "bold") for n in block.columns]
        self._line(block, "", labels)

    def _line(self, block: _Block, name: str, cells: Sequence[Span]) -> None:
        shown = safe(name)
        if len(shown) > block.name:
            self._page.line((shown, ""), indent=_INDENT)
            shown = ""
        gap = " " * _GAP
        spans = [(gap + text.ljust(block.width), style) for text, style in cells]
        self._page.line((shown.ljust(block.name), ""), *spans, indent=_INDENT)

    def _detail(self, row: Row) -> None:
        """The requirement, and what was found on the last target that deviates."""
        facts = f"{row.level} · {row.title}"
        self._page.line((facts, "dim"), indent=_INDENT + 2)
        for label, cell in reversed(list(zip(self._labels, row.cells, strict=True))):
            if cell is not None and cell.detail and cell.verdict is not Verdict.PASS:
                self._page.line((f"{label}: {safe(cell.detail, 240)}", ""), indent=_INDENT + 2)
                return


def _cell(page: Page, cell: Cell | None, *, spelt: bool) -> Span:
    if cell is None:
        return page.mark("·", "."), "dim"
    sign = SIGNS[cell.verdict]
    mark = page.mark(sign.unicode, sign.ascii)
    return (f"{mark} {cell.verdict}" if spelt else mark), sign.style


def _latencies(page: Page, matrix: _Matrix, comparison: Comparison) -> None:
    pace, found = words.pace(comparison), words.moved(comparison)
    if not pace:
        return
    page.rule("Latency")
    page.line((pace, ""), indent=_INDENT)
    if not found:
        page.line(("No probe moved by more than half and a tenth of a second.", ""), indent=_INDENT)
        return
    page.line(("First byte/total in seconds, medians, of what moved most:", "dim"), indent=_INDENT)
    page.blank()
    shown = found[:_MOST_PROBES]
    cells = [[words.times(one, n) for n in range(len(comparison.columns))] for one in shown]
    width = max(len(cell) for row in cells for cell in row)
    matrix.table([one.probe for one in shown], lambda row, column: cells[row][column], width)
    if len(found) > len(shown):
        rest = plural(len(found) - len(shown), "more probe")
        page.line((f"and {rest}, see the JSON report", "dim"), indent=_INDENT)


def _clients(page: Page, comparison: Comparison) -> None:
    if not comparison.clients:
        return
    page.rule("Clients")
    labels = [run.label for run in comparison.runs]
    widest = max(len(one.client) for one in comparison.clients)
    for one in comparison.clients:
        page.row(
            [(one.client.ljust(widest + 2), "")],
            (words.sides(labels, one.reach, "not known"), "dim"),
            indent=_INDENT,
        )


def _capabilities(page: Page, comparison: Comparison) -> None:
    differing = [one for one in comparison.capabilities if len(set(one.has)) > 1]
    if not comparison.capabilities:
        return
    page.rule("Capabilities")
    labels = [column.label for column in comparison.columns]
    for one in differing:
        has = words.sides(labels, [words.yes(value) for value in one.has], "not learnt")
        page.row([(f"{one.name}  ", "")], (has, ""), indent=_INDENT)
    rest = len(comparison.capabilities) - len(differing)
    if rest:
        page.line((f"{plural(rest, 'capability', 'capabilities')} {words.SAME}", "dim"), indent=2)
