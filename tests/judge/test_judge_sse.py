from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaio_verify.judge.sse import NOT_JSON, SseStream, parse


def events(body: bytes) -> list[tuple[str | None, str]]:
    """Name and data of each event."""
    return [(event.name, event.data) for event in parse(body, []).events]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_of_the_three_ways(end: bytes) -> None:
    """CR LF, LF and CR end a line, and an empty line ends an event."""
    body = end.join([b"event: a", b"data: 1", b"", b"data: 2", b"data: 3", b"", b""])
    assert events(body) == [("a", "1"), (None, "2\n3")]


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_nothing_else_ends_a_line(char: str) -> None:
    """What Unicode calls a line break may stand inside a data line."""
    assert events(f"data: a{char}b\n\n".encode()) == [(None, f"a{char}b")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\xef\xbb\xbfdata: x\n\n", [(None, "x")]),
        (b"data:x\n\n", [(None, "x")]),
        (b"data:  x\n\n", [(None, " x")]),
        (b"data\n\n", [(None, "")]),
        (b"event: a\nevent: b\ndata: x\n\n", [("b", "x")]),
        (b"event:\ndata: x\n\n", [(None, "x")]),
        (b"id: 7\nretry: 100\n\ndata: x\n\n", [(None, "x")]),
        (b": hello\n\n: again\ndata: x\n\n", [(None, "x")]),
        (b"unknown: 1\ndata: x\n\n", [(None, "x")]),
        (b"event: ping\n\n", [("ping", "")]),
        (b"\n\n\n\n", []),
        (b"", []),
    ],
)
def test_fields(body: bytes, expected: list[tuple[str | None, str]]) -> None:
    """Fields are read as the standard says; an event line alone is dispatched as in the SDKs."""
    assert events(body) == expected


def test_an_event_without_an_empty_line_is_the_tail() -> None:
    """What the end of the body cuts off is not dispatched."""
    stream = parse(b"data: 1\n\nevent: b\ndata: 2\n", [])
    assert [event.data for event in stream.events] == ["1"]
    assert stream.tail == b"event: b\ndata: 2\n"


def test_a_comment_is_no_tail() -> None:
    """A comment at the end is complete in itself."""
    stream = parse(b"data: 1\n\n: bye\n", [])
    assert (stream.tail, [comment.text for comment in stream.comments]) == (b"", [" bye"])


def test_an_event_arrives_with_its_last_byte() -> None:
    """The time of an event is that of the piece which completed it."""
    body = b"data: 1\r\n\r\ndata: 2\n\n: c\n"
    stream = parse(body, [(0.1, 9), (0.2, 1), (0.3, 9), (0.4, len(body) - 19)])
    assert [event.at for event in stream.events] == [0.2, 0.4]
    assert [comment.at for comment in stream.comments] == [0.4]


def test_pieces_that_do_not_add_up_are_no_problem() -> None:
    """What lies behind the last piece gets the last known time."""
    assert [event.at for event in parse(b"data: 1\n\ndata: 2\n\n", [(0.5, 3)]).events] == [0.5, 0.5]
    assert parse(b"data: 1\n\n", []).events[0].at == 0.0


def test_invalid_utf8_is_flagged_and_replaced() -> None:
    """Broken bytes stay readable, and the event says that they were broken."""
    whole, broken = parse("data: ü\n\n".encode() + b"data: \xc3\n\n", []).events
    assert (whole.data, whole.valid_utf8) == ("ü", True)
    assert (broken.data, broken.valid_utf8) == ("\ufffd", False)


def test_documents_tell_null_from_no_json() -> None:
    """The data of events is decoded once, and what is no JSON is marked as such."""
    assert parse(b"data: null\n\ndata: [DONE]\n\n", []).documents == [None, NOT_JSON]


PARTS = [b"data: x", b"data:", b"event: a", b":c", b"id: 1", b"\r", b"\n", b"\r\n", b"\xff", b" "]
BODIES = st.one_of(st.binary(), st.lists(st.sampled_from(PARTS)).map(b"".join))


@given(body=BODIES, cuts=st.lists(st.integers(0, 60)))
def test_pieces_never_change_what_was_sent(body: bytes, cuts: list[int]) -> None:
    """Any body can be read, and the pieces in which it came decide about times only."""
    whole = parse(body, [(0.0, len(body))])
    pieces = parse(body, [(float(number), size) for number, size in enumerate(cuts)])
    assert _timeless(pieces) == _timeless(whole)
    times = [event.at for event in pieces.events]
    assert times == sorted(times)


def _timeless(stream: SseStream) -> object:
    events = [(e.number, e.name, e.data, e.has_data, e.valid_utf8) for e in stream.events]
    return events, [comment.text for comment in stream.comments], stream.tail


def test_very_many_tiny_events() -> None:
    """The work grows with the body, not with its square."""
    assert len(parse(b"data:\n\n" * 100_000, [(0.0, 1)] * 100_000).events) == 100_000
