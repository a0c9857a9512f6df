"""One deviation on a terminal page: in full, in short, or in a line."""

from __future__ import annotations

from metaio_verify.record import Exchange, RunRecord
from metaio_verify.report.curl import replay
from metaio_verify.report.group import Deviation, Seen
from metaio_verify.report.layout import LABEL, Page, joined
from metaio_verify.report.text import listed, plural, safe
from metaio_verify.urls import split

_INDENT = 4
_SHOWN_IN_FULL = 3
"""Findings of one failure that are written out."""
_SHORT = 240


def in_full(page: Page, record: RunRecord, one: Deviation) -> None:
    """Write what was expected, what came, whom it breaks, how to mend it, and a replay."""
    _identity(page, record, one)
    page.blank()
    _findings(page, record, one, _SHOWN_IN_FULL)
    page.blank()
    _advice(page, one)
    for source in one.info.sources[:2]:
        page.field("Source", (source, "dim"), indent=_INDENT)
    _replay(page, record, one)


def in_short(page: Page, record: RunRecord, one: Deviation) -> None:
    """Write the first finding, whom it breaks and how to mend it."""
    _identity(page, record, one)
    _findings(page, record, one, 1)
    _advice(page, one)


def in_a_line(page: Page, record: RunRecord, one: Deviation) -> None:
    """Write the check's id and what came."""
    page.line((joined([one.check, _models(record, one.models)]), "dim"), indent=_INDENT)
    finding = one.seen[0].finding if one.seen else None
    seen = f"expected {finding.expected}, got {finding.actual}" if finding else ""
    page.line((safe(one.reason or seen, _SHORT), ""), indent=_INDENT)


def _identity(page: Page, record: RunRecord, one: Deviation) -> None:
    facts = [one.check, str(one.level), " ".join(one.contract), _models(record, one.models)]
    page.line((joined(facts), "dim"), indent=_INDENT)


def _models(record: RunRecord, models: tuple[str, ...]) -> str:
    """Name the models, where there is a choice."""
    if len(record.target.models) < 2 or not models:
        return ""
    return f"with {listed(models)}"


def _findings(page: Page, record: RunRecord, one: Deviation, most: int) -> None:
    if one.reason:
        page.line((one.reason, ""), indent=_INDENT)
    for number, seen in enumerate(one.seen[:most]):
        if number:
            page.blank()
        finding = seen.finding
        page.field("Expected", (finding.expected, ""), indent=_INDENT)
        page.field("Actual", (finding.actual, "bold"), indent=_INDENT)
        partly = "" if seen.models == one.models else _models(record, seen.models)
        where = joined([finding.where, _exchange(record, seen), partly])
        if where:
            page.field("Where", (where, ""), indent=_INDENT)
    if (rest := len(one.seen) - most) > 0:
        page.line(
            (f"and {plural(rest, 'more finding')}, see the JSON report", "dim"),
            indent=_INDENT + LABEL,
        )


def _exchange(record: RunRecord, seen: Seen) -> str:
    """Name the exchange that shows a finding, and how often it was seen."""
    exchange = _find(record, seen.finding.exchange)
    if exchange is None:
        return ""
    url = split(exchange.request.url)
    path = f"{url.path}?{url.query}" if url.query else url.path
    base = split(record.target.base_url).path
    answer = f"answered {exchange.response.status}" if exchange.response else "no answer"
    often = len(seen.exchanges) > max(1, len(seen.models))
    return joined(
        [
            exchange.probe,
            f"{exchange.request.method} {path.removeprefix(base)} {answer}",
            f"in {len(seen.exchanges)} exchanges" if often else "",
        ]
    )


def _advice(page: Page, one: Deviation) -> None:
    for number, (clients, effect) in enumerate(one.effects.items()):
        page.field("" if number else "Breaks", (f"{clients}: ", ""), (effect, ""), indent=_INDENT)
    if one.info.fix:
        page.field("Fix", (one.info.fix, ""), indent=_INDENT)
    if one.info.workaround:
        page.field("Workaround", (one.info.workaround, ""), indent=_INDENT)


def _replay(page: Page, record: RunRecord, one: Deviation) -> None:
    ids = [*(seen.finding.exchange for seen in one.seen), *one.exchanges]
    exchange = next((found for id_ in ids if (found := _find(record, id_))), None)
    if exchange is None:
        return
    command = replay(exchange)
    page.blank()
    if command.body_file:
        page.line(("Replay, with run.json from --report json=run.json", "dim"), indent=_INDENT)
        page.verbatim(command.body_file, _INDENT)
    else:
        page.line(("Replay", "dim"), indent=_INDENT)
    for number, argument in enumerate(command.arguments):
        more = " \\" if number < len(command.arguments) - 1 else ""
        page.verbatim(f"{argument}{more}", _INDENT + 2 * (number > 0))


def _find(record: RunRecord, id_: str) -> Exchange | None:
    return next((one for one in record.exchanges if one.id == id_), None)
