"""What a terminal page says at a glance: who gets on with it, what it can do, how to set up."""

from __future__ import annotations

from metaio_verify.record import Reach, RunRecord
from metaio_verify.report import capabilities as table
from metaio_verify.report import clients as reach
from metaio_verify.report.environment import reasons, settings
from metaio_verify.report.layout import Page
from metaio_verify.report.text import listed

_STYLES = {
    Reach.WORKS: "green",
    Reach.FALLBACK: "yellow",
    Reach.SETTING: "yellow",
    Reach.BREAKS: "red",
    Reach.UNKNOWN: "dim",
}
_SIGNS = {
    Reach.WORKS: ("✓", "+"),
    Reach.FALLBACK: ("!", "!"),
    Reach.SETTING: ("!", "!"),
    Reach.BREAKS: ("✗", "x"),
    Reach.UNKNOWN: ("?", "?"),
}
_PROFILE = "claude-code"


def clients(page: Page, record: RunRecord) -> None:
    """Write a line for each client."""
    found = reach.rows(record)
    if not found:
        return
    page.blank()
    widest = max(len(one.client) for one in found)
    for one in found:
        style = _STYLES[one.reach]
        head = [(f"{page.mark(*_SIGNS[one.reach])} ", style), (one.client.ljust(widest + 2), "")]
        page.row(head, (str(one.reach), style), (one.more, ""), indent=2)


def capabilities(page: Page, record: RunRecord) -> None:
    """Write what was learnt of each model: what it can do, and what it cannot."""
    found = table.rows(record)
    if not found:
        return
    page.blank()
    several = len(record.target.models) > 1
    for model in record.target.models:
        if several:
            page.line((model, ""), indent=2)
        for label, has in (("Can", True), ("Cannot", False)):
            names = [one.name for one in found if one.models[model] is has]
            if names:
                page.field(label, (", ".join(names), ""), indent=4 if several else 2)


def environment(page: Page, record: RunRecord) -> None:
    """Write the block that sets Claude Code up, and why each line is in it."""
    if record.selection.profile != _PROFILE:
        return
    found = settings(record)
    page.rule("Environment for Claude Code")
    for setting in found:
        page.verbatim(setting.line, 2)
    page.blank()
    for names, setting in reasons(found):
        optional = "" if setting.needed else " (optional)"
        page.line(
            (listed(names), "bold"),
            (f"{optional}: {setting.reason.replace('`', '')}", ""),
            indent=2,
            hang=2,
        )
