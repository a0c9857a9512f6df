"""The values that pass through the lab: what came in, what goes out, why something is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final, TypeAlias

import msgspec

HeaderLines: TypeAlias = list[tuple[str, str]]
"""Header lines in wire order; names in lower case."""


class Cut(Enum):
    """The place in a body where the lab drops the connection."""

    CUT = "cut"


CUT: Final = Cut.CUT

Piece: TypeAlias = "bytes | float | Cut"
"""A part of a body as it is written: bytes, a pause in seconds, or the end of the connection."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    """The path below the lab's prefix, without the query."""
    query: dict[str, str]
    headers: HeaderLines
    body: bytes
    memory: dict[str, Any] = field(default_factory=dict)
    """The lab's own; shared by all its requests. A change keeps what it needs under its id."""
    key: str = field(default="", repr=False)
    """The lab's own; it seals thinking blocks."""

    def header(self, name: str) -> str | None:
        """Return the value of a header (several lines joined by commas), or None."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    def without_header(self, name: str) -> Request:
        """Return the same request as if the header had not been sent."""
        return replace(self, headers=[line for line in self.headers if line[0] != name])

    @cached_property
    def json(self) -> Any:
        """The decoded body; None when it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    @property
    def is_messages(self) -> bool:
        """True for `POST /v1/messages`."""
        return self.method == "POST" and self.path == "/v1/messages"

    @property
    def is_count(self) -> bool:
        """True for `POST /v1/messages/count_tokens`."""
        return self.method == "POST" and self.path == "/v1/messages/count_tokens"

    @property
    def is_models(self) -> bool:
        """True for `GET /v1/models`, the list."""
        return self.method == "GET" and self.path == "/v1/models"

    @property
    def wants_stream(self) -> bool:
        """True when the body asks for a stream."""
        return isinstance(self.json, dict) and self.json.get("stream") is True


@dataclass
class Answer:
    """One finished answer."""

    status: int
    headers: HeaderLines
    body: bytes = b""
    stream: list[Piece] | None = None
    """The pieces of a body that is written bit by bit; `body` is not sent then."""
    delay: float = 0.0
    """Seconds before the first byte."""

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Answer:
        """Return an answer whose body is the value as JSON."""
        return cls(status, [("content-type", "application/json")], msgspec.json.encode(value))

    @property
    def json(self) -> Any:
        """The decoded body; None when it is no JSON (a stream, a HEAD answer)."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def with_json(self, value: Any) -> Answer:
        """Return the same answer with another JSON body."""
        return replace(self, body=msgspec.json.encode(value))

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def with_header(self, name: str, value: str | None) -> Answer:
        """Return the same answer with this header set; None takes the header out."""
        lines = [line for line in self.headers if line[0] != name]
        return replace(self, headers=lines if value is None else [*lines, (name, value)])


@dataclass
class Event:
    """One server-sent event."""

    name: str | None
    """The `event:` line; None writes no such line."""
    data: Any
    """A value that is written as JSON; a string is written as it stands."""

    def encode(self) -> bytes:
        """Return the bytes of the event, with its empty line."""
        data = self.data.encode() if isinstance(self.data, str) else msgspec.json.encode(self.data)
        head = b"" if self.name is None else b"event: " + self.name.encode() + b"\n"
        return head + b"data: " + data + b"\n\n"


ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    501: "not_supported",
    504: "timeout_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """A refusal in the words of the API.

    `rule` names the rule that was broken, for changes: the place and the kind of mistake
    (`messages.role.value`, see `shape`), or a name of its own (`tool_use.unanswered`).
    """

    def __init__(self, status: int, message: str, *, rule: str, type: str | None = None) -> None:  # noqa: A002  the API's word
        super().__init__(message)
        self.status = status
        self.message = message
        self.rule = rule
        self.type = type or ERROR_TYPES[status]

    def answer(self, request_id: str | None = None) -> Answer:
        """Return the error envelope; the lab gives it the id of its `request-id` header."""
        envelope: dict[str, Any] = {
            "type": "error",
            "error": {"type": self.type, "message": self.message},
        }
        if request_id is not None:
            envelope["request_id"] = request_id
        return Answer.of_json(envelope, self.status)
