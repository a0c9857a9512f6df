"""One exchange as judges see it: parsed once, on demand, and shared by all checks on it."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from metaio_verify.judge import stream as grammar
from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.rebuild import rebuild
from metaio_verify.judge.sse import NOT_JSON, SseStream, looks_like_events, parse
from metaio_verify.judge.violation import StreamViolation
from metaio_verify.judge.wording import short, shown
from metaio_verify.record import Exchange

NO_DOCUMENT: Final = NOT_JSON
"""The document of an answer that has none: no answer, no JSON, no event of a message."""

THOUGHTS: Final = ("thinking", "redacted_thinking")
"""The types of blocks that hold what a model thought. What is held against them may not hash."""

_LOADED = frozenset({429, 529})
"""Status codes that say nothing but: too much at the moment."""
_UNAVAILABLE = 503
_PAYMENT_REQUIRED = 402
_BAD_REQUEST = 400
_LIMIT_OF_MONEY = re.compile(
    r"\b(?:usage|spend(?:ing)?) limits?\b|\bcredit balance\b", re.IGNORECASE
)
"""How the API says that the limit of an organization is reached, which is a 400."""


class Evidence:
    """Read-only views of one exchange. Nothing in here raises, whatever the endpoint sent."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @property
    def status(self) -> int | None:
        """The status code; none when there was no answer."""
        return self.exchange.response.status if self.exchange.response else None

    @property
    def succeeded(self) -> bool:
        """Whether the answer is a 2xx."""
        return self.status is not None and self.status // 100 == 2

    @property
    def is_refusal(self) -> bool:
        """Whether the model refused, in the way of the API: 200 with `stop_reason` `refusal`."""
        return self.succeeded and self.value("stop_reason") == "refusal"

    @cached_property
    def speaks(self) -> bool:
        """Whether the answer is whole and not put off, and the model did what was asked."""
        exchange = self.exchange
        return exchange.failure is None and exchange.until_met is not False and not self.throttled

    @cached_property
    def is_plain(self) -> bool:
        """Whether it speaks, and not of money either, so that every check may look at it."""
        return self.speaks and not self.unpaid

    @property
    def throttled(self) -> bool:
        """Whether the endpoint asks to come back later, which says nothing about the rest of it.

        What the upstream was asked for is the gateway's answer to it, and no sign of load.
        """
        if self.exchange.forwarded:
            return False
        if self.status == _UNAVAILABLE:
            return "retry-after" in self.headers
        return self.status in _LOADED

    @cached_property
    def unpaid(self) -> bool:
        """Whether the account ran out of money, or into a limit that its owner set."""
        if self.exchange.forwarded:
            return False
        if self.status == _PAYMENT_REQUIRED:
            return True
        message = self.value("error", "message") if self.status == _BAD_REQUEST else None
        return isinstance(message, str) and _LIMIT_OF_MONEY.search(message) is not None

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """Lower-case name → its lines, in the order of arrival."""
        lines: dict[str, list[str]] = {}
        for name, value in self.exchange.response.headers if self.exchange.response else ():
            lines.setdefault(name.lower(), []).append(value)
        return lines

    def header(self, name: str) -> str | None:
        """Return a header's lines, joined by commas; none when it is missing."""
        lines = self.headers.get(name.lower())
        return None if lines is None else ", ".join(lines)

    @cached_property
    def body(self) -> bytes:
        """The body without its content-coding; empty when there was no answer."""
        return self.exchange.response.body if self.exchange.response else b""

    @cached_property
    def body_text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        response = self.exchange.response
        if response is not None and response.base64 is None:
            return response.text or ""
        return self.body.decode(errors="replace")

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def is_sse(self) -> bool:
        """Whether the body is a stream of events: by its media type, or by its looks.

        All clients read a stream under a wrong media type, so the media type has its own check.
        """
        if self.exchange.response is None:
            return False
        if self.content_type == "text/event-stream" and self.succeeded:
            return True
        return looks_like_events(self.body)

    @cached_property
    def stream(self) -> SseStream:
        """The events; none when the body is no stream."""
        if not self.is_sse:
            return SseStream()
        return parse(self.body, self.exchange.timing.chunks)

    @cached_property
    def violations(self) -> list[StreamViolation]:
        """What is wrong with the stream; nothing when the body is none."""
        if not self.is_sse:
            return []
        exchange = self.exchange
        return grammar.violations(self.stream, exchange.failure, aborted=exchange.aborted)

    @cached_property
    def violations_by_kind(self) -> dict[str, list[StreamViolation]]:
        """The same violations, grouped, as each kind is judged by its own check."""
        grouped: dict[str, list[StreamViolation]] = {}
        for violation in self.violations:
            grouped.setdefault(str(violation.kind), []).append(violation)
        return grouped

    @cached_property
    def _decoded(self) -> tuple[Any, str]:
        """The document, and why there is none."""
        if self.exchange.response is None:
            failure = self.exchange.failure
            return NO_DOCUMENT, f"no answer: {failure.detail}" if failure else "no answer"
        if self.stream.events:
            message = rebuild(self.stream)
            if message is None:
                errors = (one for one in self.stream.documents if _is_error(one))
                message = next(errors, None)
            return (NO_DOCUMENT, "no event of a message") if message is None else (message, "")
        if not self.body:
            return NO_DOCUMENT, "an empty body"
        try:
            return decode(self.body), ""
        except NotJSONError as error:
            kind = self.content_type or "no content-type"
            return NO_DOCUMENT, f"{kind}, {error}: {shown(self.body_text)}"

    @property
    def document(self) -> Any:
        """The decoded JSON body, or the message that a stream adds up to, or `NO_DOCUMENT`.

        A stream that holds an error and nothing of a message gives the error.
        """
        return self._decoded[0]

    @property
    def has_document(self) -> bool:
        """Whether there is a document; JSON's null is one, too."""
        return self._decoded[0] is not NO_DOCUMENT

    @property
    def why_no_document(self) -> str:
        """What came instead of a document, in one clause."""
        return self._decoded[1]

    def value(self, *path: str | int) -> Any:
        """Return the value at a path of keys and positions; none when there is nothing."""
        value = self.document
        for key in path:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and -len(value) <= key:
                value = value[key] if key < len(value) else None
            else:
                return None
        return None if value is NO_DOCUMENT else value

    @cached_property
    def blocks(self) -> list[dict[str, Any]]:
        """The content blocks of the message that are objects."""
        content = self.value("content")
        if not isinstance(content, list):
            return []
        return [block for block in content if isinstance(block, dict)]

    @cached_property
    def text(self) -> str | None:
        """All text blocks, joined; none when the answer is no message."""
        if not isinstance(self.value("content"), list):
            return None
        texts = (block.get("text") for block in self.blocks if block.get("type") == "text")
        return "".join(text for text in texts if isinstance(text, str))

    @cached_property
    def event_data(self) -> list[tuple[int, Any]]:
        """The number and the data of each event whose data is JSON."""
        pairs = zip(self.stream.events, self.stream.documents, strict=True)
        return [(event.number, data) for event, data in pairs if data is not NOT_JSON]

    @cached_property
    def outcome(self) -> str:
        """Status and error in one line: `404 not_found_error: model: x`, `200 text/html`."""
        if self.status is None:
            return self.why_no_document
        error = self.value("error")
        target = self.header("location") if 300 <= self.status < 400 else None
        if target is not None:
            said = f"redirect to {target}"
        elif isinstance(error, dict):
            parts = [error.get("type"), error.get("message")]
            said = ": ".join(part for part in parts if isinstance(part, str))
        else:
            said = "" if self.has_document else self.content_type or "no content-type"
            if self.has_document and self.document and not self.succeeded:
                said = shown(self.document)
        return short(f"{self.status} {said}".rstrip())

    @cached_property
    def first_byte(self) -> float | None:
        """Seconds until the first byte of the body; without a body, until the head was there."""
        return next(iter(self._arrivals), self.exchange.timing.headers)

    @cached_property
    def silence(self) -> float:
        """The longest time without a byte once the body had begun, in seconds."""
        moments = [*self._arrivals, self.exchange.timing.total]
        return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)

    @cached_property
    def _arrivals(self) -> list[float]:
        return [at for at, length in self.exchange.timing.chunks if length]


def _is_error(document: Any) -> bool:
    return isinstance(document, dict) and "error" in document
