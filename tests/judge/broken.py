"""Valid streams with one defect each, and the one kind of violation that it has to give."""

from __future__ import annotations

import json
from typing import Any

from judge.judging import (
    END,
    ERROR,
    PING,
    START,
    STOP,
    TEXT,
    THINKING,
    TOOL,
    Event,
    argued,
    closed,
    delta,
    frame,
    merged,
    opened,
    said,
    text_stream,
    tool_stream,
)

Frames = list[Event | bytes]

_TEXT_NAMES = ("start", "open", "first", "second", "third", "close", "end", "stop")
_TOOL_NAMES = (
    *("start", "text_open", "text_delta", "text_close"),
    *("open", "first", "second", "third", "close", "end", "stop"),
)


def text(**changes: Any) -> Frames:
    """The text stream with some events replaced: by an event, by bytes, or by a list of these."""
    return _changed(_TEXT_NAMES, text_stream(), changes)


def tool(**changes: Any) -> Frames:
    """The tool stream, likewise."""
    return _changed(_TOOL_NAMES, tool_stream(), changes)


def _changed(names: tuple[str, ...], events: list[Event], changes: dict[str, Any]) -> Frames:
    result: Frames = []
    for name, event in zip(names, events, strict=True):
        new = changes.pop(name, event)
        result += new if isinstance(new, list) else [new]
    assert not changes
    return result


def raw(name: str | None, data: str) -> bytes:
    """An event as it is written here; the surrogate escapes stand for single bytes."""
    head = "" if name is None else f"event: {name}\n"
    return f"{head}data: {data}\n\n".encode(errors="surrogateescape")


def unnamed(event: Event) -> bytes:
    """The event without its name."""
    return raw(None, json.dumps(event))


def start(**change: Any) -> Event:
    """message_start with a changed message."""
    return merged(START, {"message": change})


def text_delta(written: str) -> bytes:
    """A text delta for block 0 whose text is written as it is here."""
    inner = f'{{"type":"text_delta","text":"{written}"}}'
    return raw("content_block_delta", f'{{"type":"content_block_delta","index":0,"delta":{inner}}}')


def tool_open(**change: Any) -> Event:
    """The start of block 1, a tool call, with changed fields."""
    return opened(1, merged(TOOL, change))


def indexed(shift: int) -> Frames:
    """The text stream with every index shifted."""
    return [merged(one, {"index": shift}) if "index" in one else one for one in text_stream()]


SECOND = [opened(1, TEXT), said(1, "a"), closed(1)]
USAGE_ONLY = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}}
CUMULATIVE = ["Hi", "Hi the", "Hi there"]
BROKEN_JSON = [argued(1, '{"city":'), argued(1, '"Par')]

