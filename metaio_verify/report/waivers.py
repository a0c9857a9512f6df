"""Waivers that have to be looked at: they have expired, or nothing needs them any more."""

from __future__ import annotations

import re

from metaio_verify.record import RunRecord, Waiver
from metaio_verify.report.layout import Page, joined
from metaio_verify.report.markup import bullets, code, sentence
from metaio_verify.report.text import safe

_PLACE = re.compile(r"(.+?):(\d{1,9})(?::\d+)?")


def stale(record: RunRecord) -> list[Waiver]:
    """Return the waivers that make the run fail."""
    return [one for one in record.waivers if one.state.is_stale]


def place_of(waiver: Waiver) -> tuple[str, int | None]:
    """Return the file and the line of a waiver; an empty name where the record has none."""
    match = _PLACE.fullmatch(waiver.place)
    return (safe(match[1]), int(match[2])) if match else ("", None)


def terminal(page: Page, record: RunRecord) -> None:
    """Write each of them with its place and what to do."""
    found = stale(record)
    if not found:
        return
    page.rule(f"{len(found)} stale {'waiver' if len(found) == 1 else 'waivers'}", "bold red")
    for one in found:
        page.line(
            (f"{page.mark('✗', 'x')} ", "bold red"),
            (one.check, "bold"),
            (f" with {one.model}" if one.model else "", "bold"),
            (f"  {joined([str(one.state), one.place])}", "dim"),
            indent=2,
            hang=2,
        )
        page.line((one.detail, ""), indent=4)
        page.line((f"Its reason: {one.reason}", "dim"), indent=4)


def markdown(record: RunRecord) -> str:
    """Return them as a list; empty when there are none."""
    return bullets(
        f"The waiver of {code(one.check)}{f' with {code(one.model)}' if one.model else ''} "
        f"({code(one.place)}) is {one.state}: {sentence(one.detail)}"
        for one in stale(record)
    )
