from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge.judging import (
    END,
    START,
    STOP,
    TEXT,
    THINKING,
    TOOL,
    argued,
    closed,
    delta,
    merged,
    opened,
    said,
    stream_of,
    text_stream,
    tool_stream,
    wire,
)
from judge.legal import LEGAL

from metaio_verify.judge.rebuild import rebuild
from metaio_verify.judge.sse import parse


def rebuilt(*events: Any) -> dict[str, Any]:
    """The message of a stream."""
    message = rebuild(stream_of(events))
    assert message is not None
    return message


def test_a_text() -> None:
    """A streamed text gives the message that a plain answer would be."""
    assert rebuilt(*text_stream()) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hi there"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 7},
    }


def test_a_tool_call() -> None:
    """The pieces of the arguments become an object."""
    block = rebuilt(*tool_stream())["content"][1]
    assert block == {**TOOL, "input": {"city": "Paris"}}


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([], {}),
        ([""], {}),
        (['{"a":', "1}"], {"a": 1}),
        (['{"a":'], {}),
        (["[1]"], [1]),
    ],
)
def test_arguments(pieces: list[str], expected: Any) -> None:
    """Arguments that cannot be read leave what was there; what is no object shows as it is."""
    events = [START, opened(0, TOOL), *(argued(0, piece) for piece in pieces), closed(0), END, STOP]
    assert rebuilt(*events)["content"][0]["input"] == expected


def test_arguments_in_the_start() -> None:
    """Arguments that came in the start only are kept, as in the SDKs."""
    full = merged(TOOL, {"input": {"city": "Paris"}})
    assert rebuilt(START, opened(0, full), closed(0), END)["content"][0] == full


def test_thinking_and_citations() -> None:
    """Thinking is joined, the signature is set, citations are collected."""
    events = [
        START,
        opened(0, THINKING),
        delta(0, "thinking_delta", thinking="H"),
        delta(0, "thinking_delta", thinking="m"),
        delta(0, "signature_delta", signature="c2ln"),
        closed(0),
        opened(1, TEXT),
        delta(1, "citations_delta", citation={"n": 1}),
        delta(1, "citations_delta", citation={"n": 2}),
        said(1, "x"),
        closed(1),
    ]
    assert rebuilt(*events)["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
        {"type": "text", "text": "x", "citations": [{"n": 1}, {"n": 2}]},
    ]


def test_usage_and_unknown_fields_are_merged() -> None:
    """Later numbers replace earlier ones, null replaces nothing, and unknown fields are kept."""
    late = merged(
        END,
        {
            "delta": {"container": {"id": "c"}},
            "usage": {"input_tokens": None, "cache_read_input_tokens": 4},
            "context_management": {"applied_edits": []},
        },
    )
    message = rebuilt(START, late, STOP)
    assert message["usage"] == {
        "input_tokens": 9,
        "output_tokens": 7,
        "cache_read_input_tokens": 4,
    }
    assert message["container"] == {"id": "c"}
    assert message["context_management"] == {"applied_edits": []}
    assert message["content"] == []


def test_what_is_missing_is_made_up_for() -> None:
    """Without starts and without message_start the text is still there."""
    message = rebuilt(said(0, "a"), said(0, "b"), END)
    assert message["content"] == [{"type": "text", "text": "ab"}]
    assert message["stop_reason"] == "end_turn"


@pytest.mark.parametrize("count", range(1, 9))
def test_a_part_of_a_stream(count: int) -> None:
    """A stream that was cut gives what came until then."""
    message = rebuilt(*text_stream()[:count])
    text = "".join(block["text"] for block in message["content"])
    assert "Hi there".startswith(text)


def test_no_message() -> None:
    """Pings and errors are no message."""
    assert rebuild(stream_of(LEGAL["an error at once"])) is None
    assert rebuild(stream_of([])) is None


def test_a_block_of_very_many_pieces() -> None:
    """Joining takes time in proportion to the text."""
    body = wire([said(0, "abcdefghij")])
    message = rebuild(parse(body * 30_000, []))
    assert message is not None
    assert len(message["content"][0]["text"]) == 300_000


WORDS = ["type", "index", "delta", "content_block", "message", "usage", "content", "text"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 2)
    | st.sampled_from(["message_start", "message_delta", "text_delta", "input_json_delta", "x"])
    | st.sampled_from(["content_block_start", "content_block_delta", "citations_delta", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
    ),
    max_leaves=12,
)


KINDS = ["message_start", "content_block_start", "content_block_delta", "message_delta"]


@given(st.lists(st.tuples(st.sampled_from(KINDS), VALUES), max_size=8))
def test_nothing_makes_it_raise(events: list[tuple[str, Any]]) -> None:
    """Fields of any type in any event are survived."""
    fields = [(kind, data if isinstance(data, dict) else {}) for kind, data in events]
    rebuild(stream_of({**data, "type": kind} for kind, data in fields))


def test_usage_in_a_strange_place_before_message_start() -> None:
    """Order and nesting that no client expects are survived, too."""
    message = rebuilt({"type": "message_delta", "delta": {"usage": 5}}, START)
    assert message["usage"] == {"input_tokens": 9, "output_tokens": 1}
