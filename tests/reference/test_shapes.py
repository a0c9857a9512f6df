from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from report.parts import exchange, record

from metaio_verify.after import with_reference
from metaio_verify.record import Exchange, Failure, Received, RunRecord, Stop, StreamEvent
from metaio_verify.reference.differences import compare
from metaio_verify.reference.shape import collapsed, shape_of

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "one"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}


def answer(
    document: object = MESSAGE, status: int = 200, headers: dict[str, str] | None = None
) -> Exchange:
    """Return an exchange with an answer."""
    text = document if isinstance(document, str) else json.dumps(document)
    lines = {"content-type": "application/json", **(headers or {})}
    received = Received(
        status=status, http_version="HTTP/1.1", headers=list(lines.items()), text=text
    )
    return replace(exchange("hello"), response=received)


def stream(*events: dict[str, Any]) -> Exchange:
    """Return an exchange with a stream."""
    return replace(
        answer("…", headers={"content-type": "text/event-stream"}),
        events=[StreamEvent(at=0.1, event=str(one["type"]), data=one) for one in events],
    )


def differences(one: Exchange, other: Exchange) -> list[tuple[str, str, str, str]]:
    """Return what differs between two answers."""
    found = compare([one], [other], {}, ["hello"], complete=True).differences
    return [(d.aspect, d.where, d.target, d.reference) for d in found]


def changed(**fields: Any) -> dict[str, Any]:
    """Return the message with other fields; none takes one away."""
    return {k: v for k, v in {**MESSAGE, **fields}.items() if v is not ...}


SAME = {
    "another id, text and count": changed(
        id="msg_2",
        content=[{"type": "text", "text": "two"}],
        usage={"input_tokens": 9, "output_tokens": 1},
    ),
    "more blocks of a kind": changed(content=[{"type": "text", "text": t} for t in "abc"]),
    "another order of keys": dict(reversed(MESSAGE.items())),
}


@pytest.mark.parametrize("document", SAME.values(), ids=SAME)
def test_texts_ids_and_counts_are_no_difference(document: dict[str, Any]) -> None:
    """The shape is the same."""
    assert differences(answer(), answer(document)) == []


DIFFERENT = {
    "a key is missing": (
        answer(changed(stop_sequence=...)),
        ("json", "$.stop_sequence", "not there", "null"),
    ),
    "a part is missing, told once": (
        answer(changed(usage=...)),
        ("json", "$.usage", "not there", "object"),
    ),
    "a type": (
        answer(changed(usage={"input_tokens": "3", "output_tokens": 5})),
        ("json", "$.usage.input_tokens", "string", "number"),
    ),
    "a word of the API": (
        answer(changed(stop_reason="stop")),
        ("json", "$.stop_reason", '"stop"', '"end_turn"'),
    ),
    "a block of another kind": (
        answer(changed(content=[*MESSAGE["content"], {"type": "thinking", "thinking": "…"}])),  # type: ignore[misc]
        ("json", "$.content[thinking]", "object", "not there"),
    ),
    "a status, which explains the rest": (
        answer({"type": "error"}, status=400),
        ("status", "", "400", "200"),
    ),
    "a header": (answer(headers={"X-Own": "1"}), ("header", "x-own", "sent", "not there")),
    "a content type": (
        answer(headers={"content-type": "application/json; charset=utf-8"}),
        ("content-type", "", "application/json;charset=utf-8", "application/json"),
    ),
    "a kind of body": (answer("oh no"), ("body", "", "text", "a JSON object")),
    "an odd key": (answer(changed(**{"a b": 1})), ("json", "$['a b']", "number", "not there")),
}


@pytest.mark.parametrize(("one", "difference"), DIFFERENT.values(), ids=DIFFERENT)
def test_a_difference_is_told_once(one: Exchange, difference: tuple[str, str, str, str]) -> None:
    """With its place and both sides."""
    assert differences(one, answer()) == [difference]


def test_headers_of_the_transport_are_no_difference() -> None:
    """Length, date and framing depend on who is in between."""
    framing = {"content-length": "9", "date": "today", "connection": "close", "keep-alive": "5"}
    assert differences(answer(headers=framing), answer()) == []


def test_what_a_tool_is_called_with_is_the_models_own() -> None:
    """Its input is an object, whatever it holds."""
    calls = [
        changed(content=[{"type": "tool_use", "id": "t", "name": "n", "input": given}])
        for given in ({"a": 1}, {"b": {"c": None}})
    ]
    assert differences(answer(calls[0]), answer(calls[1])) == []


