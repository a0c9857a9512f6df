"""One page for a browser: the verdict, whom it breaks, each finding, and each exchange to unfold.

The page is one file that loads nothing: its policy forbids every address, and allows no style and
no script but its own, by their hashes. The template escapes everything; strings of a server also
go through `safe`, so that nothing invisible stands on the page.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

import jinja2
from markupsafe import Markup, escape

from metaio_verify.outcome import NEVER_BEGAN
from metaio_verify.record import Reach, RunRecord
from metaio_verify.report import capabilities, clients, reference, since, timeline, waivers, web
from metaio_verify.report.exchanges import command_of, exchanges
from metaio_verify.report.facts import credential
from metaio_verify.report.group import Deviation, deviations, evidence
from metaio_verify.report.rows import Area, by_area
from metaio_verify.report.settled import stopper
from metaio_verify.report.summary import Outcome, Summary, narrowed, summarise
from metaio_verify.report.text import date, listed, moment, plural, safe, seconds
from metaio_verify.verdict import Verdict

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.NOTE: "i",
    Verdict.DECLINED: "○",
    Verdict.INCONCLUSIVE: "?",
    Verdict.BLOCKED: "■",
    Verdict.SKIPPED: "–",
    Verdict.WAIVED: "~",
}
_OUTCOMES = {
    Outcome.WORKS: Verdict.PASS,
    Outcome.BROKEN: Verdict.FAIL,
    Outcome.NOT_VERIFIED: Verdict.BLOCKED,
}
_REACHES = {
    Reach.WORKS: Verdict.PASS,
    Reach.FALLBACK: Verdict.WARN,
    Reach.SETTING: Verdict.WARN,
    Reach.BREAKS: Verdict.FAIL,
    Reach.UNKNOWN: Verdict.SKIPPED,
}
_PACKAGE = "metaio_verify.report"
_SLOWEST = 24
"""Probes of the latency plot that are not folded away."""
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+")


def render(record: RunRecord) -> str:
    """Return the page."""
    template = _environment().get_template("page.html.j2")
    return web.page(template, _PACKAGE, "page.css", "page.js", **_content(record))


@functools.cache
def _environment() -> jinja2.Environment:
    environment = web.environment(_PACKAGE)
    environment.filters.update(
        marked=_marked, source=_source, spoken=timeline.spoken, plural=plural
    )
    environment.globals.update(SIGNS=SIGNS, REACHES=_REACHES)
    return environment


def _content(record: RunRecord) -> dict[str, Any]:
    summary = summarise(record)
    found = deviations(record)
    shown = exchanges(record)
    anchors = {one.id: one.anchor for one in shown}
    times = timeline.latencies(record)
    areas = by_area(record)
    began = record.stopped is None or record.stopped.kind not in NEVER_BEGAN
    return {
        "record": record,
        "summary": summary,
        "outcome": _OUTCOMES[summary.outcome],
        "facts": list(_facts(record, summary)),
        "hints": record.stopped.hints if record.stopped and stopper(record) else [],
        "clients": clients.rows(record) if began else [],
        "capabilities": capabilities.rows(record) if began else [],
        "findings": found,
        "stale": waivers.stale(record),
        "changed": since.headed(record),
        "moved": since.moved,
        "differences": reference.by_aspect(record.reference) if record.reference else [],
        "compared": reference.summary(record.reference) if record.reference else "",
        "probes": reference.probes,
        "since": date(record.since.started) if record.since else "",
        "areas": areas,
        "counts": _counts(areas),
        "exchanges": shown,
        "latencies": times,
        "slowest": times.rows[:_SLOWEST],
        "faster": times.rows[_SLOWEST:],
        "anchor": anchors.get,
        "command": functools.partial(_command, record),
    }


def _facts(record: RunRecord, summary: Summary) -> Iterable[tuple[str, str]]:
    target, cost, selection = record.target, record.cost, record.selection
    moved = f" (given: {target.given_url})" if target.given_url != target.base_url else ""
    yield "Endpoint", target.base_url + moved
    if target.models:
        several = len(summary.models) > 1
        names = [f"{one.model} ({one.outcome})" if several else one.model for one in summary.models]
        yield "Models" if several else "Model", listed(names)
    yield "Credential", credential(record)
    time = moment(record.started)
    when = f"{date(record.started)}, {time:%H:%M} UTC" if time else date(record.started)
    yield "Run", f"{when}, in {seconds(record.duration_s)}"
    chosen = [f"profile {selection.profile}", *narrowed(selection)]
    yield "Selection", " ".join([*chosen, *(["--strict"] if selection.strict else [])])
    tokens = f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
    yield "Cost", f"{plural(cost.requests, 'request')}, {tokens}"


def _counts(areas: Iterable[Area]) -> dict[Verdict, int]:
    """How many rows of the table of checks have each verdict."""
    rows = [row.verdict for area in areas for row in area.rows]
    return {verdict: rows.count(verdict) for verdict in Verdict if verdict in rows}


def _command(record: RunRecord, one: Deviation) -> str:
    """What sends the request of a finding again; empty when the record holds none."""
    shown = evidence(record, one.shown_by)
    return command_of(shown) if shown else ""


def _marked(text: str) -> Markup:
    """Return prose in which what stands in backquotes is code."""
    parts = _CODE.split(safe(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _source(text: str) -> Markup:
    """Return a plain web address as a link, anything else as text."""
    if not _LINK.fullmatch(text):
        return _marked(text)
    return Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(safe(text, len(text)))
