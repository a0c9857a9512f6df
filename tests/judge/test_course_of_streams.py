from __future__ import annotations

from typing import Any

import pytest
from judge.judging import (
    END,
    ERROR,
    START,
    STOP,
    Event,
    apply_rule,
    exchange,
    frame,
    kinds,
    merged,
    message,
    streamed,
    text_stream,
    wire,
)
from msgspec.structs import replace

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import NothingToJudgeError, NotSeenError, UnsureError
from metaio_verify.record import Exchange


def arriving(*pieces: tuple[float, bytes]) -> Exchange:
    """A stream whose pieces come at these times."""
    chunks = [(at, len(data)) for at, data in pieces]
    kind = [("content-type", "text/event-stream")]
    return exchange(b"".join(data for _, data in pieces), chunks=chunks, headers=kind)


HEAD, TAIL = frame(START), wire([END, STOP])


@pytest.mark.parametrize(
    ("pieces", "actual"),
    [
        ([(1.0, HEAD), (4.0, TAIL)], None),
        ([(6.0, HEAD + TAIL)], "nothing for 6.0 s, after 0.0 s"),
        ([(1.0, HEAD), (9.0, TAIL)], "nothing for 8.0 s, after 1.0 s"),
        ([(1.0, HEAD), (5.0, b": on\n\n"), (9.0, TAIL)], "comments only for 8.0 s, after 1.0 s"),
        ([(1.0, HEAD), (5.0, frame({"type": "ping"})), (9.0, TAIL)], None),
    ],
)
def test_the_longest_silence_is_reported(
    pieces: list[tuple[float, bytes]], actual: str | None
) -> None:
    """Pings end a silence, comments do not; the wait for the first event counts."""
    found = apply_rule("kept-alive", arriving(*pieces), seconds=4)
    assert found == ([] if actual is None else [("arrival", "an event every 4 s", actual)])


def test_only_streams_can_be_silent() -> None:
    """A plain answer is nothing to judge."""
    with pytest.raises(NothingToJudgeError):
        apply_rule("kept-alive", exchange(message()), seconds=4)


@pytest.mark.parametrize(
    ("error", "count"),
    [
        ({}, 0),
        ({"error": {"type": "rate_limit_error"}}, 0),
        ({"error": {"type": "api_error"}}, 1),
        ({"error": "broken"}, 1),
    ],
)
def test_an_error_event_that_is_not_for_load_is_reported(error: Event, count: int) -> None:
    """Too much load at the moment says nothing about the endpoint."""
    judged = apply_rule("stream-completed", streamed([START, merged(ERROR, error)]))
    assert len(judged) == count


def test_too_much_load_leaves_open_whether_a_request_works() -> None:
    """Where a whole answer is asked for, it is neither right nor wrong."""
    overloaded = streamed([START, merged(ERROR, {"error": {"type": "overloaded_error"}})])
    assert apply_rule("stream-completed", overloaded) == []
    with pytest.raises(UnsureError, match="ended in overloaded_error"):
        apply_rule("stream-completed", overloaded, whole=True)
    failed = streamed([START, merged(ERROR, {"error": {"type": "api_error"}})])
    assert len(apply_rule("stream-completed", failed, whole=True)) == 1


def test_only_the_stream_measured_alone_tells_how_silent_it_is() -> None:
    """Beside others it has to wait; and what was read late was not sent late."""
    busy, alone = arriving((9.0, HEAD + TAIL)), arriving((1.0, HEAD + TAIL))
    alone = replace(alone, timing=replace(alone.timing, alone=True))
    assert len(apply_rule("kept-alive", busy, seconds=4)) == 1
    assert apply_rule("kept-alive", busy, alone, seconds=4) == []
    lagging = replace(busy, timing=replace(busy.timing, lag=6.0))
    assert apply_rule("kept-alive", lagging, seconds=4) == []


@pytest.mark.parametrize(
    ("start", "end", "actual"),
    [
        ({}, {"context_management": {"applied_edits": []}}, []),
        ({"stop_details": None}, {}, []),
        (
            {"usage": {"output_tokens_details": {}}},
            {},
            ["message.usage.output_tokens_details"],
        ),
        ({"safeguard_results": []}, {}, ["message.safeguard_results"]),
        ({}, {"delta": {"context_management": {}}}, ["delta.context_management"]),
    ],
)
def test_late_fields_in_early_places_are_found(
    start: dict[str, Any], end: dict[str, Any], actual: list[str]
) -> None:
    """A null field stands for none."""
    events = [merged(START, {"message": start}), merged(END, end), STOP]
    judged = apply_rule("late-fields-late", streamed(events))
    assert [found for _, _, found in judged] == actual


def test_a_model_in_other_events_is_counted() -> None:
    """One finding for a stream, not one for each event."""
    events = [START, merged(END, {"model": "m"}), merged(STOP, {"model": "m"})]
    assert apply_rule("model-in-start-only", streamed([START, END, STOP])) == []
    judged = apply_rule("model-in-start-only", streamed(events))
    assert judged == [("event 2", "no model", "a model in 2 of 3 events")]


def test_a_stream_that_we_left_has_no_end_to_judge() -> None:
    """What came before is judged as always."""
    begun = text_stream()[:3]
    assert kinds(begun) == ["cut-short"]
    assert Evidence(streamed(begun, aborted=True)).violations == []
    torn = streamed([*begun, b"event: x\ndata: {\n\n"], aborted=True)
    assert [str(one.kind) for one in Evidence(torn).violations] == ["bad-data"]


def test_ids_of_server_calls_have_their_own_prefix() -> None:
    """An endpoint that runs no tools is not judged."""
    call = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    assert apply_rule("server-call-ids", exchange(message(content=[call]))) == []
    wrong = exchange(message(content=[{**call, "id": "call_1"}]))
    assert apply_rule("server-call-ids", wrong) == [("$.content[0].id", "srvtoolu_…", '"call_1"')]
    with pytest.raises(NotSeenError):
        apply_rule("server-call-ids", exchange(message()))