BROKEN: dict[str, tuple[str, Frames]] = {
    # The events themselves
    "one event without a name": ("unnamed-event", text(first=unnamed(said(0, "Hi")))),
    "no event with a name": ("unnamed-event", [unnamed(one) for one in text_stream()]),
    "a ping without a name": ("unnamed-event", text(first=[unnamed(PING), said(0, "Hi")])),
    "a name of its own": ("name-mismatch", text(first=raw("delta", json.dumps(said(0, "Hi"))))),
    "the default name": ("name-mismatch", text(stop=raw("message", json.dumps(STOP)))),
    "a ping under another name": (
        "name-mismatch",
        text(open=[raw("x", '{"type":"ping"}'), opened(0, TEXT)]),
    ),
    "data without a type": ("name-mismatch", text(stop=raw("message_stop", "{}"))),
    "an unknown type in the data": (
        "name-mismatch",
        text(stop=raw("message_stop", '{"type":"x"}')),
    ),
    "data that is no JSON": ("bad-data", text(first=raw("content_block_delta", "{oops"))),
    "data that is a list": ("bad-data", text(first=raw("content_block_delta", "[1]"))),
    "data that is NaN": ("bad-data", text(first=raw("content_block_delta", "NaN"))),
    "an unnamed line of text": ("bad-data", text(first=[raw(None, "hello"), said(0, "Hi")])),
    "torn message_start": ("bad-data", text(start=raw("message_start", '{"type":'))),
    "torn content_block_start": ("bad-data", text(open=raw("content_block_start", "{"))),
    "torn content_block_stop": ("bad-data", text(close=raw("content_block_stop", "{"))),
    "torn message_delta": ("bad-data", text(end=raw("message_delta", "{"))),
    "torn error": (
        "bad-data",
        text(first=raw("error", "{"), second=[], third=[], close=[], end=[], stop=[]),
    ),
    "no data line": ("empty-data", text(first=b"event: content_block_delta\n\n")),
    "an empty data line": ("empty-data", text(first=raw("content_block_delta", ""))),
    "message_stop without data": ("empty-data", text(stop=b"event: message_stop\n\n")),
    "half a character": ("bad-character", text(first=text_delta("\udcc3"))),
    "U+FFFD": ("bad-character", text(first=text_delta("\ufffd"))),
    "U+FFFD, escaped": ("bad-character", text(first=text_delta("\\ufffd"))),
    "half a surrogate pair": ("bad-character", text(first=text_delta("\\ud83d"))),
    "a sentinel": ("done-sentinel", text(stop=[STOP, b"data: [DONE]\n\n"])),
    "a sentinel before the end": ("done-sentinel", text(stop=[b"data: [DONE]\n\n", STOP])),
    "a sentinel with a name": ("named-done-sentinel", text(stop=[STOP, raw("done", "[DONE]")])),
    "a ping without a type": ("bad-ping", text(open=[raw("ping", "{}"), opened(0, TEXT)])),
    "a ping without data": ("bad-ping", text(open=[b"event: ping\n\n", opened(0, TEXT)])),
    "a ping of text": ("bad-ping", text(open=[raw("ping", "x"), opened(0, TEXT)])),
    # The beginning
    "nothing": ("empty-stream", []),
    "only pings": ("empty-stream", [PING, PING]),
    "only comments": ("empty-stream", [b": wait\n\n"]),
    "no message_start": ("no-message-start", text(start=[])),
    "message_start after the block": ("no-message-start", text(start=[], end=[START, END])),
    "message_start second": ("no-message-start", text(start=[], open=[opened(0, TEXT), START])),
    "message_start twice": ("repeated-message-start", text(start=[START, START])),
    "message_start once more": ("repeated-message-start", text(end=[START, END])),
    "no message": ("message-start-shape", text(start=merged(START, {"message": ...}))),
    "message null": ("message-start-shape", text(start=merged(START, {"message": None}))),
    "no id": ("message-start-shape", text(start=start(id=...))),
    "an empty id": ("message-start-shape", text(start=start(id=""))),
    "no model": ("message-start-shape", text(start=start(model=None))),
    "another type": ("message-start-shape", text(start=start(type="msg"))),
    "another role": ("message-start-shape", text(start=start(role="user"))),
    "content null": ("message-start-shape", text(start=start(content=None))),
    "content filled": ("message-start-shape", text(start=start(content=[TEXT]))),
    "no stop_reason": ("message-start-shape", text(start=start(stop_reason=...))),
    "no stop_sequence": ("message-start-shape", text(start=start(stop_sequence=...))),
    "a stop_sequence": ("message-start-shape", text(start=start(stop_sequence="x"))),
    "no usage": ("message-start-usage", text(start=start(usage=...))),
    "usage null": ("message-start-usage", text(start=start(usage=None))),
    "no input_tokens": ("message-start-counts", text(start=start(usage={"input_tokens": ...}))),
    "tokens as text": ("message-start-counts", text(start=start(usage={"output_tokens": "1"}))),
    "tokens as true": ("message-start-counts", text(start=start(usage={"output_tokens": True}))),
    # The blocks
    "no content_block": (
        "block-start-shape",
        text(open=merged(opened(0, TEXT), {"content_block": ...})),
    ),
    "a block without a type": ("block-start-shape", text(open=opened(0, {"text": ""}))),
    "text without text": ("block-start-shape", text(open=opened(0, {"type": "text"}))),
    "text null": ("block-start-shape", text(open=opened(0, merged(TEXT, {"text": None})))),
    "thinking without signature": (
        "block-start-shape",
        [START, opened(0, merged(THINKING, {"signature": ...})), closed(0), END, STOP],
    ),
    "a tool without id": ("block-start-shape", tool(open=tool_open(id=...))),
    "a tool without name": ("block-start-shape", tool(open=tool_open(name=...))),
    "a tool without input": ("block-start-shape", tool(open=tool_open(input=...))),
    "a tool with text as input": ("block-start-shape", tool(open=tool_open(input=""))),
    "text in the start": (
        "block-start-not-empty",
        text(open=opened(0, merged(TEXT, {"text": "H"}))),
    ),
    "thinking in the start": (
        "block-start-not-empty",
        [START, opened(0, merged(THINKING, {"thinking": "H"})), closed(0), END, STOP],
    ),
    "counting from 1": ("bad-index", indexed(1)),
    "a negative index": ("bad-index", indexed(-1)),
    "the first start says 1": ("bad-index", text(open=opened(1, TEXT))),
    "a gap": ("bad-index", text(close=[closed(0), opened(2, TEXT), said(2, "a"), closed(2)])),
    "an index again": (
        "bad-index",
        text(close=[closed(0), opened(0, TEXT), said(0, "a"), closed(0)]),
    ),
    "a start without index": ("bad-index", text(open=merged(opened(0, TEXT), {"index": ...}))),
    "a delta without index": ("bad-index", text(first=merged(said(0, "Hi"), {"index": ...}))),
    "a stop without index": ("bad-index", text(close=merged(closed(0), {"index": ...}))),
    "an index as text": ("bad-index", text(open=opened("0", TEXT))),
    "an index as true": ("bad-index", text(close=merged(closed(0), {"index": False}))),
    "a start before the stop": (
        "block-overlap",
        text(close=[opened(1, TEXT), closed(0), said(1, "a"), closed(1)]),
    ),
    "blocks in turns": (
        "block-overlap",
        text(close=[opened(1, TEXT), said(0, "a"), said(1, "a"), closed(1), closed(0)]),
    ),
    "all stops at the end": (
        "block-overlap",
        text(close=[opened(1, TEXT), said(1, "a"), closed(0), closed(1)]),
    ),
    "no stop": ("block-not-closed", text(close=[])),
    "no stop of the first block": ("block-not-closed", text(close=SECOND)),
    "no stop of a tool": ("block-not-closed", tool(close=[])),
    "a stop too many": ("stop-without-start", text(close=[closed(0), closed(0)])),
    "a stop for another block": ("stop-without-start", text(close=closed(3))),
    "a stop of nothing": ("stop-without-start", [START, closed(0), END, STOP]),
    "no start": ("delta-without-start", text(open=[])),
    "no start of the second block": ("delta-without-start", tool(open=[])),
    "a delta after the stop": ("delta-without-start", text(close=[closed(0), said(0, "!")])),
    "a delta for another block": ("delta-without-start", text(second=said(4, "a"))),
    "a delta for the next block": (
        "delta-without-start",
        text(second=said(1, "a"), close=[closed(0), *SECOND]),
    ),
    "thinking in text": ("delta-mismatch", text(first=delta(0, "thinking_delta", thinking="a"))),
    "arguments in text": ("delta-mismatch", text(first=argued(0, "{}"))),
    "text in a tool": ("delta-mismatch", tool(first=said(1, "a"))),
    "text in thinking": (
        "delta-mismatch",
        [START, opened(0, THINKING), said(0, "a"), closed(0), END, STOP],
    ),
    "no delta": ("delta-shape", text(first=merged(said(0, "a"), {"delta": ...}))),
    "a delta of null": ("delta-shape", text(first=merged(said(0, "a"), {"delta": None}))),
    "a text delta without text": ("delta-shape", text(first=delta(0, "text_delta"))),
    "arguments null": ("delta-shape", tool(first=argued(1, None))),
    "text that grows": (
        "cumulative-text",
        text(first=[said(0, one) for one in CUMULATIVE], second=[], third=[]),
    ),
    # The arguments of tool calls
    "arguments that end early": ("bad-tool-json", tool(second=BROKEN_JSON, third=[])),
    "arguments that are a list": ("bad-tool-json", tool(second=argued(1, "[1]"), third=[])),
    "arguments escaped twice": ("bad-tool-json", tool(second=argued(1, '"{\\"a\\":1}"'), third=[])),
    "arguments in Python": ("bad-tool-json", tool(second=argued(1, "{'a': 1}"), third=[])),
    "a blank as arguments": ("bad-tool-json", tool(second=argued(1, " "), third=[])),
    "arguments in the start only": (
        "no-tool-delta",
        tool(open=tool_open(input={"city": "Paris"}), first=[], second=[], third=[]),
    ),
    "arguments in the start and empty deltas": (
        "no-tool-delta",
        tool(open=tool_open(input={"city": "Paris"}), second=[], third=[]),
    ),
    "arguments twice": ("tool-input-in-start", tool(open=tool_open(input={"city": "Paris"}))),
    # The end
    "no message_delta": ("no-message-delta", text(end=[])),
    "stop_reason null": ("no-stop-reason", text(end=merged(END, {"delta": {"stop_reason": None}}))),
    "an empty stop_reason": (
        "no-stop-reason",
        text(end=merged(END, {"delta": {"stop_reason": ""}})),
    ),
    "no delta in message_delta": ("no-stop-reason", text(end=merged(END, {"delta": ...}))),
    "stop_reason taken back": ("stop-reason-lost", text(end=[END, USAGE_ONLY])),
    "stop_reason in message_start": (
        "early-stop-reason",
        text(start=start(stop_reason="end_turn")),
    ),
    "message_delta before the block": ("early-stop-reason", text(start=[START, END], end=[])),
    "message_delta before the stop": ("early-stop-reason", text(close=[END, closed(0)], end=[])),
    "stop_reason between two blocks": ("early-stop-reason", text(close=[closed(0), END, *SECOND])),
    "usage between two blocks": (
        "early-message-delta",
        text(close=[closed(0), USAGE_ONLY, *SECOND]),
    ),
    "no usage at the end": ("delta-without-usage", text(end=merged(END, {"usage": ...}))),
    "usage null at the end": ("delta-without-usage", text(end=merged(END, {"usage": None}))),
    "no output_tokens": (
        "delta-without-usage",
        text(end=merged(END, {"usage": {"output_tokens": ...}})),
    ),
    "fewer tokens than at the start": (
        "usage-decreases",
        text(start=start(usage={"output_tokens": 8})),
    ),
    "tokens of each delta alone": (
        "usage-decreases",
        text(end=[merged(END, {"usage": {"output_tokens": n}}) for n in (5, 3)]),
    ),
    "no message_stop": ("no-message-stop", text(stop=[])),
    "message_stop without its empty line": ("no-message-stop", text(stop=frame(STOP)[:-1])),
    "message_stop twice": ("repeated-message-stop", text(stop=[STOP, STOP])),
    "message_delta after message_stop": ("after-message-stop", text(stop=[STOP, END])),
    "a block after message_stop": ("after-message-stop", text(stop=[STOP, *SECOND])),
    "error after message_stop": ("after-message-stop", text(stop=[STOP, ERROR])),
    "the end within a block": ("cut-short", text(third=[], close=[], end=[], stop=[])),
    "the end after a block": ("cut-short", text(end=[], stop=[])),
    "the end after message_start": ("cut-short", [START]),
    "the end within arguments": ("cut-short", tool(third=[], close=[], end=[], stop=[])),
    "the end within message_delta": ("cut-short", text(end=frame(END)[:-20], stop=[])),
    # Errors within a stream
    "an error without error": ("error-event-shape", [START, merged(ERROR, {"error": ...})]),
    "an error without message": (
        "error-event-shape",
        [START, merged(ERROR, {"error": {"message": ...}})],
    ),
    "an error without a type": (
        "error-event-shape",
        [START, raw("error", '{"error":{"message":"x"}}')],
    ),
    "an error without its frame": (
        "error-event-shape",
        [START, raw("error", '{"type":"busy","message":"x"}')],
    ),
    "an error as a data line": (
        "error-event-shape",
        [START, raw(None, '{"error":{"message":"x"}}')],
    ),
    "message_stop after error": ("after-error", [START, ERROR, STOP]),
    "a block after error": ("after-error", [START, ERROR, *SECOND]),
    # Legal, but asked for by a check for information
    "an unknown event": (
        "unknown-event",
        text(open=[raw("new", '{"type":"new"}'), opened(0, TEXT)]),
    ),
    "an unknown event first": ("unknown-event", text(start=[raw("new", '{"type":"new"}'), START])),
    "an unknown block": ("unknown-event", text(open=opened(0, {"type": "hologram"}))),
    "an unknown delta": ("unknown-event", text(first=delta(0, "smell_delta", smell="rose"))),
}
