"""Where the answers have another shape than those of the reference."""

from __future__ import annotations

from metaio_verify.record import Difference, Reference, RunRecord
from metaio_verify.report.layout import Page, joined
from metaio_verify.report.markup import cell, code, prose, sentence, table
from metaio_verify.report.text import plural, safe

_MOST = 40
_NAMED = 3
_KINDS = {
    "sent": "asked of one of the two only",
    "failure": "whether an answer comes",
    "status": "status",
    "content-type": "content type",
    "header": "headers",
    "body": "kind of body",
    "events": "order of the events",
    "json": "JSON",
}
"""Aspect → heading, in the order of the report."""


def by_aspect(found: Reference) -> list[tuple[str, list[Difference]]]:
    """Return the differences under their headings."""
    groups = [
        (heading, [one for one in found.differences if one.aspect == aspect])
        for aspect, heading in _KINDS.items()
    ]
    return [group for group in groups if group[1]]


def terminal(page: Page, record: RunRecord) -> None:
    """Write each difference with both sides and the probes that show it."""
    found = record.reference
    if found is None:
        return
    page.rule(f"Against the reference {safe(found.base_url)}")
    page.line((summary(found), ""), indent=2)
    if found.stopped is not None:
        page.line((f"It was not asked to the end: {found.stopped.message}", "yellow"), indent=2)
        for hint in found.stopped.hints:
            page.line((f"{page.mark('·', '-')} {hint}", ""), indent=4, hang=2)
    left = _MOST
    for heading, differences in by_aspect(found):
        if left <= 0:
            break
        page.blank()
        page.line((f"{heading}: {len(differences)}", "bold"), indent=2)
        for one in differences[:left]:
            page.line(
                (one.where or probes(one), "cyan"),
                (f"  {probes(one)}" if one.where else "", "dim"),
                indent=4,
                hang=2,
            )
            page.field("here", (one.target, ""), indent=6)
            page.field("reference", (one.reference, ""), indent=6)
        left -= len(differences)
    if left < 0:
        page.blank()
        page.line((f"and {-left} more, see the JSON report", "dim"), indent=2)


def markdown(record: RunRecord) -> str:
    """Return a section; empty when no reference was asked."""
    found = record.reference
    if found is None:
        return ""
    parts = [f"## Against the reference {prose(found.base_url)}", sentence(summary(found))]
    if found.stopped is not None:
        parts.append(f"It was not asked to the end: {sentence(found.stopped.message)}")
    rows = [
        [prose(heading), cell(one.where or "–"), cell(one.target), cell(one.reference), _names(one)]
        for heading, differences in by_aspect(found)
        for one in differences
    ]
    if rows:
        parts.append(table(["What", "Where", "Here", "Reference", "Probes"], rows[:_MOST]))
    if len(rows) > _MOST:
        parts.append(f"And {len(rows) - _MOST} more in the JSON report.")
    return "\n\n".join(parts)


def probes(one: Difference) -> str:
    """Name the first probes that show a difference, and count the others."""
    more = len(one.probes) - _NAMED
    return ", ".join([*one.probes[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _names(one: Difference) -> str:
    more = len(one.probes) - _NAMED
    named = [code(probe) for probe in one.probes[:_NAMED]]
    return ", ".join([*named, *([f"{more} more"] if more > 0 else [])])


def summary(found: Reference) -> str:
    """Return how much was compared, and how much differs."""
    models = {f"{a} with {b}" if a != b else a for a, b in found.models.items()}
    differ = plural(len(found.differences), "difference") if found.differences else "no difference"
    parts = [
        f"{differ} in shape, in {plural(found.compared, 'pair')} of answers",
        ", ".join(sorted(models)),
        plural(found.cost.requests, "request"),
        f"{found.set_aside} set aside because a model did not do what was asked"
        if found.set_aside
        else "",
    ]
    return joined(parts)
