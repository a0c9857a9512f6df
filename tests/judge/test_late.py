"""What seems to have taken too long, and is measured once more, alone."""

from __future__ import annotations

from typing import Any

from judge.judging import END, START, STOP, TEXT, check, closed, exchange, opened, said, streamed
from judge.judging import frame as written
from msgspec.structs import replace

from metaio_verify.judge.late import late
from metaio_verify.record import Exchange, StreamEvent

INCREMENTAL = check(rule="incremental")
SILENCE = check(rule="kept-alive", args={"seconds": 4}, also=["*"])
BOUND = check(expect={"timing": {"total": 3}})


def answer(total: float, **fields: Any) -> Exchange:
    """A plain answer that took so long."""
    return exchange({}, total=total, **fields)


def stream(first: float, **fields: Any) -> Exchange:
    """A stream whose text comes all at once, so late."""
    events = [START, opened(0, TEXT), said(0, "word " * 100), closed(0), END, STOP]
    chunks = [(first, len(written(event))) for event in events]
    found = streamed(events, chunks=chunks, total=first + 0.1, **fields)
    return replace(found, events=[StreamEvent(at=first, event="message_start", data=START)])


def ids(*found: Exchange) -> list[str]:
    """Which of these, of the probe that all checks are about."""
    return [one.id for one in late([INCREMENTAL, SILENCE, BOUND], found)]


def test_what_came_in_time_is_not_asked_again() -> None:
    """Neither is what never came."""
    assert ids(answer(2.9), stream(1.0), exchange({}, status=None, total=9.0)) == []


def test_what_took_longer_than_its_bound_is_asked_again() -> None:
    """Of several attempts it is the last one that is judged."""
    assert ids(answer(9.0, id="first"), answer(3.1, id="last")) == ["last"]


def test_what_came_all_at_once_is_asked_again() -> None:
    """It is asked again once: what was measured alone counts."""
    assert ids(stream(2.5, id="a")) == ["a"]
    alone = stream(2.5)
    assert ids(replace(alone, timing=replace(alone.timing, alone=True))) == []


def test_of_silent_streams_the_most_silent_one_is_asked_again() -> None:
    """One of each model tells enough."""
    streams = [
        stream(4.5, id="a", model="m1", probe="x"),
        stream(6.0, id="b", model="m1", probe="y"),
        stream(5.0, id="c", model="m2", probe="x"),
    ]
    assert ids(*streams) == ["b", "c"]


def test_what_would_fail_the_run_is_asked_again_first() -> None:
    """A plan may have no room for all of it."""
    may = check(id="a.may", level="should", on="q", expect={"timing": {"total": 1}})
    slow = [answer(2.0, id="may", probe="q"), answer(9.0, id="must")]
    assert [one.id for one in late([may, BOUND], slow)] == ["must", "may"]
