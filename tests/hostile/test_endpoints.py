"""Broken servers: the run ends within its bounds, says what came, and judges the rest as usual."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from dataclasses import replace
from typing import NamedTuple

import pytest
from hostile.server import (
    JSON,
    OK,
    SSE,
    Picks,
    Serve,
    answers,
    counting,
    holds,
    hostile,
    repeats,
    resets,
    sends,
    streamed,
)

from metaio_verify import Endpoint, Options, verify
from metaio_verify.record import Judgement, RunRecord
from metaio_verify.report import Format
from metaio_verify.report.facts import credential
from metaio_verify.report.json import decode
from metaio_verify.verdict import Verdict

COUNTING = ["counting.served", "counting.no-output"]
STREAMING = ["streaming.event-stream", "streaming.message-start", "streaming.message-stop"]
OTHERS = ["auth.bearer", "auth.x-api-key", "messages.shape"]
BOUNDS = Options(
    only=[*COUNTING, *STREAMING, *OTHERS],
    connect_timeout=2,
    timeout=5,
    request_timeout=10,
    run_timeout=20,
    patience=0.0,
    max_body=256 * 1024,
    max_events=500,
)
MIB = 1024 * 1024
HELD = JSON + b"content-length: 100\r\n\r\n"
BEGUN = SSE + b"\r\nevent: ping\ndata: {}\n\n"
BOMB = gzip.compress(b"0" * (32 * MIB))
BROTLI_BOMB = bytes.fromhex(
    "cbffff3ff82560e2b14020f7fe8fffff7ff04b00c4611180eefd1f"
    "ffffffe0970088c30200ddfb3ffeffffc12f0110870500baf77f03"
)
"""The same 32 MiB."""
ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202e\u0085\u2028<script>alert(1)</script>[x](javascript:y)|`@a"


class Case(NamedTuple):
    """How one route is answered, and what the verdicts on it say."""

    serve: Serve
    says: str


def error(message: str) -> bytes:
    """An error body."""
    body = {"type": "error", "error": {"type": "api_error", "message": message}}
    return json.dumps(body).encode()


PLAIN = {
    "closed at once": Case(sends(), "closed before the answer was complete"),
    "reset at once": Case(resets(), "broke before an answer came"),
    "reset in the head": Case(resets(OK + b"content-ty"), "broke before an answer came"),
    "reset in the body": Case(resets(HELD, b'{"in'), "broke before the answer was complete"),
    "no answer": Case(holds(), "no byte for 0.5 s"),
    "no end of the head": Case(holds(OK + b"x-a: b\r\n"), "no byte for 0.5 s"),
    "no end of the body": Case(holds(HELD, b'{"in'), "no byte for 0.5 s"),
    "a byte at a time": Case(repeats(HELD, b" ", 99, 0.02), "not finished after 1 s"),
    "a head a byte at a time": Case(repeats(OK, b"x", -1, 0.02), "not finished after 1 s"),
    "a head without end": Case(repeats(OK, b"x-a: " + b"b" * 4000 + b"\r\n"), "head of the answer"),
    "one endless header": Case(repeats(OK + b"x-a: ", b"b" * 9999), "head of the answer"),
    "a body without end": Case(repeats(JSON + b"\r\n", b" " * 65536), "larger than 262,144 bytes"),
    "64 MB of JSON": Case(
        repeats(JSON + b"content-length: %d\r\n\r\n[" % (64 * MIB), b"1," * 32768, 1024),
        "larger than 262,144 bytes",
    ),
    "too many values": Case(answers(JSON, b"[" + b"1," * 110_000 + b"1]"), "100,000 values"),
    "deep JSON": Case(answers(JSON, b"[" * 100_000 + b"]" * 100_000), "deeper than 90 levels"),
    "deep objects": Case(answers(JSON, b'{"a":' * 40_000 + b"1"), "deeper than 90 levels"),
    "10,000 digits": Case(answers(JSON, b'{"input_tokens": %b}' % (b"9" * 10_000)), "integer"),
    "digits after a point": Case(answers(JSON, b'{"input_tokens": 1e9999}'), "integer"),
    "a name twice": Case(answers(JSON, b'{"input_tokens": 1, "input_tokens": "x"}'), '"x"'),
    "NaN": Case(answers(JSON, b'{"input_tokens": NaN}'), "NaN"),
    "half a surrogate": Case(answers(JSON, b'{"input_tokens": "\\ud800"}'), "integer"),
    "NUL": Case(answers(JSON, b'{"input_tokens": "\\u0000\x00"}'), "not JSON"),
    "nothing but NUL": Case(answers(JSON, b"\0" * 500), "not JSON"),
    "a byte order mark of UTF-16": Case(answers(JSON, '{"a": 1}'.encode("utf-16")), "not UTF-8"),
    "invalid UTF-8 in the body": Case(answers(JSON, b'{"input_tokens": "\xff\xfe"}'), "not UTF-8"),
    "invalid UTF-8 in a header": Case(answers(JSON + b"x-a: \xff\xfe\r\n", b"[]"), "nothing there"),
    "too short a length": Case(sends(JSON + b"content-length: 3\r\n\r\n", b'{"a": 1}'), "not JSON"),
    "too long a length": Case(sends(HELD, b"{}"), "closed before the answer was complete"),
    "no length at all": Case(sends(JSON + b"content-length: x\r\n\r\n{}"), "not valid HTTP"),
    "two lengths": Case(
        sends(JSON + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}"), "not valid HTTP"
    ),
    "broken chunks": Case(
        sends(JSON + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}"), "not valid HTTP"
    ),
    "a negative chunk": Case(
        sends(JSON + b"transfer-encoding: chunked\r\n\r\n-1\r\n{}"), "not valid HTTP"
    ),
    "a chunk that is cut": Case(
        sends(JSON + b"transfer-encoding: chunked\r\n\r\nff\r\n{"), "closed before"
    ),
    "a gzip bomb": Case(answers(JSON + b"content-encoding: gzip\r\n", BOMB), "larger than"),
    "a deflate bomb": Case(
        answers(JSON + b"content-encoding: deflate\r\n", zlib.compress(b"0" * (32 * MIB))),
        "larger than",
    ),
    "a brotli bomb": Case(
        answers(JSON + b"content-encoding: br\r\n", BROTLI_BOMB), "did not offer"
    ),
    "gzip twice": Case(answers(JSON + b"content-encoding: gzip, gzip\r\n", BOMB), "did not offer"),
    "gzip that is none": Case(answers(JSON + b"content-encoding: gzip\r\n", b"{}"), "not decode"),
    "HTTP/0.9": Case(sends(b'{"input_tokens": 1}'), "closed before the answer was complete"),
    "garbage": Case(sends(bytes(range(256)) * 9), "not valid HTTP"),
    "TLS instead of HTTP": Case(sends(b"\x15\x03\x01\x00\x02\x02\x46"), "not valid HTTP"),
    "HTTP/2 frames": Case(sends(b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18), "not valid HTTP"),
    "status 000": Case(sends(b"HTTP/1.1 000 No\r\n\r\n"), "not valid HTTP"),
    "status 999": Case(answers(b"HTTP/1.1 999 No\r\n", b""), "999"),
    "a storm of 1xx": Case(
        repeats(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 50, -1, 0.01), "not finished after 1 s"
    ),
    "switching protocols": Case(
        holds(b"HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), ""
    ),
    "200 headers": Case(
        answers(JSON + b"".join(b"x-%d: %d\r\n" % (n, n) for n in range(200)), b"[]"),
        "nothing there",
    ),
    "a redirect in a circle": Case(
        answers(b"HTTP/1.1 307 X\r\nlocation: /v1/messages/count_tokens\r\n", b""),
        "redirect to /v1/messages/count_tokens",
    ),
    "a redirect elsewhere": Case(
        answers(b"HTTP/1.1 308 X\r\nlocation: https://evil.example/\r\n", b""),
        "redirect to https://evil.example/",
    ),
    "a redirect to nothing": Case(
        answers(b"HTTP/1.1 302 X\r\nlocation: http://[\r\n", b""), "redirect to http://["
    ),
    "an empty 200": Case(answers(JSON, b""), "empty body"),
    "terminal escapes": Case(answers(b"HTTP/1.1 500 X\r\n", error(ESCAPE)), "owned"),
    "a backtracking trap": Case(
        answers(b"HTTP/1.1 500 X\r\n", error("a." * 60_000 + "\n" * 60_000)), "500"
    ),
}
STREAMS = {
    "a stream without end": Case(repeats(BEGUN, b": busy\n", -1, 0.02), "not finished after 1 s"),
    "a stream that falls silent": Case(holds(BEGUN), "no byte for 0.5 s"),
    "a stream that is reset": Case(resets(BEGUN), "connection broke"),
    "a stream that never stops": Case(repeats(BEGUN, b"data: {}\n\n" * 99), "more than 500 events"),
    "an endless line": Case(repeats(BEGUN + b"data: ", b"x" * 65536), "larger than 262,144 bytes"),
    "a million events": Case(repeats(SSE + b"\r\n", b"data:\n\n" * 999, 1001), "than 500 events"),
    "a million lines": Case(repeats(SSE + b"\r\n", b":\n" * 9999, 101), "more than 2,000 lines"),
    "a million line ends": Case(repeats(SSE + b"\r\n", b"\r" * 9999, 101), "more than 500 events"),
    "events as JSON": Case(repeats(JSON + b"\r\n", b"data:\n\n" * 999, 99), "more than 500 events"),
    "a chunk for each byte": Case(
        repeats(SSE + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 9999),
        "more than 2,000 pieces",
    ),
    "deep events": Case(sends(BEGUN + b"data: " + b"[" * 99_999 + b"\n\n"), "message_start"),
    "huge numbers": Case(
        sends(BEGUN + b'data: {"type":"message_delta","usage":{"output_tokens":%b}}\n\n'
              % (b"9" * 4000)),
        "message_start",
    ),
    "invalid UTF-8 in events": Case(sends(BEGUN + b"data: \xff\xfe\n\n"), "message_start"),
    "NUL and a mark in events": Case(
        sends(SSE + b"\r\n\xef\xbb\xbfdata: \0\n\n\xef\xbb\xbfdata: {}\n\n"), "message_start"
    ),
    "a packed stream that explodes": Case(
        sends(SSE + b"content-encoding: gzip\r\n\r\n" + BOMB), "larger than 262,144 bytes"
    ),
    "a brotli bomb as a stream": Case(
        sends(SSE + b"content-encoding: br\r\n\r\n" + BROTLI_BOMB), "did not offer"
    ),
    "escapes in event names": Case(
        sends(SSE + f"\r\nevent: {ESCAPE}\ndata: {{}}\n\n".encode()), "message_start"
    ),
}  # fmt: skip


def run(case: Case, picks: Picks, lab: dict[str, str]) -> RunRecord:
    """Verify an endpoint that answers one route badly."""
    slow = "no byte" in case.says or "not finished" in case.says
    options = replace(BOUNDS, timeout=0.5, request_timeout=1) if slow else BOUNDS
    with hostile(case.serve, picks=picks, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        return verify(Endpoint(url, lab["ANTHROPIC_API_KEY"]), options)


def said(found: list[Judgement]) -> str:
    """Everything that judgements say."""
    return "\n".join(
        f"{one.reason}\n" + "\n".join(f"{f.expected} – {f.actual}" for f in one.findings)
        for one in found
    )


def check(record: RunRecord, says: str, bad: list[str]) -> None:
    """The bad route is reported as expected, all else passes, and every report can be made."""
    found = [one for one in record.verdicts if one.check in bad]
    others = [one for one in record.verdicts if one.check not in bad]
    assert any(one.verdict is not Verdict.PASS for one in found), found
    assert says in said(found), said(found)
    assert record.exit_code in (1, 3)
    assert record.stopped is None
    assert {one.verdict for one in others} == {Verdict.PASS}, said(others)
    assert len(others) >= len(OTHERS)
    text = Format.JSON.render(record)
    assert decode(text.encode(), "run.json").verdicts == record.verdicts
    for format_ in (Format.TERMINAL, Format.MARKDOWN):
        shown = format_.render(record)
        assert not [c for c in shown if not (c.isprintable() or c == "\n")]
    # In a code span nothing is alive.
    page = re.sub(r"(`+)[^`].*?\1(?!`)", "", Format.MARKDOWN.render(record))
    assert "<script" not in page
    assert "](javascript" not in page


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_answer_breaks_nothing(name: str, lab: dict[str, str]) -> None:
    """Whatever one route answers, the others are judged as usual."""
    check(run(PLAIN[name], counting, lab), PLAIN[name].says, COUNTING)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_breaks_nothing(name: str, lab: dict[str, str]) -> None:
    """Whatever a stream does, plain answers are judged as usual."""
    check(run(STREAMS[name], streamed, lab), STREAMS[name].says, STREAMING)


@pytest.mark.parametrize(
    ("status", "taken"), [("404 Not Found", None), ("500 Oops", None), ("401 No", False)]
)
def test_only_a_refusal_of_the_credential_is_called_one(*, status: str, taken: bool | None) -> None:
    """A model that nobody knows, or a server that fails, says nothing of the key."""
    body = b'{"type":"error","error":{"type":"api_error","message":"no"}}'
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n".encode()
    with hostile(answers(head, body)) as url:
        options = Options(only=["auth.bearer", "auth.x-api-key"], patience=0.0)
        found = verify(Endpoint(url, "key-of-nobody-Xa7!", ["m"]), options)
    assert set(found.target.auth_styles.values()) == {taken}
    assert ("refused" in credential(found)) is (taken is False)
