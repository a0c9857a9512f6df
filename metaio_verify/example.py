"""A right and a wrong answer to a check, seen on the embedded endpoint and not made up.

The check is run against the clean lab, and against the lab with the first fault that it names.
What is new in every run (ids, tokens) is numbered, so that the same check gives the same page.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from metaio_verify.api import verify
from metaio_verify.lab.gateway.staging import MODEL, staged
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import Exchange, Finding, RunRecord
from metaio_verify.suite.layout import laid_out
from metaio_verify.suite.load import builtin, load
from metaio_verify.suite.model import UPSTREAM
from metaio_verify.suite.words import printable
from metaio_verify.verdict import Verdict
from metaio_verify.wanted import Endpoint, Options

_ID = re.compile(r"\b([a-z]+_01)[0-9a-f]{22}\b|\b(VERIFY-)[A-Z0-9]{8}\b|(127\.0\.0\.1:)\d+")
_OF_THE_MOMENT = frozenset(("date", "content-length", "connection", "transfer-encoding", "server"))
_AROUND = 2
"""Unchanged lines that are shown beside a line that differs."""
_MOST = 8
"""Lines of one stretch that differs."""
_WHOLE = 14
"""Lines of an answer that are shown whole."""
_LONGEST = 240
"""Characters of one line."""


@dataclass(frozen=True)
class Line:
    """One line of an answer."""

    text: str
    differs: bool = False
    """The other answer has no such line."""


@dataclass(frozen=True)
class Answer:
    """What the lab answered, and how the check judged it."""

    probe: str
    verdict: Verdict
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()
    reason: str = ""


class Example(NamedTuple):
    """The two answers; none where nothing was answered, or no fault is named."""

    right: Answer | None
    wrong: Answer | None


def example(check: str, fault: str | None = None, files: Sequence[Path] = ()) -> Example:
    """Run a check against the lab without and with a fault."""
    clean = _run(check, None, files)
    broken = _run(check, fault, files) if fault else None
    shown = _telling(broken or clean, check)
    if shown is None:
        return Example(None, None)
    numbers: dict[str, str] = {}
    right = _lines(_same(clean, shown), numbers)
    numbers.clear()
    wrong = _lines(shown, numbers) if broken else []
    return Example(
        _answer(clean, check, shown.probe, _marked(right, wrong if broken else right)),
        _answer(broken, check, shown.probe, _marked(wrong, right)) if broken else None,
    )


def _run(check: str, fault: str | None, files: Sequence[Path]) -> RunRecord:
    faults = [fault] if fault else []
    suite = load(files, base=builtin()) if files else builtin()
    if UPSTREAM in suite.checks[check].tags:
        with staged(faults=faults) as stage:
            both = {"upstream": stage.upstream, "upstream_token": stage.token}
            endpoint = Endpoint(stage.url, stage.key, [MODEL], **both)
            return verify(endpoint, Options(only=[check], checks=files, patience=5.0))
    lab = Lab(faults=faults)
    with running(lab) as url:
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        return verify(endpoint, Options(only=[check], checks=files, patience=5.0))


def _telling(record: RunRecord, check: str) -> Exchange | None:
    """The exchange that shows most: that of the first finding, or else one that was judged."""
    judged = [one for one in record.verdicts if one.check == check]
    ids = [finding.exchange for one in judged for finding in one.findings]
    ids += [id_ for one in judged for id_ in one.exchanges]
    by_id = {exchange.id: exchange for exchange in record.exchanges}
    return next((by_id[id_] for id_ in ids if id_ in by_id), None)


def _same(record: RunRecord, other: Exchange) -> Exchange | None:
    """The exchange of the other run that this one has to be compared with."""
    found = [one for one in record.exchanges if one.probe == other.probe]
    exact = [one for one in found if one.id == other.id]
    return next(iter([*exact, *found]), None)


def _answer(record: RunRecord, check: str, probe: str, lines: tuple[Line, ...]) -> Answer | None:
    judged = [one for one in record.verdicts if one.check == check]
    if not judged:
        return None
    worst = min(judged, key=lambda one: not one.findings)
    return Answer(probe, worst.verdict, lines, tuple(worst.findings[:2]), worst.reason)


def _lines(exchange: Exchange | None, numbers: dict[str, str]) -> list[str]:
    if exchange is None:
        return ["(not sent)"]
    if exchange.response is None:
        return [f"(no answer: {exchange.failure.detail})" if exchange.failure else "(no answer)"]
    answer = exchange.response
    head = [
        f"{answer.http_version} {answer.status}",
        *(f"{n}: {v}" for n, v in answer.headers if n.lower() not in _OF_THE_MOMENT),
    ]
    body = answer.body.decode("utf-8", "backslashreplace")
    lines = [*head, "", *_body(body)] if body else head
    if exchange.failure is not None:
        lines.append(f"(then: {exchange.failure.detail})")
    return [_numbered(printable(line), numbers) for line in lines]


def _body(text: str) -> Iterator[str]:
    """JSON is laid out; an event stream is shown as it came."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        yield from text.rstrip("\n").split("\n")
    else:
        yield from laid_out(document)


def _numbered(text: str, numbers: dict[str, str]) -> str:
    """Ids in the order in which they come, with their shape and length; the port is left out."""

    def number(match: re.Match[str]) -> str:
        prefix = match[1] or match[2] or match[3]
        if match[3]:
            return f"{prefix}8765"
        width = len(match[0]) - len(prefix)
        count = sum(other.startswith(prefix) for other in numbers) + 1
        return numbers.setdefault(match[0], f"{prefix}{count:0{width}d}")

    return _ID.sub(number, text)


def _marked(lines: Sequence[str], others: Sequence[str]) -> tuple[Line, ...]:
    """The lines of an answer, those marked that differ; long stretches are cut."""
    matcher = difflib.SequenceMatcher(None, lines, others, autojunk=False)
    differing: set[int] = set()
    shown = {0, len(lines) - 1}
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    for _, start, end, _, _ in changes:
        differing |= set(range(start, end))
        shown |= set(range(start - _AROUND, min(end, start + _MOST) + _AROUND))
        shown |= set(range(end - 1, end + _AROUND))
    if not changes or len(lines) <= _WHOLE:
        shown |= set(range(_WHOLE))
    found = [Line(_cut(line), number in differing) for number, line in enumerate(lines)]
    return tuple(_collapsed(found, shown))


def _collapsed(lines: Sequence[Line], shown: set[int]) -> Iterator[Line]:
    hidden = 0
    for number, line in enumerate(lines):
        # A gap of one line is longer to name than to show.
        if number in shown or {number - 1, number + 1} <= shown:
            if hidden:
                yield Line(f"… {hidden} lines")
            hidden = 0
            yield line
        else:
            hidden += 1


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}… ({len(line):,} characters)"
