"""Which client breaks: the measured table, row by row, on streams with one defect each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from judge.broken import raw, start, text, tool, unnamed
from judge.judging import (
    END,
    ERROR,
    RESET,
    START,
    STOP,
    TEXT,
    TOOL,
    Event,
    argued,
    closed,
    delta,
    exchange,
    merged,
    message,
    opened,
    said,
    streamed,
    text_stream,
    tool_stream,
)

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.reactions import DEFECTS, defects
from metaio_verify.record import Exchange, Failure, SentRequest

OK, AGAIN = "works", "works with a fallback"
_READ = "Cannot read properties"
_NO_CHUNKS = "request ended without sending any chunks"
_NO_MESSAGE = "without producing a Message"
_CUT = "truncated answer looks complete"
_NO_INPUT = "called with {}"
_FAILED = merged(ERROR, {"error": {"type": "api_error"}})

_ASKED = SentRequest(method="POST", url="http://h/v1/messages", headers=[], body='{"stream": true}')


def _answer(events: Sequence[Event | bytes], ended: Failure | None = None) -> Exchange:
    return streamed(events, failure=ended, request=_ASKED)


ROWS: dict[str, tuple[Exchange, str, tuple[str, str, str, str, str]]] = {
    # The stream, the row that it belongs to, and: Claude Code 2.1, Python 2, Python before 2,
    # TypeScript 1, TypeScript before 1.
    "no event lines": (
        _answer([unnamed(event) for event in text_stream()]),
        "no event: lines",
        (AGAIN, "AssertionError", "AssertionError", _NO_CHUNKS, _NO_CHUNKS),
    ),
    "unnamed [DONE]": (
        _answer([*text(), raw(None, "[DONE]")]),
        "unnamed [DONE]",
        (OK, OK, OK, OK, OK),
    ),
    "named [DONE]": (
        _answer([*text(), raw("done", "[DONE]")]),
        "named [DONE]",
        (OK, "JSONDecodeError", OK, "JSON error", OK),
    ),
    "no message_delta and no message_stop": (
        _answer(text(end=[], stop=[])),
        "ends without message_delta and message_stop",
        ("Connection lost mid-response", _CUT, _CUT, _NO_MESSAGE, _NO_MESSAGE),
    ),
    "no message_stop": (
        _answer(text(stop=[])),
        "no message_stop",
        (OK, OK, OK, _NO_MESSAGE, _NO_MESSAGE),
    ),
    "no message_delta": (
        _answer(text(end=[])),
        "no message_delta",
        (OK, OK, OK, OK, OK),
    ),
    "no usage in message_start": (
        _answer(text(start=start(usage=...))),
        "message_start without usage",
        (OK, "AttributeError", "AttributeError", _READ, _READ),
    ),
    "usage null in message_start": (
        _answer(text(start=start(usage=None))),
        "message_start without usage",
        (OK, "AttributeError", "AttributeError", _READ, _READ),
    ),
    "no usage in message_delta": (
        _answer(text(end=merged(END, {"usage": ...}))),
        "message_delta without usage",
        (OK, "AttributeError", "AttributeError", _READ, _READ),
    ),
    "first index 1": (
        _answer([START, opened(1, TEXT), said(1, "Hi"), closed(1), END, STOP]),
        "the first index is not 0",
        (OK, "IndexError", "IndexError", "text is lost", "text is lost"),
    ),
    "the same index twice": (
        _answer([*text_stream()[:6], *text_stream()[1:]]),
        "the same index twice",
        ("only the last", "glued", "glued", "glued", "glued"),
    ),
    "no content_block_start": (
        _answer(text(open=[])),
        "no content_block_start",
        (AGAIN, "IndexError", "IndexError", _READ, _READ),
    ),
    "no content_block_stop": (
        _answer(text(close=[])),
        "no content_block_stop",
        ("an empty answer", OK, OK, OK, OK),
    ),
    "no message_start": (
        _answer(text(start=[])),
        "no message_start",
        (AGAIN, "AssertionError", "RuntimeError", _NO_CHUNKS, "Unexpected event order"),
    ),
    "content null in message_start": (
        _answer(text(start=start(content=None))),
        "message.content is null",
        (OK, "AttributeError", "AttributeError", _READ, _READ),
    ),
    "a delta of another kind": (
        _answer(text(first=delta(0, "thinking_delta", thinking="Hm."))),
        "a delta of another kind of block",
        (AGAIN, OK, OK, OK, OK),
    ),
    "JSON instead of a stream": (
        exchange(message(), request=_ASKED),
        "no stream but a document",
        (AGAIN, "AssertionError", "AssertionError", _NO_CHUNKS, _NO_CHUNKS),
    ),
    "an empty stream": (
        _answer([]),
        "a stream without events",
        (AGAIN, "AssertionError", "AssertionError", _NO_CHUNKS, _NO_CHUNKS),
    ),
    "cut in the first block": (
        _answer(text_stream()[:3], RESET),
        "cut in the first block",
        (AGAIN, _CUT, _CUT, _NO_MESSAGE, _NO_MESSAGE),
    ),
    "tool input only in its start": (
        _answer(tool(open=opened(1, {**TOOL, "input": {"a": 1}}), first=[], second=[], third=[])),
        "tool input only in content_block_start",
        (_NO_INPUT, OK, OK, OK, OK),
    ),
    "tool input that is no JSON": (
        _answer(tool(third=argued(1, " Paris"))),
        "tool input that is no JSON object",
        ("InputValidationError", _NO_INPUT, _NO_INPUT, _NO_INPUT, _NO_INPUT),
    ),
    "an error in the first block": (
        _answer([*text_stream()[:3], _FAILED]),
        "an error within the first block",
        (AGAIN, "APIStatusError", "APIStatusError", "APIError", "APIError"),
    ),
    "an error at once": (
        _answer([_FAILED]),
        "an error within the first block",
        (AGAIN, "APIStatusError", "APIStatusError", "APIError", "APIError"),
    ),
    "an error behind a block": (
        _answer([*tool_stream()[:6], _FAILED]),
        "an error behind a finished block",
        (
            "Server error mid-response",
            "APIStatusError",
            "APIStatusError",
            "APIError",
            "APIError",
        ),
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_client_reacts_to_a_defect_as_measured(row: str) -> None:
    """One defect of a stream is one row of the table, and gives each client its reaction."""
    sent, name, expected = ROWS[row]
    (found,) = defects(Evidence(sent))
    assert found.name == name
    for reaction, words in zip(found.reactions, expected, strict=True):
        if words in (OK, AGAIN):
            assert str(reaction.reach) == words
        else:
            assert str(reaction.reach) == "breaks"
            assert words in reaction.sees


def test_every_row_of_the_table_has_a_stream() -> None:
    """No reaction is claimed that no stream shows."""
    assert {name for _, name, _ in ROWS.values()} == {defect.name for defect in DEFECTS}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(_answer(list(text_stream())), id="a whole answer"),
        pytest.param(_answer([START, ERROR]), id="too much load at the moment"),
        pytest.param(streamed(text_stream()[:3], request=_ASKED, aborted=True), id="left by us"),
        pytest.param(exchange({}, status=400, request=_ASKED), id="a refusal"),
        pytest.param(exchange(message()), id="not asked for a stream"),
    ],
)
def test_what_is_no_defect_of_a_stream_stands_in_no_row(sent: Exchange) -> None:
    """It is judged by checks, or not at all."""
    assert defects(Evidence(sent)) == []
