"""The job summary of GitHub Actions: the verdict, who breaks, and each finding to unfold.

Written for `$GITHUB_STEP_SUMMARY`. What a server or user wrote goes through `markup` where GitHub
reads Markdown and through `html.escape` in the lines that are HTML.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from metaio_verify.record import Reach, RunRecord
from metaio_verify.report import clients, reference, since, waivers
from metaio_verify.report.curl import replay
from metaio_verify.report.group import (
    Area,
    Deviation,
    Unsettled,
    applicable,
    areas,
    deviations,
    evidence,
    unsettled,
)
from metaio_verify.report.markup import bullets, code, fence, link, prose, sentence, table
from metaio_verify.report.settled import stopper
from metaio_verify.report.summary import Outcome, summarise
from metaio_verify.report.text import date, listed, plural, safe, seconds
from metaio_verify.verdict import Verdict

_LONGEST = 500_000
"""Bytes of the findings; GitHub refuses a summary above one MiB."""
_SHOWN_FINDINGS = 3
_SHOWN_IDS = 20
_OUTCOMES = {Outcome.WORKS: "✅", Outcome.BROKEN: "❌", Outcome.NOT_VERIFIED: "❔"}
_REACHES = {
    Reach.WORKS: "✅",
    Reach.FALLBACK: "⚠️",
    Reach.SETTING: "⚠️",
    Reach.BREAKS: "❌",
    Reach.UNKNOWN: "❔",
}
_SIGNS = {
    Verdict.PASS: "✅",
    Verdict.FAIL: "❌",
    Verdict.WARN: "⚠️",
    Verdict.NOTE: "📝",
    Verdict.DECLINED: "➖",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.BLOCKED: "⛔",
    Verdict.SKIPPED: "➖",
    Verdict.WAIVED: "➖",
}
_UNSETTLED = (
    Verdict.BLOCKED,
    Verdict.INCONCLUSIVE,
    Verdict.WAIVED,
    Verdict.DECLINED,
    Verdict.SKIPPED,
)


def render(record: RunRecord) -> str:
    """Return the summary as Markdown."""
    summary = summarise(record)
    parts = [
        f"## {_OUTCOMES[summary.outcome]} {prose(summary.headline)}",
        _facts(record),
        *_why(record),
        *_clients(record),
        *_findings(record),
        *_open(record),
        *_held_against(record),
        *_areas(record),
        f"{sentence(summary.closing)} Made by metaio-verify {prose(record.tool.version)}.",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(record: RunRecord) -> str:
    target, cost = record.target, record.cost
    models = listed([code(model) for model in target.models]) or "no model"
    facts = [
        code(target.base_url),
        models,
        f"profile {code(record.selection.profile)}",
        prose(date(record.started)),
        seconds(record.duration_s),
        plural(cost.requests, "request"),
        f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out",
    ]
    return " · ".join(facts)


def _why(record: RunRecord) -> Iterable[str]:
    """What usually helps when a run stopped, and remarks on the run as a whole."""
    hints = record.stopped.hints if record.stopped and stopper(record) else []
    items = [*hints, *record.notices]
    if items:
        yield bullets(map(sentence, items))
    if stale := waivers.markdown(record):
        yield stale


def _clients(record: RunRecord) -> Iterable[str]:
    rows = [
        [prose(one.client), f"{_REACHES[one.reach]} {one.reach}", sentence(one.sees)]
        for one in clients.rows(record)
    ]
    if rows:
        yield "### Clients"
        yield table(["Client", "Result", "What its user sees"], rows)


def _findings(record: RunRecord) -> Iterable[str]:
    found = deviations(record)
    if not found:
        return
    yield "### Findings"
    left, shown = _LONGEST, 0
    for one in found:
        text = _finding(record, one)
        left -= len(text.encode())
        if left < 0:
            break
        shown += 1
        yield text
    if rest := len(found) - shown:
        yield f"{plural(rest, 'more finding')}: see the run record."


def _finding(record: RunRecord, one: Deviation) -> str:
    facts = [code(one.check), str(one.level), prose(" ".join(one.contract))]
    if one.models and len(record.target.models) > 1:
        facts.append(f"with {listed([code(model) for model in one.models])}")
    items = [f"{prose(who)}: {sentence(effect)}" for who, effect in one.effects.items()]
    items += [f"**Fix**: {sentence(one.info.fix)}"] if one.info.fix else []
    items += [f"**Workaround**: {sentence(one.info.workaround)}"] if one.info.workaround else []
    items += [f"Source: {link(source)}" for source in one.info.sources]
    parts = [
        " · ".join(facts),
        *([sentence(one.reason)] if one.reason else []),
        *_measured(one),
        bullets(items),
        *_replay(record, one),
    ]
    head = f"{_SIGNS[one.verdict]} {_html(one.info.title)} <code>{_html(one.check)}</code>"
    return _folded(head, parts, unfolded=one.verdict is Verdict.FAIL)


def _measured(one: Deviation) -> Iterable[str]:
    rows = [
        [_cell(text) for text in (seen.finding.where, seen.finding.expected)]
        + [_cell(seen.finding.actual)]
        for seen in one.seen[:_SHOWN_FINDINGS]
    ]
    if rows:
        yield table(["Where", "Expected", "Actual"], rows)
    if (rest := len(one.seen) - _SHOWN_FINDINGS) > 0:
        yield f"and {plural(rest, 'more finding')}, see the run record"


def _cell(text: str) -> str:
    """Return a table cell with a value in it; no value is an empty cell."""
    return prose(text) if text else ""


def _replay(record: RunRecord, one: Deviation) -> Iterable[str]:
    shown = evidence(record, one.shown_by)
    if shown is not None:
        command = replay(shown)
        yield fence(filter(None, [command.body_file, str(command)]), "sh")


def _open(record: RunRecord) -> Iterable[str]:
    """What was not judged, or refused in a legal way; each reason once."""
    stop = record.stopped.message if record.stopped else None
    for verdict in _UNSETTLED:
        groups = [group for group in unsettled(record, verdict) if group.reason != stop]
        if groups:
            total = len({check for group in groups for check in group.checks})
            head = f"{_SIGNS[verdict]} {plural(total, 'check')} {verdict}: {verdict.meaning}"
            unfolded = any(group.musts for group in groups) and verdict.is_unknown
            yield _folded(head, [bullets(map(_reason, groups))], unfolded=unfolded)


def _reason(group: Unsettled) -> str:
    more = len(group.checks) - _SHOWN_IDS
    ids = [code(check) for check in group.checks[:_SHOWN_IDS]]
    return f"{sentence(group.reason)}: {', '.join([*ids, *([f'{more} more'] if more > 0 else [])])}"


def _held_against(record: RunRecord) -> Iterable[str]:
    """What changed since an earlier run, and where a reference answers otherwise."""
    for section in (since.markdown(record), reference.markdown(record)):
        if section:
            yield f"#{section}"  # one level below the verdict


def _areas(record: RunRecord) -> Iterable[str]:
    found = areas(record)
    if found:
        rows = map(_area, found)
        yield _folded("Verdicts by area", [table(["Area", "Passed", "Other"], rows)])


def _area(area: Area) -> list[str]:
    counts = area.tally
    others = [
        f"{counts[verdict]} {verdict}"
        for verdict in Verdict
        if counts[verdict] and verdict is not Verdict.PASS
    ]
    passed = f"{counts[Verdict.PASS]} of {applicable(counts)}"
    return [f"{_SIGNS[area.worst]} {prose(area.heading)}", passed, ", ".join(others)]


def _folded(head: str, parts: Iterable[str], *, unfolded: bool = False) -> str:
    """Return parts to unfold; the head is HTML. Blank lines make GitHub read Markdown again."""
    opening = "<details open>" if unfolded else "<details>"
    body = "\n\n".join(part for part in parts if part)
    return f"{opening}<summary>{head}</summary>\n\n{body}\n\n</details>"


def _html(text: str) -> str:
    return html.escape(safe(text))
