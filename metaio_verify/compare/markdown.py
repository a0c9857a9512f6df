"""The comparison as Markdown, for a pull request or a job summary."""

from __future__ import annotations

from collections.abc import Sequence

from metaio_verify.compare import words
from metaio_verify.compare.model import Cell, Comparison, Row, sections
from metaio_verify.report.markup import bullets, cell, code, prose, sentence, table
from metaio_verify.report.terminal import SIGNS
from metaio_verify.report.text import plural
from metaio_verify.verdict import Verdict

_MOST = 200
_MOST_PROBES = 20
_DETAIL = 200


def render(comparison: Comparison) -> str:
    """Return the page: differences first, then latencies, clients, capabilities and cost."""
    parts = [
        f"# {prose(words.title(comparison))}",
        _runs(comparison),
        bullets(sentence(notice) for notice in comparison.notices),
        *_differences(comparison),
        _same(comparison),
        _latency(comparison),
        _clients(comparison),
        _capabilities(comparison),
        prose(words.closing(comparison)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _runs(comparison: Comparison) -> str:
    rows = [
        [
            prose(run.label),
            cell(run.path),
            prose(words.facts(run)),
            sentence(run.headline),
            prose(words.spent(run)),
        ]
        for run in comparison.runs
    ]
    found = table(["", "Run", "Of", "Result", "Cost"], rows)
    if len(comparison.columns) > len(comparison.runs):
        named = [f"{prose(one.label)}: {code(one.model or '–')}" for one in comparison.columns]
        found += f"\n\n{bullets(named)}"
    return found


def _differences(comparison: Comparison) -> list[str]:
    parts = []
    for _, heading, rows in sections(comparison):
        parts += [f"## {heading}: {len(rows)}", _matrix(comparison, rows, details=True)]
    return parts


def _same(comparison: Comparison) -> str:
    if not comparison.same:
        return ""
    matrix = _matrix(comparison, comparison.same, details=False)
    summary = prose(words.agreed(comparison))
    return f"<details><summary>{summary}</summary>\n\n{matrix}\n\n</details>"


def _matrix(comparison: Comparison, rows: Sequence[Row], *, details: bool) -> str:
    labels = [prose(column.label) for column in comparison.columns]
    head = ["Check", "Level", *labels, *(["Found"] if details else [])]
    body = [
        [
            f"{code(row.check)}<br>{sentence(row.title)}",
            str(row.level),
            *(_shown(one) for one in row.cells),
            *([_found(comparison, row)] if details else []),
        ]
        for row in rows[:_MOST]
    ]
    more = f"\n\nAnd {len(rows) - _MOST} more." if len(rows) > _MOST else ""
    return table(head, body) + more


def _shown(one: Cell | None) -> str:
    return "–" if one is None else prose(f"{SIGNS[one.verdict].unicode} {one.verdict}")


def _found(comparison: Comparison, row: Row) -> str:
    for column, one in reversed(list(zip(comparison.columns, row.cells, strict=True))):
        if one is not None and one.detail and one.verdict is not Verdict.PASS:
            return prose(f"{column.label}: {one.detail[:_DETAIL]}")
    return ""


def _latency(comparison: Comparison) -> str:
    pace, found = words.pace(comparison), words.moved(comparison)
    if not pace:
        return ""
    parts = ["## Latency", prose(pace)]
    if found:
        labels = [prose(column.label) for column in comparison.columns]
        rows = [
            [code(one.probe), *(prose(words.times(one, n)) for n in range(len(labels)))]
            for one in found[:_MOST_PROBES]
        ]
        parts += ["First byte/total in seconds, medians, of what moved most:"]
        parts += [table(["Probe", *labels], rows)]
    else:
        parts.append("No probe moved by more than half and a tenth of a second.")
    return "\n\n".join(parts)


def _clients(comparison: Comparison) -> str:
    if not comparison.clients:
        return ""
    labels = [prose(run.label) for run in comparison.runs]
    rows = [
        [prose(one.client), *(str(reach or "not known") for reach in one.reach)]
        for one in comparison.clients
    ]
    return f"## Clients\n\n{table(['Client', *labels], rows)}"


def _capabilities(comparison: Comparison) -> str:
    differing = [one for one in comparison.capabilities if len(set(one.has)) > 1]
    if not comparison.capabilities:
        return ""
    labels = [prose(column.label) for column in comparison.columns]
    rows = [
        [prose(one.name), *(words.yes(value) or "not learnt" for value in one.has)]
        for one in differing
    ]
    rest = len(comparison.capabilities) - len(differing)
    others = f"{plural(rest, 'capability', 'capabilities')} {words.SAME}." if rest else ""
    parts = ["## Capabilities", table(["Capability", *labels], rows) if rows else "", others]
    return "\n\n".join(filter(None, parts))
