"""Evidence made by hand: streams event by event, and exchanges around them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules import RULES
from metaio_verify.judge.sse import SseStream, parse
from metaio_verify.judge.stream import violations
from metaio_verify.record import (
    Clock,
    Exchange,
    Failure,
    Finding,
    Judgement,
    Received,
    SentRequest,
    Target,
)
from metaio_verify.suite.model import Check, Expect, Probe, Suite

Event = dict[str, Any]

START: Event = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    },
}
END: Event = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 7},
}
STOP: Event = {"type": "message_stop"}
PING: Event = {"type": "ping"}
ERROR: Event = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
TEXT: Event = {"type": "text", "text": ""}
THINKING: Event = {"type": "thinking", "thinking": "", "signature": ""}
TOOL: Event = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}


def opened(index: Any, block: Any) -> Event:
    """content_block_start."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, kind: str, **payload: Any) -> Event:
    """content_block_delta."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **payload}}


def said(index: int, text: str) -> Event:
    """A delta of a text block."""
    return delta(index, "text_delta", text=text)


def argued(index: int, partial: Any) -> Event:
    """A delta of a tool call."""
    return delta(index, "input_json_delta", partial_json=partial)


def closed(index: Any) -> Event:
    """content_block_stop."""
    return {"type": "content_block_stop", "index": index}


def text_stream() -> list[Event]:
    """Events 1 to 8 of a valid answer: start, block 0 with three deltas, end."""
    block = [opened(0, TEXT), said(0, "Hi"), said(0, " the"), said(0, "re"), closed(0)]
    return [START, *block, END, STOP]


def tool_stream() -> list[Event]:
    """Events 1 to 12 of a valid answer: text, then a tool call."""
    text = [opened(0, TEXT), said(0, "Sure."), closed(0)]
    call = [
        opened(1, TOOL),
        argued(1, ""),
        argued(1, '{"city":'),
        argued(1, ' "Paris"}'),
        closed(1),
    ]
    end = merged(END, {"delta": {"stop_reason": "tool_use"}})
    return [START, *text, *call, end, STOP]


def merged(event: Event, change: Event) -> Event:
    """Change a value deep inside; `...` removes a key."""
    result = dict(event)
    for key, value in change.items():
        if value is ...:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def frame(event: Event | bytes) -> bytes:
    """Write an event as bytes; bytes are taken as they are."""
    if isinstance(event, bytes):
        return event
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())


def wire(events: Iterable[Event | bytes]) -> bytes:
    """Write a whole body."""
    return b"".join(map(frame, events))


def stream_of(events: Iterable[Event | bytes]) -> SseStream:
    """Parse events as if they came in one piece."""
    body = wire(events)
    return parse(body, [(1.0, len(body))])


def kinds(events: Iterable[Event | bytes], ended: Failure | None = None) -> list[str]:
    """The kinds of violation in a stream, each once."""
    found = violations(stream_of(events), ended)
    return list(dict.fromkeys(str(one.kind) for one in found))


RESET = Failure(kind="reset", detail="the connection was reset")


def exchange(
    body: Any = b"",
    *,
    status: int | None = 200,
    headers: Sequence[tuple[str, str]] = (("content-type", "application/json"),),
    chunks: Sequence[tuple[float, int]] | None = None,
    total: float = 1.0,
    **fields: Any,
) -> Exchange:
    """An exchange whose body is bytes, or JSON to be written; a status of none: no answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = None
    if status is not None:
        response = Received(
            status=status, http_version="HTTP/1.1", headers=list(headers), text=raw.decode()
        )
    settings: dict[str, Any] = {
        "id": "x",
        "probe": "p",
        "request": SentRequest(method="POST", url="http://h/v1/messages", headers=[]),
        "response": response,
        "timing": Clock(headers=0.1, total=total, chunks=list(chunks or [(0.5, len(raw))])),
    }
    return Exchange(**{**settings, **fields})


def streamed(events: Iterable[Event | bytes], **fields: Any) -> Exchange:
    """An exchange that is answered by a stream."""
    fields.setdefault("headers", [("content-type", "text/event-stream")])
    return exchange(wire(events), **fields)


def message(**change: Any) -> Event:
    """A valid plain answer."""
    plain: Event = {
        **START["message"],
        "content": [{"type": "text", "text": "Hi there"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 7},
    }
    return merged(plain, change)


def expect(**keys: Any) -> Expect:
    """An expectation as a check file writes it; underscores stand for dashes."""
    return msgspec.convert({key.replace("_", "-"): value for key, value in keys.items()}, Expect)


def check(**keys: Any) -> Check:
    """A check as a check file writes it, about probe `p` unless it says otherwise."""
    written = {
        "id": "area.check",
        "title": "It works",
        "level": "must",
        "contract": "CON-01",
        "source": "measured",
        "on": "p",
        "breaks": {},
        "fix": "Mend it.",
        "faults": [],
        **{key.replace("_", "-"): value for key, value in keys.items()},
    }
    return msgspec.convert(written, Check)


def probe(id_: str = "p", **keys: Any) -> Probe:
    """A probe as a check file writes it, fired once for the endpoint unless it says otherwise."""
    written = {key.replace("_", "-"): value for key, value in keys.items()}
    return msgspec.convert(
        {"id": id_, "purpose": "Asks.", "post": "/v1/messages", **written}, Probe
    )


def suite(*probes: Probe, checks: Sequence[Check] = (), **schemas: Any) -> Suite:
    """A suite of these probes, or of one called `p`."""
    return Suite(
        probes={one.id: one for one in probes or [probe()]},
        checks={one.id: one for one in checks},
        profiles={},
        schemas=schemas,
        areas={},
    )


def target(**change: Any) -> Target:
    """A target with two models."""
    settings: dict[str, Any] = {
        "base_url": "http://h",
        "given_url": "http://h",
        "models": ["m1", "m2"],
        "auth": "x-api-key",
    }
    return Target(**{**settings, **change})


def pairs(found: Iterable[Finding] | Judgement) -> list[tuple[str, str]]:
    """What was expected and what came."""
    findings = found.findings if isinstance(found, Judgement) else found
    return [(one.expected, one.actual) for one in findings]


def apply_rule(
    name: str, *exchanges: Exchange, on: Target | None = None, **args: Any
) -> list[tuple[str, str, str]]:
    """Findings as where, expected, actual; each exchange is one of a probe of its own."""
    args = {key.replace("_", "-"): value for key, value in args.items()}
    answers = {f"p{number}": [Evidence(one)] for number, one in enumerate(exchanges, start=1)}
    findings = RULES[name](answers, args, on or target(), None)
    return [(one.where, one.expected, one.actual) for one in findings]
