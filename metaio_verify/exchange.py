"""The evidence of a run: each request as it was sent, and what came back.

Secrets are replaced before a value enters one of these types (`probe.redact`). Times are seconds;
an exchange's times count from the moment its request was sent.
"""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

REDACTED = "[redacted]"
"""Stands wherever the credential stood, in requests and in answers."""


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of the record's parts."""


def text_or_base64(body: bytes) -> tuple[str | None, str | None]:
    """A body as it is written down: as text where it is UTF-8, in base64 otherwise."""
    try:
        return body.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(body).decode()


def _bytes(text: str | None, encoded: str | None) -> bytes:
    """A body that was written down so."""
    return (text or "").encode() if encoded is None else base64.b64decode(encoded)


class SentRequest(Value, frozen=True, kw_only=True):
    """A request as it was sent, with the credential replaced."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str = ""
    """The body as text; bodies that the program sends are always UTF-8."""
    padding: int = 0
    """Bytes of white space that were sent after the body."""


class Received(Value, frozen=True, kw_only=True):
    """An answer as it arrived, after its content-coding was taken off."""

    status: int
    http_version: str
    headers: list[tuple[str, str]]
    text: str | None = None
    """The body, when it is valid UTF-8."""
    base64: str | None = None
    """The body otherwise."""

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        return _bytes(self.text, self.base64)


class Failure(Value, frozen=True, kw_only=True):
    """Why an exchange has no answer, or only a part of one."""

    kind: Literal[
        "dns", "connect", "tls", "timeout", "reset", "protocol", "encoding", "too-large", "unsent"
    ]
    detail: str
    """One sentence for a person."""


class Clock(Value, frozen=True, kw_only=True):
    """When things happened."""

    headers: float | None = None
    """Arrival of the response head."""
    total: float
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """Each piece of the body: arrival, length in bytes. The lengths add up to the body."""
    lag: float = 0.0
    """The longest time for which the program itself was too busy to read, so that what had come
    seemed to come late."""
    alone: bool = False
    """Whether the request was sent again, with nothing beside it, to measure its time."""


class StreamEvent(Value, frozen=True, kw_only=True):
    """One server-sent event, for readers of the record; judges parse the body themselves."""

    at: float
    event: str | None
    data: Any
    """The decoded JSON, or the text when it is none."""


class Dialect(StrEnum):
    """The API that a gateway speaks to its upstream, by the path that it asks for."""

    ANTHROPIC = "anthropic"
    CHAT = "chat"  # OpenAI chat completions
    RESPONSES = "responses"  # OpenAI responses
    OTHER = "other"


class ForwardedRequest(Value, frozen=True, kw_only=True):
    """A request as it arrived at the upstream; header lines in their order."""

    method: str
    target: str
    """The path, with the query."""
    headers: list[tuple[str, str]]
    text: str | None = None
    """The body, when it is valid UTF-8."""
    base64: str | None = None
    """The body otherwise."""

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        return _bytes(self.text, self.base64)


class Played(Value, frozen=True, kw_only=True):
    """What the upstream answered, as it sent it."""

    status: int
    headers: list[tuple[str, str]]
    text: str = ""
    """The body; what the upstream plays is always UTF-8."""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """When each piece of the body was sent, and its length in bytes."""
    ended: Literal["whole", "cut", "left"] = "whole"
    """Sent to the end; dropped by the upstream, as its script says; left by the gateway."""
    ended_at: float = 0.0


class Forwarded(Value, frozen=True, kw_only=True):
    """One request that a gateway made of ours, and what was played for it.

    All times count from the moment in which our request was sent, as those of the exchange do.
    """

    at: float
    dialect: Dialect
    request: ForwardedRequest
    played: Played
    leaks: list[str] = field(default_factory=list)
    """Where the client's credential stood: `header x-api-key`, `body`."""


class Exchange(Value, frozen=True, kw_only=True):
    """The evidence of one fired request."""

    id: str
    probe: str
    model: str | None = None
    attempt: int = 1
    copy: int = 1
    request: SentRequest
    response: Received | None = None
    failure: Failure | None = None
    timing: Clock
    events: list[StreamEvent] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    """What was filled in for this request, for instance its token."""
    until_met: bool | None = None
    """Whether the model did what was asked; none when the probe does not ask."""
    leaks: list[str] = field(default_factory=list)
    """Where the answer repeated the credential: `header x-echo`, `body`."""
    retry_of: str | None = None
    """The exchange that was refused for load before this one was sent."""
    aborted: bool = False
    """Whether we closed the connection on purpose; that the answer has no end is then our doing."""
    forwarded: list[Forwarded] | None = None
    """What arrived at the upstream behind the gateway; none when nobody looked there."""
    upstream_leaks: list[str] = field(default_factory=list)
    """Where the answer showed the credential of the upstream."""
