from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from lab.labtest import VERSION, WEATHER, Api, Json, decode, serving, user, valid

from metaio_verify.lab.app import Lab
from metaio_verify.lab.change import Change, Stage
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.types import CUT, Piece, Request


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def rebuilt(events: list[Json]) -> Json:
    """Return the message that a client puts together, and check the grammar on the way."""
    assert events[0]["type"] == "message_start"
    message = dict(events[0]["message"])
    assert message["content"] == []
    assert message["stop_reason"] is None
    assert message["usage"]["input_tokens"] >= 1
    assert "output_tokens_details" not in message["usage"]
    open_block: Json | None = None
    arguments = ""
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert open_block is None
                assert event["index"] == len(message["content"])
                open_block, arguments = dict(event["content_block"]), ""
            case "content_block_delta":
                assert open_block is not None
                assert event["index"] == len(message["content"])
                arguments += grow(open_block, event["delta"])
            case "content_block_stop":
                assert open_block is not None
                if open_block["type"] == "tool_use":
                    open_block["input"] = json.loads(arguments or "{}")
                message["content"].append(open_block)
                open_block = None
            case other:
                assert other == "ping"
    assert open_block is None
    last = events[-2]
    assert last["type"] == "message_delta"
    assert last["usage"]["output_tokens"] >= message["usage"]["output_tokens"]
    message |= last["delta"]
    message["usage"] = message["usage"] | last["usage"]
    message |= {key: last[key] for key in ("context_management",) if key in last}
    assert events[-1] == {"type": "message_stop"}
    return message


def grow(block: Json, delta: Json) -> str:
    """Add a delta to its block; return a piece of arguments."""
    match block["type"], delta["type"]:
        case "text", "text_delta":
            assert block.get("signature") is None
            block["text"] += delta["text"]
        case "thinking", "thinking_delta":
            assert block["signature"] == ""
            block["thinking"] += delta["thinking"]
        case "thinking", "signature_delta":
            block["signature"] = delta["signature"]
        case "tool_use", "input_json_delta":
            assert block["input"] == {}
            return str(delta["partial_json"])
        case wrong:
            pytest.fail(str(wrong))
    return ""


NO_ARGUMENTS = {"name": "now", "input_schema": {"type": "object", "properties": {}}}
CASES: dict[str, tuple[str, Json]] = {
    "a word": ("Reply with one word.", {}),
    "many words": ("Write 900 words.", {"max_tokens": 4000}),
    "characters of many bytes": ("Repeat exactly: Grüße 漢字 🙂👩‍👩‍👧 é", {}),
    "a bound": ("Count from 1 to 200.", {"max_tokens": 5}),
    "no output": ("Write: STOP", {"stop_sequences": ["STOP"]}),
    "a stop sequence": ("Write: alpha STOP", {"stop_sequences": ["STOP"]}),
    "a tool call": ("Use the tool.", {"tools": [WEATHER]}),
    "two tool calls": ("Call both tools.", {"tools": [WEATHER, NO_ARGUMENTS]}),
    "thinking": ("Hi.", {"thinking": {"type": "adaptive"}}),
    "hidden thinking": ("Hi.", {"thinking": {"type": "adaptive", "display": "omitted"}}),
    "thinking and a call": (
        "Use the tool.",
        {"tools": [WEATHER], "thinking": {"type": "adaptive"}, "safeguards": [{"type": "x"}]},
    ),
    "extras": (
        "Hi.",
        {"container": "c", "context_management": {"edits": []}, "service_tier": "auto"},
    ),
}


@pytest.mark.parametrize(("prompt", "fields"), CASES.values(), ids=CASES)
def test_a_stream_gives_the_same_message(api: Api, prompt: str, fields: Json) -> None:
    """The rebuilt message equals the plain one, but for its ids."""
    streamed, plain = rebuilt(api.events(prompt, **fields)), api.message(prompt, **fields)
    assert anonymous(streamed) == anonymous(plain)


