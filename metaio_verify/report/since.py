"""What changed since an earlier run, for the reports of a run."""

from __future__ import annotations

from metaio_verify.compare.changes import in_order
from metaio_verify.record import Change, RunRecord
from metaio_verify.report.group import info_of
from metaio_verify.report.layout import Page
from metaio_verify.report.markup import bullets, code, prose
from metaio_verify.report.text import date

_MOST = 30


def headed(record: RunRecord) -> list[tuple[str, list[Change]]]:
    """Return the changes under their headings, what got worse first."""
    if record.since is None:
        return []
    found = in_order(record.since.changes)
    worse = [one for one in found if one.kind.is_worse]
    better = [one for one in found if one.kind.is_better]
    rest = [one for one in found if one not in worse and one not in better]
    return [("Worse", worse), ("Better", better), ("Also changed", rest)]


def moved(one: Change) -> str:
    """Return how a verdict moved: `pass → fail`."""
    before = str(one.before) if one.before is not None else "not judged"
    now = str(one.now) if one.now is not None else "not judged"
    return f"{before} → {now}" if before != now else f"{now}, {one.kind}"


def terminal(page: Page, record: RunRecord) -> None:
    """Write what got worse, what got better, and what changed otherwise."""
    if record.since is None:
        return
    page.rule(f"Since the run of {date(record.since.started)}")
    page.field("Compared", (f"{record.since.run}, of {record.since.base_url}", ""), indent=2)
    groups = headed(record)
    if not record.since.changes:
        page.field("Changed", ("nothing", ""), indent=2)
    styles = {"Worse": "red", "Better": "green", "Also changed": "dim"}
    for heading, found in groups:
        if not found:
            continue
        page.blank()
        page.line((f"{heading}: {len(found)}", styles[heading]), indent=2)
        for one in found[:_MOST]:
            model = f" with {one.model}" if one.model and len(record.target.models) > 1 else ""
            page.line((f"{one.check}{model}  ", ""), (moved(one), "dim"), indent=4, hang=2)
        if len(found) > _MOST:
            page.line((f"and {len(found) - _MOST} more", "dim"), indent=4)


def markdown(record: RunRecord) -> str:
    """Return a section; empty when the run was not compared."""
    if record.since is None:
        return ""
    parts = [f"## Changed since {prose(date(record.since.started))}"]
    for heading, found in headed(record):
        if found:
            items = [
                f"{prose(info_of(record, one.check).title)} ({code(one.check)}): {moved(one)}"
                for one in found
            ]
            parts.append(f"{heading}:\n\n{bullets(items)}")
    if not record.since.changes:
        parts.append("Nothing.")
    return "\n\n".join(parts)
