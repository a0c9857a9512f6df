"""Exchanges byte for byte."""

from __future__ import annotations

from msgspec.structs import replace
from report.parts import exchange, record
from report.records import clean, failing, hostile
from syrupy.assertion import SnapshotAssertion

from metaio_verify.record import Clock, Failure, Received
from metaio_verify.report.wire import render


def test_what_was_sent_and_what_came(snapshot: SnapshotAssertion) -> None:
    """A failing run, whole."""
    assert render(failing()) == snapshot


def test_each_piece_has_its_time_and_every_byte_is_visible() -> None:
    """CR, a control character, half a character, and a piece that ends within a line."""
    body = b"event: a\r\ndata: \x1b[2J\xc3\xa4\n\ndata: x"
    chunks = [(0.001, 9), (0.25, 12), (0.5, len(body) - 21)]
    one = replace(
        exchange("hello"),
        response=Received(status=200, http_version="HTTP/1.1", headers=[], text=body.decode()),
        timing=Clock(headers=0.001, total=0.6, chunks=chunks),
    )
    lines = render(record(exchanges=[one])).splitlines()
    assert [line for line in lines if line.startswith("< ")][2:] == [
        "<     1.0 ms  event: a\\r ⋯",
        "<   250.0 ms  ",
        "<             data: \\x1b[2J\\xc3 ⋯",
        "<   500.0 ms  \\xa4",
        "<             ",
        "<             data: x",
    ]


def test_a_failure_and_an_end_on_purpose_are_told() -> None:
    """With their kind."""
    failure = Failure(kind="reset", detail="the connection was closed")
    one = replace(exchange("hello"), response=None, failure=failure, aborted=True)
    text = render(record(exchanges=[one]))
    assert "! reset: the connection was closed\n! the connection was closed here" in text
    assert "no answer" in text.splitlines()[0]


def test_a_run_without_requests_says_so() -> None:
    """Nothing is no empty page."""
    assert render(record(exchanges=[])).strip() == "No request was sent."


def test_nothing_acts_on_a_terminal() -> None:
    """Whatever a server sent."""
    for made in (hostile(), clean()):
        text = render(made)
        assert all(sign == "\n" or sign.isprintable() for sign in text)
