"""The report for a terminal: the verdict, then by area what holds, then each deviation."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from metaio_verify.outcome import NEVER_BEGAN
from metaio_verify.record import RunRecord
from metaio_verify.report import deviation, overview, reference, since, waivers
from metaio_verify.report.facts import credential
from metaio_verify.report.group import (
    Deviation,
    Tally,
    Unsettled,
    applicable,
    areas,
    deviations,
    unsettled,
)
from metaio_verify.report.layout import Page, joined
from metaio_verify.report.summary import Outcome, Summary, narrowed, summarise
from metaio_verify.report.surface import Surface
from metaio_verify.report.text import date, listed, moment, plural, safe, seconds
from metaio_verify.verdict import Verdict


class Sign(Struct, frozen=True):
    """How a verdict looks."""

    unicode: str
    ascii: str
    style: str


SIGNS = {
    Verdict.PASS: Sign("✓", "+", "green"),
    Verdict.FAIL: Sign("✗", "x", "bold red"),
    Verdict.WARN: Sign("!", "!", "yellow"),
    Verdict.NOTE: Sign("·", "-", "cyan"),
    Verdict.DECLINED: Sign("○", "o", "dim"),
    Verdict.INCONCLUSIVE: Sign("?", "?", "magenta"),
    Verdict.BLOCKED: Sign("■", "#", "magenta"),
    Verdict.SKIPPED: Sign("–", "-", "dim"),
    Verdict.WAIVED: Sign("~", "~", "dim"),
}
_OUTCOME_STYLES = {
    Outcome.WORKS: "bold green",
    Outcome.BROKEN: "bold red",
    Outcome.NOT_VERIFIED: "bold magenta",
}
_COUNTED: dict[Verdict, Callable[[int], str]] = {
    Verdict.FAIL: lambda n: f"{n} {'fails' if n == 1 else 'fail'}",
    Verdict.WARN: lambda n: plural(n, "warning"),
    Verdict.NOTE: lambda n: plural(n, "note"),
    Verdict.INCONCLUSIVE: lambda n: f"{n} inconclusive",
    Verdict.BLOCKED: lambda n: f"{n} blocked",
    Verdict.DECLINED: lambda n: f"{n} declined",
    Verdict.WAIVED: lambda n: f"{n} waived",
    Verdict.SKIPPED: lambda n: f"{n} skipped",
}
_WIDEST_HEADING = 36
_SHOWN_IDS = 12
_UNSETTLED = (
    Verdict.BLOCKED,
    Verdict.INCONCLUSIVE,
    Verdict.DECLINED,
    Verdict.WAIVED,
    Verdict.SKIPPED,
)


def render(record: RunRecord, surface: Surface | None = None) -> str:
    """Return the report as text, with escape sequences only if the surface shows colour."""
    page = Page(surface or Surface())
    summary = summarise(record)
    page.line((summary.headline, _OUTCOME_STYLES[summary.outcome]))
    _advice(page, record, summary)
    began = record.stopped is None or record.stopped.kind not in NEVER_BEGAN
    if began:
        overview.clients(page, record)
    page.blank()
    _target(page, record, summary)
    page.blank()
    if began:
        _areas(page, record)
        overview.capabilities(page, record)
        overview.environment(page, record)
    found = deviations(record)
    strict = record.selection.strict
    in_full = [one for one in found if one.verdict is Verdict.FAIL or _counts(one, strict=strict)]
    warnings = [one for one in found if one.verdict is Verdict.WARN and one not in in_full]
    notes = [one for one in found if one.verdict is Verdict.NOTE]
    _section(page, record, "failure", in_full, deviation.in_full)
    _section(page, record, "warning", warnings, deviation.in_short)
    _section(page, record, "note", notes, deviation.in_a_line)
    for verdict in _UNSETTLED:
        _unsettled(page, record, verdict)
    reference.terminal(page, record)
    waivers.terminal(page, record)
    since.terminal(page, record)
    if (
        found
        or record.since is not None
        or (summary.outcome is not Outcome.WORKS and record.stopped is None)
    ):
        page.rule("Result")
        page.line((summary.closing, ""))
    return str(page)


def _counts(one: Deviation, *, strict: bool) -> bool:
    return strict and one.verdict is Verdict.WARN


def _advice(page: Page, record: RunRecord, summary: Summary) -> None:
    """Why the run stopped and what usually helps; remarks on the run as a whole."""
    stopped = record.stopped
    if stopped is not None:
        if summary.outcome is not Outcome.NOT_VERIFIED:  # otherwise the headline says it
            page.line((stopped.message, ""))
        if stopped.hints:
            page.blank()
        for hint in stopped.hints:
            page.line((f"{page.mark('·', '-')} {hint}", ""), indent=2, hang=2)
    for notice in record.notices:
        page.blank()
        page.line(("! ", "yellow"), (notice, ""), hang=2)


def _target(page: Page, record: RunRecord, summary: Summary) -> None:
    target, cost = record.target, record.cost
    moved = f" (given: {target.given_url})" if target.given_url != target.base_url else ""
    page.field("Endpoint", (target.base_url, ""), (moved, "dim"), indent=2)
    if len(summary.models) == 1:
        page.field("Model", (summary.models[0].model, ""), indent=2)
    for number, result in enumerate(summary.models if len(summary.models) > 1 else []):
        passed = f"{result.musts[Verdict.PASS]} of {applicable(result.musts)} must-checks pass"
        page.field(
            "" if number else "Models",
            (f"{result.model}  ", ""),
            (f"{result.outcome}, {passed}", _OUTCOME_STYLES[result.outcome].removeprefix("bold ")),
            indent=2,
        )
    page.field("Credential", (credential(record), ""), indent=2)
    time = moment(record.started)
    when = f"{date(record.started)}, {time:%H:%M} UTC" if time else date(record.started)
    chosen = " ".join([f"profile {record.selection.profile}", *narrowed(record.selection)])
    page.field("Run", (joined([when, chosen, seconds(record.duration_s)]), ""), indent=2)
    tokens = f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
    page.field("Cost", (joined([plural(cost.requests, "request"), tokens]), ""), indent=2)


def _areas(page: Page, record: RunRecord) -> None:
    found = areas(record)
    headings = [safe(area.heading)[:_WIDEST_HEADING] for area in found]
    widest = max(map(len, headings), default=0)
    for area, heading in zip(found, headings, strict=True):
        sign = SIGNS[area.worst]
        page.row(
            [
                (f"{page.mark(sign.unicode, sign.ascii)} ", sign.style),
                (heading.ljust(widest + 2), ""),
            ],
            (_counts_of(area.tally), "" if area.worst.is_deviation else "dim"),
            indent=2,
        )


def _counts_of(counts: Tally) -> str:
    parts = []
    if total := applicable(counts):
        parts.append(f"{counts[Verdict.PASS]} of {total} pass")
    parts += [spoken(counts[verdict]) for verdict, spoken in _COUNTED.items() if counts[verdict]]
    return ", ".join(parts)


def _section(
    page: Page,
    record: RunRecord,
    noun: str,
    found: list[Deviation],
    write: Callable[[Page, RunRecord, Deviation], None],
) -> None:
    if not found:
        return
    sign = SIGNS[found[0].verdict]
    page.rule(plural(len(found), noun), sign.style)
    for one in found:
        mark = SIGNS[one.verdict]
        page.line(
            (f"{page.mark(mark.unicode, mark.ascii)} ", mark.style),
            (one.info.title, "bold"),
            indent=2,
            hang=2,
        )
        write(page, record, one)
        page.blank()


def _how_many(*groups: Unsettled) -> str:
    """Count the checks of groups; a check is in one of them only."""
    total = sum(len(group.checks) for group in groups)
    musts = sum(group.musts for group in groups if group.verdict.is_unknown)
    if not musts:
        return plural(total, "check")
    if musts == total:
        return plural(total, "must-check")
    return f"{total} checks, {plural(musts, 'must-check')} among them"


def _unsettled(page: Page, record: RunRecord, verdict: Verdict) -> None:
    """What was not judged, or refused in a legal way: each reason once, with its checks."""
    groups = unsettled(record, verdict)
    stop = record.stopped.message if record.stopped else None
    rest = [group for group in groups if group.reason != stop]
    if rest:
        total = len({check for group in rest for check in group.checks})
        page.rule(f"{total} {verdict}", SIGNS[verdict].style.removeprefix("dim"))
        page.line((verdict.meaning, "dim"), indent=2)
        page.blank()
    for group in rest:
        _reason(page, record, group)
    stopped = [group for group in groups if group.reason == stop]
    if stopped:
        # The headline said why.
        page.blank()
        page.line((f"Not judged: {_how_many(*stopped)}.", ""), indent=2)


def _reason(page: Page, record: RunRecord, group: Unsettled) -> None:
    sign = SIGNS[group.verdict]
    several = len(record.target.models) > 1 and group.models
    page.line(
        (f"{page.mark(sign.unicode, sign.ascii)} ", sign.style),
        (f"{group.reason} with {listed(group.models)}" if several else group.reason, ""),
        (f" ({_how_many(group)})", "dim"),
        indent=2,
        hang=2,
    )
    more = len(group.checks) - _SHOWN_IDS
    ids = [*group.checks[:_SHOWN_IDS], *([f"{more} more"] if more > 0 else [])]
    page.line((", ".join(ids), "dim"), indent=4)
