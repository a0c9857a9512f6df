"""Each exchange of a run as a page shows it: bounded, with what its answer was judged to be.

A page is for reading; the run record holds everything. What shows a deviation is shown first, and
when the page has grown large enough, the other exchanges are shown without their bodies.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from metaio_verify.record import Exchange, RunRecord
from metaio_verify.report.body import Body, answered, event, shown
from metaio_verify.report.curl import replay
from metaio_verify.report.group import deviations
from metaio_verify.report.text import safe
from metaio_verify.report.timeline import Lane, course, spoken
from metaio_verify.verdict import Verdict

_PAGE = 3_000_000
"""Characters of all bodies and events on the page."""
_BODY, _EVENT, _EVENTS = 6_000, 400, 80


class Event(Struct, frozen=True):
    """A server-sent event in one line."""

    number: int
    at: str
    name: str
    data: str


class Shown(Struct, frozen=True):
    """One exchange."""

    id: str
    anchor: str
    method: str
    path: str
    status: str
    total: float
    head: float | None
    verdict: Verdict
    """The worst deviation that it shows; otherwise that there is none."""
    checks: tuple[str, ...]
    """The checks whose deviation it shows."""
    exchange: Exchange
    request: Body | None = None
    answer: Body | None = None
    events: tuple[Event, ...] = ()
    more_events: int = 0
    lanes: tuple[Lane, ...] = ()
    command: str = ""
    omitted: bool = False
    """Whether the page had no room for its bodies."""


def exchanges(record: RunRecord) -> list[Shown]:
    """Return all exchanges in the order of the run."""
    blamed = _blamed(record)
    numbered = list(enumerate(record.exchanges, start=1))
    numbered.sort(key=lambda pair: pair[1].id not in blamed)
    room = _PAGE
    found: dict[int, Shown] = {}
    for number, exchange in numbered:
        one = _shown(record, exchange, f"x{number}", blamed, full=room > 0)
        room -= _size(one)
        found[number] = one
    return [found[number] for number in sorted(found)]


def command_of(exchange: Exchange) -> str:
    """Return what sends the request again, with the command before it that makes its body."""
    command = replay(exchange)
    return f"{command.body_file}\n{command}" if command.body_file else str(command)


def _blamed(record: RunRecord) -> dict[str, tuple[Verdict, list[str]]]:
    """Exchange → the worst verdict and the checks of the deviations that it shows."""
    found: dict[str, tuple[Verdict, list[str]]] = {}
    for one in deviations(record):  # the worst first
        named = {id_ for seen in one.seen for id_ in seen.exchanges}
        for id_ in named or one.exchanges:
            _, checks = found.setdefault(id_, (one.verdict, []))
            checks.append(one.check)
    return found


def _shown(
    record: RunRecord,
    exchange: Exchange,
    anchor: str,
    blamed: dict[str, tuple[Verdict, list[str]]],
    *,
    full: bool,
) -> Shown:
    verdict, checks = blamed.get(exchange.id, (Verdict.PASS, []))
    response, clock = exchange.response, exchange.timing
    unanswered = exchange.failure.kind if exchange.failure else "none"
    request = exchange.request
    return Shown(
        id=exchange.id,
        anchor=anchor,
        method=request.method,
        path=_path(record, request.url),
        status=str(response.status) if response else unanswered,
        total=clock.total,
        head=clock.headers,
        verdict=verdict,
        checks=tuple(dict.fromkeys(checks)),
        exchange=exchange,
        omitted=not full,
        command=command_of(exchange),
        request=shown(request.body, _BODY) if full and request.body else None,
        answer=answered(response, _BODY) if full and response and not exchange.events else None,
        events=tuple(_events(exchange)) if full else (),
        more_events=max(0, len(exchange.events) - _EVENTS) if full else 0,
        lanes=tuple(course(exchange)) if full else (),
    )


def _events(exchange: Exchange) -> Iterable[Event]:
    for number, one in enumerate(exchange.events[:_EVENTS]):
        name = safe(one.event) if one.event is not None else "no name"
        yield Event(number, spoken(one.at), name, event(one, _EVENT))


def _path(record: RunRecord, url: str) -> str:
    """Return the part of an address behind the base URL; all of it where it is elsewhere."""
    base = record.target.base_url
    return url.removeprefix(base) if url.startswith(f"{base}/") else url


def _size(one: Shown) -> int:
    bodies = sum(len(body.text) for body in (one.request, one.answer) if body)
    # A mark of the time-line is some 80 characters.
    marks = sum(len(lane.marks) for lane in one.lanes)
    return bodies + sum(len(event.data) + 80 for event in one.events) + 80 * marks
