"""A judgement in plain lines, for the reports of CI systems."""

from __future__ import annotations

from metaio_verify.record import Exchange, Judgement, RunRecord
from metaio_verify.report.curl import replay
from metaio_verify.report.group import evidence, info_of
from metaio_verify.report.text import client, plural, safe

_MOST = 5
"""Findings that are written out; the run record has all."""


def headline(judgement: Judgement) -> str:
    """Return the most important thing about a judgement in one line."""
    if judgement.waiver is not None:
        return safe(f"until {judgement.waiver.expires}: {judgement.waiver.reason}")
    if judgement.findings:
        first = judgement.findings[0]
        return safe(f"expected {first.expected}, got {first.actual}")
    return safe(judgement.reason or judgement.verdict.meaning)


def paragraphs(record: RunRecord, judgement: Judgement) -> list[str]:
    """Return what was expected, what came, whom it breaks, how to mend it, and a replay."""
    info = info_of(record, judgement.check)
    parts = [_identity(record, judgement)]
    if judgement.reason:
        parts.append(safe(judgement.reason))
    exchanges = {one.id: one for one in record.exchanges}
    for one in judgement.findings[:_MOST]:
        lines = [f"Expected: {safe(one.expected)}", f"Actual: {safe(one.actual)}"]
        where = [one.where, _came_from(exchanges.get(one.exchange))]
        if any(where):
            lines.append(f"Where: {safe(' · '.join(filter(None, where)))}")
        parts.append("\n".join(lines))
    if (rest := len(judgement.findings) - _MOST) > 0:
        parts.append(f"and {plural(rest, 'more finding')}, see the run record")
    advice = [f"Breaks: {safe(client(who))}: {safe(what)}" for who, what in info.breaks.items()]
    advice += [f"Fix: {safe(info.fix)}"] if info.fix else []
    advice += [f"Workaround: {safe(info.workaround)}"] if info.workaround else []
    advice += [f"Source: {safe(source)}" for source in info.sources]
    parts.append("\n".join(advice))
    if command := _command(record, judgement):
        parts.append(command)
    return [part for part in parts if part]


def _identity(record: RunRecord, judgement: Judgement) -> str:
    info = info_of(record, judgement.check)
    facts = [judgement.check, judgement.level, " ".join(judgement.contract), judgement.model or ""]
    return f"{safe(info.title)}\n{safe(' · '.join(filter(None, facts)))}"


def _came_from(exchange: Exchange | None) -> str:
    if exchange is None:
        return ""
    answer = f"answered {exchange.response.status}" if exchange.response else "no answer"
    return f"{exchange.probe} {answer}"


def _command(record: RunRecord, judgement: Judgement) -> str:
    """The command that sends the first request again that showed a finding."""
    shown = evidence(record, [*(one.exchange for one in judgement.findings), *judgement.exchanges])
    if shown is None:
        return ""
    command = replay(shown)
    first = f"{command.body_file}\n" if command.body_file else ""
    return f"Replay:\n{first}{command}"
