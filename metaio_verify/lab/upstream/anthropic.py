"""The upstream as the Anthropic API."""

from __future__ import annotations

from typing import Any

import msgspec

from metaio_verify.lab.stream import events_of
from metaio_verify.lab.types import Answer, Event, HeaderLines
from metaio_verify.lab.upstream.scripts import Failure, JsonObject, Script

LIMITS: HeaderLines = [
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2031-01-01T00:00:00Z"),
]


def headers(token: str) -> HeaderLines:
    """Return what every answer carries."""
    return [("request-id", f"req_01Metaio{token.removeprefix('VERIFY-')}"), *LIMITS]


def plain(script: Script, message: JsonObject) -> JsonObject:
    """Return the message as the API sends it."""
    if not script.grown:
        return message
    grown = {**message, "metaio_answer": {"kept": [1, 2.5, "ü"]}}
    grown["usage"] = {**message["usage"], "metaio_units": 17}
    return grown


def events(script: Script, message: JsonObject, _request: Any) -> list[Event]:
    """Return the message as a stream."""
    told = events_of(plain(script, message))
    if script.grown:
        note = {"type": "metaio_note", "note": {"kept": True}}
        told.insert(2, Event("metaio_note", note))
    return told


def is_delta(event: Event) -> bool:
    """Whether an event brings something of the answer."""
    return event.name == "content_block_delta"


def ping() -> Event | None:
    """Return what keeps a silent stream alive."""
    return Event("ping", {"type": "ping"})


def failed(failure: Failure, token: str) -> Event:
    """Return the error within a stream."""
    return Event("error", _envelope(failure, token))


def error(failure: Failure, token: str) -> Answer:
    """Return an error before any stream."""
    answer = Answer.of_json(_envelope(failure, token), failure.status)
    answer.headers += [*failure.headers, *headers(token)]
    return answer


def count(message: JsonObject) -> bytes:
    """Return the answer to a request that only counts."""
    return msgspec.json.encode({"input_tokens": message["usage"]["input_tokens"]})


def _envelope(failure: Failure, token: str) -> JsonObject:
    text = failure.message.replace("{token}", token)
    return {
        "type": "error",
        "error": {"type": failure.type, "message": text},
        "request_id": headers(token)[0][1],
    }
