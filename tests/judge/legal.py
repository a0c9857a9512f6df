"""Streams that are as legal as unusual, and so must not give any violation."""

from __future__ import annotations

from judge.broken import USAGE_ONLY, Frames, text, text_delta, tool
from judge.judging import (
    END,
    ERROR,
    PING,
    START,
    STOP,
    THINKING,
    TOOL,
    argued,
    closed,
    delta,
    frame,
    merged,
    opened,
    said,
    text_stream,
)

LEGAL: dict[str, Frames] = {
    "text": text(),
    "a tool call": tool(),
    "pings everywhere": [one for event in text() for one in (PING, event)] + [PING],
    "comments": [one for event in text() for one in (b": hi\n", event, b": hi\n\n")],
    "CR LF": [frame(event).replace(b"\n", b"\r\n") for event in text()],
    "CR": [frame(event).replace(b"\n", b"\r") for event in text()],
    "a byte order mark": [b"\xef\xbb\xbf", *text()],
    "ids and retry": [b"retry: 100\n\n", *[b"id: 1\n" + frame(event) for event in text()]],
    "no answer at all": [START, END, STOP],
    "an empty block": text(first=[], second=[], third=[]),
    "several message_deltas": text(end=[END, merged(END, {"usage": {"output_tokens": 9}})]),
    "usage before the stop_reason": text(end=[USAGE_ONLY, END]),
    "everything in usage": text(
        end=merged(END, {"usage": {"input_tokens": 9, "cache_read_input_tokens": 0}})
    ),
    "fields of the future": text(
        end=merged(END, {"delta": {"container": {}}, "context_management": {}})
    ),
    "thinking first": [
        START,
        opened(0, THINKING),
        delta(0, "thinking_delta", thinking="Hm."),
        delta(0, "signature_delta", signature="c2ln"),
        closed(0),
        *(merged(one, {"index": 1}) for one in text_stream()[1:6]),
        END,
        STOP,
    ],
    "thinking with an empty signature": [
        START,
        opened(0, THINKING),
        delta(0, "signature_delta", signature=""),
        closed(0),
        END,
        STOP,
    ],
    "citations": text(first=delta(0, "citations_delta", citation={"type": "char_location"})),
    "compaction": [
        START,
        opened(0, {"type": "compaction", "content": None}),
        delta(0, "compaction_delta", content=None),
        closed(0),
        END,
        STOP,
    ],
    "a fallback block without deltas": text(
        close=[closed(0), opened(1, {"type": "fallback"}), closed(1)]
    ),
    "a server tool and its result": text(
        close=[
            closed(0),
            opened(1, merged(TOOL, {"type": "server_tool_use"})),
            argued(1, '{"query": "x"}'),
            closed(1),
            opened(2, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}),
            closed(2),
        ]
    ),
    "a server tool with its input at once": text(
        close=[
            closed(0),
            opened(1, merged(TOOL, {"type": "server_tool_use", "input": {"query": "x"}})),
            closed(1),
        ]
    ),
    "redacted thinking": text(
        close=[closed(0), opened(1, {"type": "redacted_thinking", "data": "x"}), closed(1)]
    ),
    "a tool without arguments": tool(second=[], third=[]),
    "a tool without any delta": tool(first=[], second=[], third=[]),
    "two tools": tool(
        close=[closed(1), opened(2, merged(TOOL, {"id": "t2"})), argued(2, "{}"), closed(2)]
    ),
    "arguments cut by max_tokens": tool(
        third=[], end=merged(END, {"delta": {"stop_reason": "max_tokens"}})
    ),
    "repeated words": text(first=[said(0, "ha"), said(0, "ha"), said(0, "ha")]),
    "escaped emoji": text(first=text_delta("\\ud83d\\ude42")),
    "an error at once": [ERROR],
    "an error after the start": [START, ERROR],
    "an error within a block": [*text()[:3], ERROR],
    "an error within arguments": [*tool()[:7], ERROR],
    "an error and a ping": [START, ERROR, PING],
}
