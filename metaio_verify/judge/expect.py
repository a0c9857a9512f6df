"""What an expectation of a check file says about one exchange."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import UNSET

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.match import Deviation, Schemas, deviations
from metaio_verify.judge.path import Node, compile_path
from metaio_verify.judge.values import fill
from metaio_verify.judge.violation import StreamViolation
from metaio_verify.judge.wording import described, short, shown, shown_path
from metaio_verify.record import Finding
from metaio_verify.suite.model import Expect, StatusPattern

_MOST = 3
"""So many events with the same violation are shown; the number of the others is added."""


def findings(expect: Expect, evidence: Evidence, schemas: Schemas) -> list[Finding]:
    """Return how an exchange deviates from an expectation; nothing when it meets it.

    Paths select in the document (`Evidence.document`); when there is none, that is one finding,
    not one for each path. Violations of a stream and paths over its events need a stream.
    """
    if evidence.exchange.response is None:
        wanted = _statuses(expect.status) if expect.status is not UNSET else "an answer"
        return [*_timing(expect, evidence), _found(evidence, wanted, evidence.why_no_document)]
    found: list[Finding] = []
    # Most expectations say little, and there are thousands of comparisons.
    if expect.status is not UNSET:
        found += _status(expect.status, evidence)
    if expect.headers:
        found += _headers(expect, evidence, schemas)
    if evidence.exchange.failure is not None:
        found += _whole(evidence)
    if expect.schema is not UNSET or expect.json or expect.json_if_present or expect.absent:
        found += _document(expect, evidence, schemas)
    if expect.text is not UNSET or expect.body is not UNSET:
        found += _texts(expect, evidence, schemas)
    if expect.stream is not UNSET or expect.events:
        found += _stream(expect, evidence, schemas)
    if expect.timing is not UNSET:
        found += _timing(expect, evidence)
    return found


def lacks_stream(expect: Expect, evidence: Evidence) -> bool:
    """Tell whether an expectation is about a stream and the answer is none."""
    if expect.stream is UNSET and not expect.events:
        return False
    return evidence.exchange.response is not None and not evidence.is_sse


def status_fits(wanted: StatusPattern | Sequence[StatusPattern], status: int) -> bool:
    """Compare a status code with `200`, `2xx` or several of these."""
    return any(_fits(pattern, status) for pattern in _patterns(wanted))


def names_status(expect: Expect, status: int) -> bool:
    """Tell whether an expectation names exactly this status code, not just its class."""
    return expect.status is not UNSET and any(
        str(pattern) == str(status) for pattern in _patterns(expect.status)
    )


def _patterns(
    wanted: StatusPattern | Sequence[StatusPattern],
) -> Sequence[StatusPattern]:
    return [wanted] if isinstance(wanted, int | str) else wanted


@cache
def _fits(pattern: StatusPattern, status: int) -> bool:
    text = str(pattern)
    return text == str(status) or (text.endswith("xx") and text[:1] == str(status)[:1])


def _statuses(wanted: StatusPattern | Sequence[StatusPattern]) -> str:
    return "status " + " or ".join(map(str, _patterns(wanted)))


def _found(evidence: Evidence, expected: str, actual: str, where: str = "") -> Finding:
    return Finding(expected=expected, actual=actual, where=where, exchange=evidence.exchange.id)


def _status(
    wanted: StatusPattern | Sequence[StatusPattern], evidence: Evidence
) -> Iterator[Finding]:
    if evidence.status is not None and not status_fits(wanted, evidence.status):
        yield _found(evidence, _statuses(wanted), evidence.outcome, "status")


def _headers(expect: Expect, evidence: Evidence, schemas: Schemas) -> Iterator[Finding]:
    values = evidence.exchange.values
    for name, matcher in expect.headers.items():
        value = evidence.header(name)
        where = f"header {name.lower()}"
        if matcher is None:
            if value is not None:
                yield _found(evidence, "no such header", shown(value), where)
        elif value is None:
            yield _found(evidence, described(fill(matcher, values)), "no such header", where)
        else:
            wanted = str(matcher) if isinstance(matcher, int | float) else matcher
            for deviation in deviations(wanted, value, schemas, values):
                yield _found(evidence, deviation.expected, deviation.actual, where)


def _whole(evidence: Evidence) -> Iterator[Finding]:
    """Report a plain answer that broke off; how a stream ended is judged by its grammar."""
    failure = evidence.exchange.failure
    if failure is not None and not evidence.is_sse:
        yield _found(evidence, "a complete answer", f"it broke off: {failure.detail}")


def _document(expect: Expect, evidence: Evidence, schemas: Schemas) -> Iterator[Finding]:
    if not evidence.has_document:
        # A plain answer that broke off has been reported as such.
        if evidence.is_sse or evidence.exchange.failure is None:
            yield _found(evidence, "a JSON document", evidence.why_no_document, "body")
        return
    values = evidence.exchange.values
    document = evidence.document
    if expect.schema is not UNSET:
        schema = schemas[expect.schema] if isinstance(expect.schema, str) else expect.schema
        yield from _at((), deviations(schema, document, schemas, values), evidence)
    for path, matcher in expect.json.items():
        nodes = compile_path(path)(document)
        if not nodes:
            yield _found(evidence, described(fill(matcher, values)), _nothing(evidence), path)
        yield from _nodes(nodes, matcher, evidence, schemas)
    for path, matcher in expect.json_if_present.items():
        yield from _nodes(compile_path(path)(document), matcher, evidence, schemas)
    for path in expect.absent:
        for node in compile_path(path)(document):
            yield _found(evidence, "nothing", shown(node.value), shown_path(node.location))


def _nothing(evidence: Evidence) -> str:
    """Say that a path selects nothing, and the likely cause: the answer is an error."""
    return "nothing there" if evidence.succeeded else f"nothing there ({evidence.outcome})"


def _nodes(
    nodes: Iterable[Node], matcher: Any, evidence: Evidence, schemas: Schemas
) -> Iterator[Finding]:
    values = evidence.exchange.values
    for node in nodes:
        found = deviations(matcher, node.value, schemas, values)
        yield from _at(node.location, found, evidence)


def _at(
    location: tuple[str | int, ...], found: Iterable[Deviation], evidence: Evidence
) -> Iterator[Finding]:
    for deviation in found:
        where = shown_path((*location, *deviation.location))
        yield _found(evidence, deviation.expected, deviation.actual, where)


def _texts(expect: Expect, evidence: Evidence, schemas: Schemas) -> Iterator[Finding]:
    values = evidence.exchange.values
    if expect.text is not UNSET:
        if evidence.text is None:
            yield _found(evidence, "a message with content", _no_message(evidence), "text")
        else:
            for deviation in deviations(expect.text, evidence.text, schemas, values):
                yield _found(evidence, deviation.expected, deviation.actual, "text")
    if expect.body is not UNSET:
        for deviation in deviations(expect.body, evidence.body_text, schemas, values):
            yield _found(evidence, deviation.expected, deviation.actual, "body")


def _no_message(evidence: Evidence) -> str:
    if not evidence.has_document:
        return evidence.why_no_document
    return shown(evidence.document) if evidence.succeeded else evidence.outcome


def _stream(expect: Expect, evidence: Evidence, schemas: Schemas) -> Iterator[Finding]:
    if lacks_stream(expect, evidence):
        yield _found(evidence, "a stream of events", evidence.outcome, "body")
        return
    if expect.stream is not UNSET:
        for kind in expect.stream:
            yield from _violations(evidence.violations_by_kind.get(kind, []), evidence)
    if expect.events:
        yield from _events(expect, evidence, schemas)


def _violations(same: Sequence[StreamViolation], evidence: Evidence) -> Iterator[Finding]:
    further = len(same) - _MOST
    for number, violation in enumerate(same[:_MOST], start=1):
        more = f" (and {further} more)" if number == _MOST and further > 0 else ""
        where = f"event {violation.event}" if violation.event else "stream"
        yield _found(evidence, violation.expected, violation.actual + more, where)


def _events(expect: Expect, evidence: Evidence, schemas: Schemas) -> Iterator[Finding]:
    numbers = [number for number, _ in evidence.event_data]
    data = [document for _, document in evidence.event_data]
    values = evidence.exchange.values
    for path, matcher in expect.events.items():
        nodes = compile_path(path)(data)
        if not nodes:
            wanted = described(fill(matcher, values))
            yield _found(evidence, wanted, "nothing there", f"events {path}")
        for node in nodes:
            for deviation in deviations(matcher, node.value, schemas, values):
                index, *inner = (*node.location, *deviation.location) or (0,)
                place = shown_path(tuple(inner))
                where = f"event {numbers[index]} {place}" if isinstance(index, int) else place
                yield _found(evidence, deviation.expected, deviation.actual, where)


def exceeded(expect: Expect, evidence: Evidence) -> bool:
    """Tell whether an exchange took longer than an expectation allows."""
    return any(_timing(expect, evidence))


def _timing(expect: Expect, evidence: Evidence) -> Iterator[Finding]:
    if expect.timing is UNSET:
        return
    bounds = [
        ("the whole answer", expect.timing.total, evidence.exchange.timing.total),
        ("the first byte", expect.timing.first_byte, evidence.first_byte),
        ("no longer silence", expect.timing.silence, evidence.silence),
    ]
    for what, bound, taken in bounds:
        if bound is not None and taken is not None and taken > bound:
            wanted = short(f"{what} within {bound:g} s")
            yield _found(evidence, wanted, f"{taken:.2f} s", "timing")
