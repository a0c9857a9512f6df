from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge.broken import BROKEN, Frames, text
from judge.judging import RESET, STOP, kinds, said, stream_of, wire
from judge.legal import LEGAL

from metaio_verify.judge.sse import parse
from metaio_verify.judge.stream import violations
from metaio_verify.judge.violation import Violation
from metaio_verify.record import Failure


@pytest.mark.parametrize(("kind", "events"), BROKEN.values(), ids=BROKEN)
def test_one_defect_gives_one_kind(kind: str, events: Frames) -> None:
    """A stream that is broken in one way gives exactly the violation of that name."""
    assert kinds(events) == [kind]


@pytest.mark.parametrize("events", LEGAL.values(), ids=LEGAL)
def test_what_is_legal_gives_nothing(events: Frames) -> None:
    """The leniency of the contract: no false alarm."""
    assert kinds(events) == []


@pytest.mark.parametrize("count", range(1, 8))
def test_a_dropped_connection_is_one_violation(count: int) -> None:
    """Wherever the connection drops within the message, that is all there is to say."""
    assert kinds(text()[:count], RESET) == ["cut-short"]


def test_a_dropped_connection_before_the_first_event() -> None:
    """A body that breaks off is cut short, not empty."""
    assert kinds([], RESET) == ["cut-short"]


def test_a_body_that_does_not_end() -> None:
    """After message_stop the body has to end, too."""
    late = Failure(kind="timeout", detail="no byte for 30 s")
    (found,) = violations(stream_of(text()), late)
    assert (found.kind, found.actual) == (Violation.UNFINISHED_BODY, "no byte for 30 s")


def test_an_error_may_drop_the_connection() -> None:
    """After an error event it does not matter how the body ends."""
    assert kinds(LEGAL["an error after the start"], RESET) == []


def test_every_violation_has_an_example_and_a_meaning() -> None:
    """No kind without a stream that shows it; only the body's end cannot be written as events."""
    assert {kind for kind, _ in BROKEN.values()} == set(Violation) - {Violation.UNFINISHED_BODY}
    assert all(kind.meaning for kind in Violation)


def test_each_place_is_reported_with_its_event() -> None:
    """A violation names the event, and each event that breaks the rule is named."""
    broken = text(second=said(7, "a"), stop=[STOP, said(0, "b"), said(0, "c")])
    found = [(str(one.kind), one.event) for one in violations(stream_of(broken), None)]
    assert found == [
        ("delta-without-start", 4),
        ("after-message-stop", 9),
        ("after-message-stop", 10),
    ]


def test_several_defects_are_all_found() -> None:
    """The machine recovers, so that one defect does not hide the next."""
    broken = text(start=[], close=[], end=[], stop=[STOP, b"data: [DONE]\n\n"])
    assert set(kinds(broken)) == {
        "no-message-start",
        "block-not-closed",
        "no-message-delta",
        "done-sentinel",
    }


def test_an_openai_stream_is_named_for_what_it_is() -> None:
    """Chunks of another API have no names, no types, and no message."""
    chunk = b'data: {"object":"chat.completion.chunk","choices":[]}\n\n'
    assert kinds([chunk, chunk, b"data: [DONE]\n\n"]) == [
        "unnamed-event",
        "no-message-start",
        "done-sentinel",
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
CHANGES = st.dictionaries(
    st.sampled_from(["index", "delta", "content_block", "message", "usage", "error"]), JSON
)
KNOWN = [event for frames in LEGAL.values() for event in frames if isinstance(event, dict)]
EVENTS = st.builds(lambda event, change: {**event, **change}, st.sampled_from(KNOWN), CHANGES)


@given(st.lists(EVENTS, max_size=12), st.sampled_from([None, RESET]))
def test_any_events_are_judged(events: Frames, ended: Failure | None) -> None:
    """Whatever comes in whatever order is judged without an error, and twice the same way."""
    body = wire(events)
    once, again = (violations(parse(body, []), ended) for _ in range(2))
    assert once == again
    numbers = [one.event for one in once]
    assert numbers == sorted(numbers)


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(body: bytes) -> None:
    """A body that is no stream at all is judged, too."""
    violations(parse(body, []), None)
