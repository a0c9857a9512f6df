"""Variants of what carries an answer: headers, encodings, the spelling of JSON, the pace."""

from __future__ import annotations

import gzip
import json
import uuid
from dataclasses import replace
from typing import Any

from metaio_verify.lab import variant
from metaio_verify.lab.types import Answer, Request

# Headers


@variant.answer
def no_request_id(answer: Answer, _request: Request) -> Answer:
    """Answers carry no request id, in no place."""
    answer = answer.with_header("request-id", None)
    body = answer.json
    if isinstance(body, dict) and "request_id" in body:
        return answer.with_json({name: body[name] for name in body if name != "request_id"})
    return answer


@variant.answer
def x_request_id(answer: Answer, _request: Request) -> Answer:
    """The request id is a UUID in `x-request-id`, as Anthropic's own gateway has it."""
    return no_request_id(answer, _request).with_header("x-request-id", str(uuid.uuid4()))


@variant.answer
def header_names_in_capitals(answer: Answer, _request: Request) -> Answer:
    """Header names are written in capitals."""
    return replace(answer, headers=[(name.upper(), value) for name, value in answer.headers])


@variant.answer
def many_headers(answer: Answer, _request: Request) -> Answer:
    """Answers carry rate limits, the organization and what proxies add."""
    added = [
        ("anthropic-organization-id", "8a1c7a1e-0000-4000-8000-000000000001"),
        ("anthropic-workspace-id", "wrkspc_01MetaioVerify"),
        *(
            (f"anthropic-ratelimit-{kind}-{name}", value)
            for kind in ("requests", "tokens", "input-tokens", "output-tokens")
            for name, value in (
                ("limit", "4000"),
                ("remaining", "3999"),
                ("reset", "2026-11-22T10:00:00Z"),
            )
        ),
        ("server", "proxy"),
        ("via", "1.1 proxy"),
        ("x-upstream-ms", "12"),
    ]
    return replace(answer, headers=[*answer.headers, *added])


@variant.answer
def json_with_charset(answer: Answer, _request: Request) -> Answer:
    """The content type of JSON names its charset."""
    if answer.header("content-type") != "application/json":
        return answer
    return answer.with_header("content-type", "application/json; charset=utf-8")


@variant.answer
def event_stream_without_charset(answer: Answer, _request: Request) -> Answer:
    """The content type of a stream names no charset."""
    if answer.stream is None:
        return answer
    return answer.with_header("content-type", "text/event-stream")


# How a body is carried


@variant.answer
def json_chunked(answer: Answer, _request: Request) -> Answer:
    """JSON comes in chunks, without content-length."""
    if answer.stream is not None or not answer.body:
        return answer
    half = len(answer.body) // 2
    return replace(answer, stream=[answer.body[:half], answer.body[half:]])


@variant.answer
def json_compressed(answer: Answer, request: Request) -> Answer:
    """JSON is compressed for clients that offer gzip."""
    offers = [one.strip() for one in (request.header("accept-encoding") or "").split(",")]
    if answer.stream is not None or not answer.body or "gzip" not in offers:
        return answer
    packed = replace(answer, body=gzip.compress(answer.body))
    return packed.with_header("content-encoding", "gzip").with_header("vary", "accept-encoding")


@variant.answer
def connection_closed_each_time(answer: Answer, _request: Request) -> Answer:
    """No connection is used twice."""
    return answer.with_header("connection", "close")


@variant.answer
def slow_first_byte(answer: Answer, _request: Request) -> Answer:
    """Each answer takes a while to begin."""
    return replace(answer, delay=0.05)


# How JSON is written


def _written(answer: Answer, text: str) -> Answer:
    return replace(answer, body=text.encode())


@variant.answer
def json_spread_out(answer: Answer, _request: Request) -> Answer:
    """JSON is written with line breaks and indents."""
    if (value := answer.json) is None:
        return answer
    return _written(answer, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@variant.answer
def json_escaped(answer: Answer, _request: Request) -> Answer:
    """JSON is pure ASCII: other characters are escaped."""
    return answer if (value := answer.json) is None else _written(answer, json.dumps(value))


@variant.answer
def json_keys_reversed(answer: Answer, _request: Request) -> Answer:
    """The keys of objects come in an unusual order."""
    return answer if (value := answer.json) is None else answer.with_json(_reversed(value))


def _reversed(value: Any) -> Any:
    match value:
        case dict():
            return {name: _reversed(value[name]) for name in reversed(value)}
        case list():
            return [_reversed(item) for item in value]
        case _:
            return value