def anonymous(message: Json) -> Json:
    """Return a message without what differs from answer to answer."""
    message = json.loads(json.dumps(message))
    message.pop("id")
    message.get("container", {}).pop("expires_at", None)
    for guard in message.get("safeguard_results", []):
        guard["results"] = len(guard["results"])
    for block in message["content"]:
        block.pop("id", None)
    return dict(message)


def deltas(events: list[Json], kind: str) -> list[Json]:
    """Return the deltas of a kind."""
    return [event["delta"] for event in events if event.get("delta", {}).get("type") == kind]


def test_text_arrives_in_pieces(api: Api) -> None:
    """A sentence comes in several deltas that hold whole characters, none twice."""
    pieces = [
        d["text"] for d in deltas(api.events(CASES["characters of many bytes"][0]), "text_delta")
    ]
    assert len(pieces) > 2
    assert all(pieces)
    assert "".join(pieces) == "Grüße 漢字 🙂👩‍👩‍👧 é"
    assert "\ufffd" not in "".join(pieces)


def test_arguments_arrive_as_deltas(api: Api) -> None:
    """The block of a call starts empty; its arguments are pieces of JSON."""
    events = api.events("Use the tool.", tools=[WEATHER])
    pieces = [delta["partial_json"] for delta in deltas(events, "input_json_delta")]
    assert pieces[0] == ""
    assert len([piece for piece in pieces if piece]) > 1
    assert json.loads("".join(pieces)) == {"city": "Paris"}


def test_the_signature_comes_last(api: Api) -> None:
    """One signature_delta, directly before the block stops; hidden thoughts have no other delta."""
    for display, thoughts in (("summarized", True), ("omitted", False)):
        events = api.events("Hi.", thinking={"type": "adaptive", "display": display})
        assert bool(deltas(events, "thinking_delta")) is thoughts
        assert len(deltas(events, "signature_delta")) == 1
        kinds = [event.get("delta", event).get("type") for event in events]
        assert kinds[kinds.index("signature_delta") + 1] == "content_block_stop"


def test_a_ping_follows_the_first_block_start(api: Api) -> None:
    """Clients see a ping early; an answer without blocks has none."""
    kinds = [event["type"] for event in api.events()]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    empty = api.events("Write: STOP", stop_sequences=["STOP"])
    assert [event["type"] for event in empty] == ["message_start", "message_delta", "message_stop"]


@pytest.mark.parametrize("version", [VERSION, "2026-10-21"])
def test_the_head_of_a_stream(api: Api, version: str) -> None:
    """The media type and the headers are those of an event stream in both versions."""
    answer = api.post(valid(stream=True), anthropic_version=version)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert "content-encoding" not in answer.headers
    assert decode(answer.text)[-1]["type"] == "message_stop"


@pytest.mark.parametrize("stream", [False, None])
def test_without_stream_there_is_none(api: Api, stream: Any) -> None:
    """False and null mean a plain answer."""
    answer = api.post({**valid(), "stream": stream})
    assert answer.headers["content-type"] == "application/json"


def test_generation_stops_when_the_client_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a client hung up its stream is given up, and others are served."""
    given_up = threading.Event()

    def endless(pieces: list[Piece], _request: Request) -> Any:
        def more() -> Iterator[Piece]:
            try:
                yield from pieces[:3]
                yield 60.0
            finally:
                given_up.set()

        return more()

    fault = Change("endless", Stage.WIRE, "A stream that never ends.", endless)
    monkeypatch.setitem(FAULTS, "endless", fault)
    with serving(Lab(faults=["endless"])) as api:
        with api.client.stream("POST", "/v1/messages", json=valid(stream=True)) as answer:
            assert next(answer.iter_raw())
        assert given_up.wait(timeout=20)
        assert api.message("Hi.")["content"]


def test_a_cut_drops_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUT piece ends the connection in the middle of the body; the lab goes on."""
    fault = Change("cut", Stage.WIRE, "A stream is cut.", lambda pieces, _: [*pieces[:2], CUT])
    monkeypatch.setitem(FAULTS, "cut", fault)
    with serving(Lab(faults=["cut"])) as api:
        with pytest.raises(httpx.RemoteProtocolError):
            api.post(valid(stream=True, messages=[user("Hi.")]))
        assert api.message("Hi.")["content"]
