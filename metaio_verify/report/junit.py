"""JUnit XML, as Jenkins, GitLab, GitHub's actions and others read it.

A suite for each area and model, a case for each judgement, and a suite of the waivers. JUnit knows
four results, the run record nine verdicts: `settled` says what becomes of each. What a person has
to know of a case that is neither failed nor skipped stands in its `system-out`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from xml.etree import ElementTree as ET

from metaio_verify.record import Judgement, RunRecord, Waiver
from metaio_verify.report.finding import headline, paragraphs
from metaio_verify.report.group import info_of
from metaio_verify.report.settled import Kind, kind, stopper
from metaio_verify.report.summary import summarise
from metaio_verify.report.text import moment, safe
from metaio_verify.report.waivers import place_of
from metaio_verify.urls import split

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""
_ELEMENTS = {Kind.FAILED: "failure", Kind.ERROR: "error", Kind.SKIPPED: "skipped"}
_COUNTED = {"failures": Kind.FAILED, "errors": Kind.ERROR, "skipped": Kind.SKIPPED}


def render(record: RunRecord) -> str:
    """Return the document."""
    root = ET.Element("testsuites", {"name": "metaio-verify"})
    root.extend(_suites(record))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _time(record.duration_s))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suites(record: RunRecord) -> Iterable[ET.Element]:
    groups: dict[tuple[str, str | None], list[Judgement]] = {}
    for judgement in record.verdicts:
        area = info_of(record, judgement.check).area
        groups.setdefault((area, judgement.model), []).append(judgement)
    if reason := stopper(record):
        yield _stopped(record, reason)
    if record.waivers:
        yield _waivers(record)
    for (area, model), judgements in groups.items():
        yield _suite(record, area, model, judgements)


def _stopped(record: RunRecord, reason: str) -> ET.Element:
    """Return a suite with one error: a run that did not get to its checks is not green."""
    suite = _empty(record, "Run", None)
    case = ET.SubElement(suite, "testcase", {"classname": "metaio-verify", "name": "run"})
    case.set("time", _time(record.duration_s))
    error = ET.SubElement(case, "error", {"type": "not-verified", "message": _text(reason)})
    hints = record.stopped.hints if record.stopped else []
    error.text = "\n".join(map(_text, [summarise(record).headline, *hints]))
    _count(suite, [Kind.ERROR], record.duration_s)
    return suite


def _waivers(record: RunRecord) -> ET.Element:
    """Return a suite with a case for each waiver; one that is stale is an error with its place."""
    suite = _empty(record, "Waivers", None)
    for one in record.waivers:
        name = f"{one.check} with {one.model}" if one.model else one.check
        attributes = {"classname": "metaio-verify.waivers", "name": _text(name)}
        file, line = place_of(one)
        if file:
            attributes |= {"file": _text(file), "line": str(line)}
        case = ET.SubElement(suite, "testcase", {**attributes, "time": _time(0)})
        if one.state.is_stale:
            message = _text(f"the waiver of {name} is {one.state}: {one.detail}")
            error = ET.SubElement(case, "error", {"message": message})
            error.set("type", f"waiver-{one.state}")
            error.text = "\n".join(map(_text, _about(one)))
    kinds = [Kind.ERROR if one.state.is_stale else Kind.PASSED for one in record.waivers]
    _count(suite, kinds, 0)
    return suite


def _about(waiver: Waiver) -> Iterable[str]:
    yield waiver.detail
    yield f"Its reason: {waiver.reason}"
    yield f"Its last day: {waiver.expires}"
    if waiver.place:
        yield f"Where: {waiver.place}"


def _suite(
    record: RunRecord, area: str, model: str | None, judgements: list[Judgement]
) -> ET.Element:
    suite = _empty(record, record.areas.get(area, area), model)
    strict = record.selection.strict
    for judgement in judgements:
        suite.append(_case(record, judgement, kind(judgement, strict=strict, since=record.since)))
    # A request that several checks judge is counted once.
    ids = {id_ for judgement in judgements for id_ in judgement.exchanges}
    spent = sum(_times(record, ids))
    _count(suite, [kind(one, strict=strict, since=record.since) for one in judgements], spent)
    return suite


def _empty(record: RunRecord, name: str, model: str | None) -> ET.Element:
    suite = ET.Element("testsuite", {"name": _text(f"{name} · {model}" if model else name)})
    if time := moment(record.started):
        suite.set("timestamp", f"{time:%Y-%m-%dT%H:%M:%S}")
    suite.set("hostname", _text(_host(record.target.base_url)))
    properties = ET.SubElement(suite, "properties")
    facts = {
        "metaio-verify": record.tool.version,
        "base-url": record.target.base_url,
        "profile": record.selection.profile,
        "auth": record.target.auth,
        **({"model": model} if model else {}),
    }
    for fact, value in facts.items():
        ET.SubElement(properties, "property", {"name": fact, "value": _text(value)})
    return suite


def _case(record: RunRecord, judgement: Judgement, result: Kind) -> ET.Element:
    info = info_of(record, judgement.check)
    where = ".".join(filter(None, ["metaio-verify", info.area, judgement.model]))
    attributes = {"classname": _text(where), "name": _text(judgement.check)}
    if info.file:
        attributes["file"] = _text(info.file)
    if info.file and info.line is not None:
        attributes["line"] = str(info.line)
    case = ET.Element("testcase", attributes)
    case.set("time", _time(max(_times(record, judgement.exchanges), default=0)))
    if element := _ELEMENTS.get(result):
        said = headline(judgement)
        message = f"{judgement.verdict}: {said}" if result is Kind.SKIPPED else said
        told = ET.SubElement(case, element, {"message": _text(message)})
        told.set("type", str(judgement.verdict))
        if result is not Kind.SKIPPED:
            told.text = _full(record, judgement)
    elif result is Kind.REMARK:
        text = f"{judgement.verdict}: {_full(record, judgement)}"
        ET.SubElement(case, "system-out").text = text
    return case


def _full(record: RunRecord, judgement: Judgement) -> str:
    return _legal("\n\n".join(paragraphs(record, judgement)))


def _count(suite: ET.Element, kinds: list[Kind], seconds: float) -> None:
    suite.set("tests", str(len(kinds)))
    for name, counted in _COUNTED.items():
        suite.set(name, str(kinds.count(counted)))
    suite.set("time", _time(seconds))


def _times(record: RunRecord, ids: Collection[str]) -> Iterable[float]:
    return (one.timing.total for one in record.exchanges if one.id in ids)


def _time(seconds: float) -> str:
    return f"{max(0.0, seconds):.3f}"


def _host(url: str) -> str:
    try:
        return split(url).netloc or url
    except ValueError:
        return url


def _text(text: str) -> str:
    """Return a string that a server or user made, in one line."""
    return _legal(safe(text))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
