"""Workflow commands of GitHub Actions: an annotation for each check that is not well.

The runner obeys what stands at the start of a line of a step's output. So every annotation is one
line, and no text of a server can begin another one.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from metaio_verify.outcome import worse_since
from metaio_verify.record import RunRecord
from metaio_verify.report.group import Deviation, deviations, info_of, unsettled
from metaio_verify.report.settled import stopper
from metaio_verify.report.text import listed, plural, safe
from metaio_verify.report.waivers import place_of, stale
from metaio_verify.verdict import Verdict

_SHOWN = 10
"""Annotations of one kind that GitHub keeps of a step."""
_BEFORE = "The earlier run had it too, so it fails nothing."
_KINDS = {Verdict.FAIL: "error", Verdict.WARN: "warning", Verdict.NOTE: "notice"}


class Annotation(Struct, frozen=True):
    """One workflow command."""

    kind: str
    title: str
    message: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        properties = {"file": self.file, "line": str(self.line or ""), "title": self.title}
        given = ",".join(f"{name}={_property(text)}" for name, text in properties.items() if text)
        return f"::{self.kind} {given}::{_data(self.message)}"


def render(record: RunRecord) -> str:
    """Return the commands, the worst first; at most as many of a kind as GitHub shows."""
    found = [*_stopped(record), *_waivers(record), *_deviations(record), *_unknown(record)]
    lines: list[str] = []
    for kind in _KINDS.values():
        lines += map(str, _bounded([one for one in found if one.kind == kind]))
    return "".join(f"{line}\n" for line in lines)


def _stopped(record: RunRecord) -> list[Annotation]:
    reason = stopper(record)
    if not reason:
        return []
    hints = record.stopped.hints if record.stopped else []
    return [Annotation("error", "metaio-verify: not verified", _lines([reason, *hints]))]


def _waivers(record: RunRecord) -> list[Annotation]:
    """The waivers that fail the run, at their place in the baseline."""
    return [
        Annotation(
            "error",
            safe(f"{one.check}: the waiver is {one.state}"),
            _lines([one.detail, f"Its reason: {one.reason}"]),
            *place_of(one),
        )
        for one in stale(record)
    ]


def _deviations(record: RunRecord) -> list[Annotation]:
    """What deviates; what an earlier run had as well fails nothing, so it is no error."""
    known, new = _parted(record)
    strict = record.selection.strict
    found = [_deviation(one, _kind(one, strict=strict)) for one in deviations(new)]
    for one in deviations(known):
        kind = "warning" if one.verdict is Verdict.FAIL else _KINDS[one.verdict]
        found.append(_deviation(one, kind, _BEFORE))
    return found


def _kind(one: Deviation, *, strict: bool) -> str:
    return "error" if strict and one.verdict is Verdict.WARN else _KINDS[one.verdict]


def _deviation(one: Deviation, kind: str, remark: str = "") -> Annotation:
    title = safe(f"{one.check}: {one.info.title}")
    return Annotation(kind, title, _message(one, remark), safe(one.info.file), one.info.line)


def _parted(record: RunRecord) -> tuple[RunRecord, RunRecord]:
    """Return the record with what an earlier run had as well, and with what counts."""
    judged = record.verdicts
    new = judged if record.since is None else worse_since(judged, record.since.changes)
    known = [one for one in judged if one not in new]
    return replace(record, verdicts=known), replace(record, verdicts=list(new))


def _message(one: Deviation, remark: str) -> str:
    lines = [text for text in (remark, one.reason) if text]
    if one.seen:
        finding = one.seen[0].finding
        lines += [f"Expected: {finding.expected}", f"Actual: {finding.actual}"]
        lines += [f"Where: {finding.where}"] if finding.where else []
    if one.models:
        lines.append(f"With: {listed(one.models)}")
    lines += [f"Breaks: {who}: {what}" for who, what in one.effects.items()]
    lines += [f"Fix: {one.info.fix}"] if one.info.fix else []
    return _lines(lines)


def _unknown(record: RunRecord) -> list[Annotation]:
    """The must-checks that could not be judged; each reason once."""
    stop = record.stopped.message if record.stopped else None
    _, new = _parted(record)
    return [
        Annotation(
            "error",
            f"{plural(group.musts, 'must-check')} {group.verdict}",
            _lines([group.reason, f"Checks: {', '.join(group.checks)}"]),
            *_place(record, group.checks),
        )
        for verdict in (Verdict.BLOCKED, Verdict.INCONCLUSIVE)
        for group in unsettled(new, verdict)
        if group.musts and group.reason != stop
    ]


def _place(record: RunRecord, checks: tuple[str, ...]) -> tuple[str, int | None]:
    """Return where a check stands, if there is but one."""
    if len(checks) != 1:
        return "", None
    info = info_of(record, checks[0])
    return safe(info.file), info.line


def _bounded(found: list[Annotation]) -> list[Annotation]:
    """Return as many as are shown; the last one counts those that are not."""
    if len(found) <= _SHOWN:
        return found
    rest = found[_SHOWN - 1 :]
    titles = "\n".join(one.title for one in rest)
    more = Annotation(rest[0].kind, f"{len(rest)} more of metaio-verify", titles)
    return [*found[: _SHOWN - 1], more]


def _lines(lines: Iterable[str]) -> str:
    """Return a text whose line breaks are all ours."""
    return "\n".join(map(safe, lines))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
