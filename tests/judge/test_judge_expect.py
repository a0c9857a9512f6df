from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge.judging import (
    END,
    ERROR,
    RESET,
    STOP,
    Event,
    exchange,
    expect,
    message,
    said,
    streamed,
    text_stream,
    tool_stream,
)

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.expect import findings
from metaio_verify.record import Exchange, Failure, Received

SCHEMAS = {"message": {"type": "object", "required": ["id", "content"]}}
HTML = (("content-type", "text/html; charset=utf-8"),)
REFUSAL: Event = {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}


def found(one: Exchange, **keys: Any) -> list[tuple[str, str, str]]:
    """Findings as where, expected, actual."""
    result = findings(expect(**keys), Evidence(one), SCHEMAS)
    assert all(finding.exchange == one.id for finding in result)
    return [(finding.where, finding.expected, finding.actual) for finding in result]


@pytest.mark.parametrize(
    ("status", "wanted", "fits"),
    [
        (200, 200, True),
        (200, "2xx", True),
        (201, 200, False),
        (404, "4xx", True),
        (404, [400, "5xx"], False),
        (529, [400, "5xx"], True),
    ],
)
def test_status(status: int, wanted: Any, *, fits: bool) -> None:
    """A code, a class of codes, or one of several."""
    assert (found(exchange({}, status=status), status=wanted) == []) is fits


def test_a_wrong_status_tells_the_error() -> None:
    """The finding says what the endpoint gave as its reason."""
    assert found(exchange(REFUSAL, status=404), status=[200, "5xx"]) == [
        ("status", "status 200 or 5xx", "404 not_found_error: model: x")
    ]
    assert found(exchange(b"<html>", status=502, headers=HTML), status=200) == [
        ("status", "status 200", "502 text/html")
    ]


def test_no_answer() -> None:
    """Without an answer there is one finding, whatever was expected."""
    failure = Failure(kind="connect", detail="connection refused")
    nothing = exchange(status=None, failure=failure)
    keys = {"status": 200, "json": {"$.id": "x"}, "text": "x"}
    assert found(nothing, **keys) == [("", "status 200", "no answer: connection refused")]


def test_headers() -> None:
    """Names ignore case, several lines are joined, null forbids a header."""
    one = exchange({}, headers=[("Vary", "a"), ("vary", "b"), ("x-id", "7")])
    assert found(one, headers={"VARY": "a, b", "X-Id": 7, "x-no": None}) == []
    assert found(
        one, headers={"vary": {"pattern": "^b"}, "x-id": None, "x-no": {"pattern": "."}}
    ) == [
        ("header vary", "text matching /^b/", '"a, b"'),
        ("header x-id", "no such header", '"7"'),
        ("header x-no", "text matching /./", "no such header"),
    ]


def test_paths() -> None:
    """Every selected value has to match, and a path has to select something."""
    one = exchange(message())
    assert found(one, json={"$.content[*].type": "text", "$.usage": {"type": "object"}}) == []
    assert found(
        one, json={"$.usage.input_tokens": {"minimum": 10}, "$.x": {"type": "string"}}
    ) == [
        ("$.usage.input_tokens", "at least 10", "9"),
        ("$.x", "a string", "nothing there"),
    ]
    assert found(one, json_if_present={"$.x": 1, "$.type": "x"}, absent=["$.y", "$.role"]) == [
        ("$.type", '"x"', '"message"'),
        ("$.role", "nothing", '"assistant"'),
    ]


def test_a_missing_value_of_a_refusal_says_so() -> None:
    """Where a message was expected and an error came, the error is the news."""
    one = exchange(REFUSAL, status=404)
    assert found(one, json={"$.id": {"type": "string"}}) == [
        ("$.id", "a string", "nothing there (404 not_found_error: model: x)")
    ]