START = {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
DELTA = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x"}}
END = {"type": "content_block_stop"}
STOP = {"type": "message_stop"}


def test_a_stream_is_compared_by_the_order_of_its_events() -> None:
    """How many deltas and blocks of a kind come, and when pings do, is no difference."""
    short = stream(START, DELTA, END, STOP)
    long = stream(START, DELTA, {"type": "ping"}, DELTA, DELTA, END, START, DELTA, END, STOP)
    assert differences(short, long) == []
    [(aspect, _, here, there)] = differences(stream(START, DELTA, STOP), short)
    assert aspect == "events"
    assert here == "… content_block_delta text_delta → message_stop"
    assert there == "… content_block_delta text_delta → content_block_stop → message_stop"


def test_a_stream_that_we_left_has_no_end_to_compare() -> None:
    """Where it was cut is chance."""
    left = replace(stream(START, DELTA), aborted=True)
    assert differences(left, stream(START, DELTA, END, STOP)) == []


def test_fields_of_events_are_compared() -> None:
    """By the event that they stand in."""
    more = {**DELTA, "index": 0}
    assert differences(stream(START, more), stream(START, DELTA)) == [
        ("json", "content_block_delta text_delta $.index", "number", "not there")
    ]


def test_an_answer_that_never_came_is_a_difference() -> None:
    """Where only one side failed."""
    failed = replace(answer(), response=None, failure=Failure(kind="timeout", detail="…"))
    assert differences(failed, answer()) == [
        ("failure", "", "no complete answer (timeout)", "answered 200")
    ]
    assert differences(failed, failed) == []


def test_a_model_that_does_not_do_what_it_was_asked_is_set_aside() -> None:
    """Its answer says nothing about the endpoint."""
    unmet = replace(answer(changed(stop_reason="tool_use")), until_met=False)
    found = compare([unmet], [answer()], {}, ["hello"], complete=True)
    assert (found.differences, found.pairs, found.set_aside) == ([], 0, 1)


def test_the_last_answer_of_each_request_is_compared() -> None:
    """A retry takes the place of what it repeats."""
    first = replace(answer(status=529), id="hello", model="a")
    again = replace(answer(), id="hello~1", model="a")
    other = replace(answer(), model="b")
    found = compare([first, again], [other], {"a": "b"}, ["hello"], complete=True)
    assert (found.differences, found.pairs) == ([], 1)


def test_the_same_difference_in_many_probes_is_told_once() -> None:
    """With the probes that show it."""
    probes = [f"hello-{n}" for n in range(5)]
    here = [replace(answer(headers={"x-own": "1"}), probe=p, id=p) for p in probes]
    there = [replace(answer(), probe=p, id=p) for p in probes]
    [found] = compare(here, there, {}, probes, complete=True).differences
    assert (found.probes, found.exchange) == (probes, "hello-0")


def test_what_only_one_of_them_was_asked_is_told_when_both_runs_were_complete() -> None:
    """A run that was cut short leaves things out for reasons of its own."""
    for complete, aspects in ((True, ["sent"]), (False, [])):
        found = compare([answer()], [], {}, ["hello"], complete=complete).differences
        assert [one.aspect for one in found] == aspects


@pytest.mark.parametrize(
    ("words", "kept"),
    [("aaab", "ab"), ("xabababy", "xaby"), ("abcabcd", "abcd"), ("abab", "ab"), ("", "")],
)
def test_repetitions_are_taken_once(words: str, kept: str) -> None:
    """Single ones and short cycles."""
    assert "".join(collapsed(list(words))) == kept


def test_a_shape_of_anything_is_a_shape() -> None:
    """Deep, odd and broken JSON does no harm."""
    deep = "[" * 5000 + "]" * 5000
    for text in (deep, "\x00", "", '{"a":NaN}', '"x"', "[]"):
        assert shape_of(answer(text)).status == 200


def _stopped(kind: Any) -> RunRecord:
    return record(stopped=Stop(kind=kind, message="…"))


def test_a_reference_out_of_order_fails_nothing() -> None:
    """The exit code is about the endpoint; the report says that there was nothing to compare."""
    found = with_reference(record(), _stopped("unreachable"), {}, ["hello"], fail_fast=False)
    assert found.exit_code == 0
    assert found.reference is not None
    assert (found.reference.compared, found.reference.differences) == (0, [])
    interrupted = with_reference(record(), _stopped("interrupted"), {}, [], fail_fast=False)
    assert interrupted.exit_code == 130
