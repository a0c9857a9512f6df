"""What is new in a run since the one before: for a developer who runs a check again and again."""

from __future__ import annotations

import re

from msgspec import Struct

from metaio_verify.record import Judgement, RunRecord
from metaio_verify.report import deviation
from metaio_verify.report.group import deviations, info_of, normal
from metaio_verify.report.layout import Page
from metaio_verify.report.surface import Surface
from metaio_verify.report.terminal import SIGNS
from metaio_verify.report.text import moment, plural
from metaio_verify.verdict import Verdict


class Change(Struct, frozen=True):
    """One check that came out otherwise."""

    check: str
    model: str | None
    before: Verdict | None
    now: Verdict
    """The same as before when only the findings are others."""


def changed(before: RunRecord, now: RunRecord) -> list[Change]:
    """Return what came out otherwise; tokens and ids, which always differ, do not count."""
    was = {(one.check, one.model): one for one in before.verdicts}
    found = []
    for one in now.verdicts:
        old = was.get((one.check, one.model))
        if old is None or _gist(old) != _gist(one):
            found.append(Change(one.check, one.model, old.verdict if old else None, one.verdict))
    return found


_OF_THE_ROUND = re.compile(r"\b[a-z]{2,9}[_-][A-Za-z0-9]*\d[A-Za-z0-9]{8,}\b|\d+\.\d+")
"""Ids and times, which are others in every round."""


def _gist(one: Judgement) -> tuple[Verdict, str, frozenset[tuple[str, ...]]]:
    findings = frozenset(
        tuple(_lasting(text, one.model) for text in (each.expected, each.actual, each.where))
        for each in one.findings
    )
    return one.verdict, _lasting(one.reason, one.model), findings


def _lasting(text: str, model: str | None) -> str:
    return _OF_THE_ROUND.sub("…", normal(text, model))


def render(before: RunRecord, now: RunRecord, number: int, surface: Surface) -> str:
    """Return a round: what changed, each new deviation in full, and how it stands."""
    page = Page(surface)
    time = moment(now.started)
    page.rule(f"round {number}, {time:%H:%M:%S} UTC" if time else f"round {number}")
    found = changed(before, now)
    if now.stopped is not None and now.stopped != before.stopped:
        page.line((now.stopped.message, ""))
    for change in found:
        sign = SIGNS[change.now]
        was = change.before or "new"
        how = f"{was} → {change.now}" if was != change.now else f"still {change.now}, otherwise"
        page.line(
            (f"{page.mark(sign.unicode, sign.ascii)} ", sign.style),
            (info_of(now, change.check).title, "bold"),
            (f"  {how}", "dim"),
            (f" with {change.model}" if change.model and len(now.target.models) > 1 else "", "dim"),
            hang=2,
        )
        for one in deviations(now):
            if one.check == change.check and one.verdict is change.now:
                deviation.in_full(page, now, one)
        page.blank()
    if not found:
        page.line(("Nothing changed.", ""))
    failing = sum(one.verdict is Verdict.FAIL for one in now.verdicts)
    state = plural(failing, "check fails", "checks fail") if failing else "no check fails"
    page.line((f"{state}; exit code {now.exit_code}", "dim"))
    page.blank()
    return str(page)