def test_values_of_the_request() -> None:
    """References stand for what this exchange was filled with."""
    one = exchange(message(), values={"model": "m", "token": "Hi"})
    assert found(one, json={"$.model": "${model}"}, text={"pattern": "^${token} "}) == []
    assert found(one, json={"$.id": "${token}"}) == [("$.id", '"Hi"', '"msg_1"')]


def test_a_schema_by_name_and_in_place() -> None:
    """The whole document is held against a schema."""
    assert found(exchange(message()), schema="message") == []
    assert found(exchange({"id": "x"}), schema="message") == [("$.content", "a value", "missing")]
    assert found(exchange([]), schema={"type": "object"}) == [("$", "an object", "[]")]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "an empty body"),
        (b"<p>", 'text/html, not JSON: Expecting value at character 0: "<p>"'),
        (b"[" * 200 + b"]" * 200, "nested deeper than 90 levels"),
        (b'{"a": NaN}', "NaN is no JSON value"),
    ],
)
def test_no_document(body: bytes, why: str) -> None:
    """A body that is no JSON is one finding, however many paths were asked for."""
    one = exchange(body, headers=HTML)
    ((where, expected, actual),) = found(one, json={"$.a": 1, "$.b": 2}, absent=["$.c"])
    assert (where, expected) == ("body", "a JSON document")
    assert why in actual


def test_bytes_that_are_not_utf8() -> None:
    """A body in another encoding is no JSON document."""
    response = Received(status=200, http_version="HTTP/1.1", headers=[], base64="eyJhIjoi/yJ9")
    one = exchange(status=None)
    one = Exchange(id="x", probe="p", request=one.request, response=response, timing=one.timing)
    assert "not UTF-8: byte 6 is 0xff" in found(one, json={"$.a": 1})[0][2]


def test_a_plain_answer_that_broke_off() -> None:
    """Half a body is one finding and no riddle about JSON."""
    one = exchange(b'{"id":', failure=RESET)
    assert found(one, status=200, json={"$.id": "x"}) == [
        ("", "a complete answer", "it broke off: the connection was reset")
    ]


def test_text() -> None:
    """The text is that of all text blocks; an answer that is no message has none."""
    blocks = [{"type": "text", "text": "a"}, {"type": "tool_use"}, {"type": "text", "text": "b"}]
    assert found(exchange(message(content=blocks)), text="ab") == []
    assert found(exchange(message(content=[])), text="") == []
    assert found(exchange(REFUSAL, status=404), text="a") == [
        ("text", "a message with content", "404 not_found_error: model: x")
    ]


def test_body() -> None:
    """The raw body can be searched, also where it is no JSON."""
    assert found(exchange(b"<html>", headers=HTML), body={"pattern": "html"}) == []
    assert found(exchange(b"<html>", headers=HTML), body={"not": {"pattern": "<html"}}) == [
        ("body", "not text matching /<html/", '"<html>"')
    ]


def test_one_expectation_serves_both_forms() -> None:
    """A stream is judged as the message it adds up to."""
    keys: dict[str, Any] = {"json": {"$.stop_reason": "end_turn"}, "text": "Hi there"}
    assert found(exchange(message()), **keys) == found(streamed(text_stream()), **keys) == []


def test_violations_of_a_stream() -> None:
    """Only the kinds that are named count, and many of one kind are not listed one by one."""
    late = [said(0, "x")] * 5
    one = streamed([*text_stream(), *late])
    assert found(one, stream=["bad-index", "cut-short"]) == []
    wanted = "nothing after message_stop"
    assert found(one, stream=["after-message-stop"]) == [
        ("event 9", wanted, "content_block_delta"),
        ("event 10", wanted, "content_block_delta"),
        ("event 11", wanted, "content_block_delta (and 2 more)"),
    ]


def test_events() -> None:
    """Paths over the events find the event, and its number counts all events."""
    one = streamed([b"data: [DONE]\n\n", *tool_stream()])
    path = "$[?@.type=='message_start'].message.usage.input_tokens"
    assert found(one, events={path: 9}) == []
    assert found(one, events={path: 8, "$[?@.type=='x']": 1}) == [
        ("event 2 $.message.usage.input_tokens", "8", "9"),
        ("events $[?@.type=='x']", "1", "nothing there"),
    ]
    assert found(one, events={"$": {"maxItems": 3}})[0][1] == "a length of at most 3"


def test_a_stream_was_expected() -> None:
    """An answer that is no stream does not meet an expectation about streams."""
    assert found(exchange(message()), stream=["cut-short"]) == [
        ("body", "a stream of events", "200")
    ]


@pytest.mark.parametrize("kind", ["text/event-stream", "text/plain", "application/json", ""])
def test_a_stream_is_known_by_its_looks(kind: str) -> None:
    """Clients read a stream under any media type, and so does the judge."""
    one = streamed(text_stream(), headers=[("content-type", kind)])
    assert found(one, text="Hi there", stream=["cut-short"]) == []


def test_an_error_in_a_stream_is_a_document() -> None:
    """A stream of nothing but an error shows that error."""
    assert found(streamed([ERROR]), json={"$.error.type": "overloaded_error"}) == []


def test_a_refusal_under_the_wrong_media_type() -> None:
    """A JSON error that is labelled as a stream is still read as JSON."""
    one = exchange(REFUSAL, status=404, headers=[("content-type", "text/event-stream")])
    assert found(one, json={"$.error.type": "not_found_error"}) == []


def test_timing() -> None:
    """Bounds on the whole, the first byte, and the silence within the body."""
    one = exchange(b"abc", chunks=[(1.0, 1), (1.5, 1), (4.0, 1)], total=4.5)
    assert found(one, timing={"total": 5, "first-byte": 1, "silence": 2.5}) == []
    assert found(one, timing={"total": 4, "first-byte": 0.5, "silence": 2}) == [
        ("timing", "the whole answer within 4 s", "4.50 s"),
        ("timing", "the first byte within 0.5 s", "1.00 s"),
        ("timing", "no longer silence within 2 s", "2.50 s"),
    ]


EXPECTATIONS = [
    expect(status="2xx", headers={"content-type": "application/json", "x": None}),
    expect(schema="message", json={"$.content[0].text": "x"}, absent=["$..error"]),
    expect(json_if_present={"$[?@.type=='text'].text": {"pattern": "a"}}, text={"minLength": 1}),
    expect(body={"pattern": "^.{2}"}, stream=["bad-data", "cut-short"], events={"$[0].type": "x"}),
    expect(timing={"total": 0.1}, json={"$": {"type": "object", "maxProperties": 1}}),
]
BODIES = st.binary(max_size=80) | st.sampled_from(
    [b'{"content": 3}', b'{"content": [1, {"type": "text", "text": 5}]}', b"data: {}\n\n", b"null"]
)


@given(
    BODIES,
    st.sampled_from([200, 400, 503]),
    st.sampled_from(["application/json", "text/event-stream", "x"]),
    st.sampled_from([None, RESET]),
    st.sampled_from(EXPECTATIONS),
)
def test_any_answer_is_judged(
    body: bytes, status: int, kind: str, failure: Failure | None, wanted: Any
) -> None:
    """Hostile answers become findings, never exceptions, and twice the same ones."""
    head = [("content-type", kind)]
    one = exchange(
        body.decode(errors="replace").encode(), status=status, headers=head, failure=failure
    )
    once, again = (findings(wanted, Evidence(one), SCHEMAS) for _ in range(2))
    assert once == again


@given(st.lists(st.sampled_from([*text_stream(), *tool_stream(), END, STOP]), max_size=8))
def test_any_stream_is_judged(events: list[Any]) -> None:
    """Events in any order become findings."""
    for wanted in EXPECTATIONS:
        findings(wanted, Evidence(streamed(events)), SCHEMAS)
