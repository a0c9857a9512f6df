"""What a single event of a stream says it is: its name, its data and its type."""

from __future__ import annotations

from typing import Any, NamedTuple

from metaio_verify.judge.blocks import Report
from metaio_verify.judge.sse import NOT_JSON, RawEvent
from metaio_verify.judge.violation import Violation
from metaio_verify.judge.wording import quote, short, shown

KNOWN = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    }
)


class Reading(NamedTuple):
    """What an event is for, and its data as far as it can be relied on."""

    kind: str
    data: dict[str, Any] | None
    """None: the event could not be read, so nothing more is asked of it."""


def read(event: RawEvent, document: Any, report: Report) -> Reading | None:
    """Report what is wrong with an event as such, and return what it most likely stands for.

    Pings, sentinels and events of unknown types return none: they are not part of the message.
    """
    number = event.number
    if not event.valid_utf8 or _has_replacement(event.data, document):
        actual = shown(event.data) if event.valid_utf8 else "invalid UTF-8"
        report(Violation.BAD_CHARACTER, number, "whole characters", actual)
    stated = document.get("type") if isinstance(document, dict) else None
    if "ping" in (event.name, stated):
        _check_ping(event, stated, report)
        return None
    text = event.data.strip()
    if text == "[DONE]":
        kind = Violation.NAMED_DONE_SENTINEL if event.name else Violation.DONE_SENTINEL
        report(kind, number, "no [DONE]", f"event: {short(event.name or '(none)')}, data: [DONE]")
        return None
    if not isinstance(document, dict):
        actual = shown(event.data) if text else "no data"
        kind = Violation.BAD_DATA if text else Violation.EMPTY_DATA
        report(kind, number, "a JSON object as data", actual)
        return Reading(event.name, None) if event.name in KNOWN else None
    if isinstance(stated, str):
        return _typed(event, stated, document, report)
    return _untyped(event, document, report)


def _typed(
    event: RawEvent, stated: str, document: dict[str, Any], report: Report
) -> Reading | None:
    name = event.name
    if name == stated:
        if stated in KNOWN:
            return Reading(stated, document)
        report(Violation.UNKNOWN_EVENT, event.number, "a documented event type", short(stated))
        return None
    if name == "error" and stated not in KNOWN:
        return _misshapen_error(event, report)
    expected = f"event: {short(stated)}"
    if name is None:
        report(Violation.UNNAMED_EVENT, event.number, expected, "no event line")
    else:
        report(Violation.NAME_MISMATCH, event.number, expected, f"event: {short(name)}")
    kind = stated if stated in KNOWN else name
    return Reading(kind, document) if kind in KNOWN else None


def _untyped(event: RawEvent, document: dict[str, Any], report: Report) -> Reading | None:
    name = event.name
    if name == "error" or (name is None and "error" in document):
        return _misshapen_error(event, report)
    if name is None:
        report(Violation.UNNAMED_EVENT, event.number, "an event line and a type", shown(document))
        return None
    report(
        Violation.NAME_MISMATCH, event.number, f'"type": {shown(name)} in the data', shown(document)
    )
    return Reading(name, document) if name in KNOWN else None


def _misshapen_error(event: RawEvent, report: Report) -> Reading:
    """Report a failure that is not written as an error event; it still ends the message."""
    expected = 'event: error, data: {"type": "error", …}'
    report(Violation.ERROR_EVENT_SHAPE, event.number, expected, short(event.data))
    return Reading("error", None)


def _check_ping(event: RawEvent, stated: Any, report: Report) -> None:
    number, name = event.number, event.name
    if name is None:
        report(Violation.UNNAMED_EVENT, number, "event: ping", "no event line")
    elif name != "ping":
        report(Violation.NAME_MISMATCH, number, "event: ping", f"event: {short(name)}")
    elif stated != "ping":
        report(Violation.BAD_PING, number, '{"type": "ping"}', short(event.data) or "no data")


def _has_replacement(text: str, document: Any) -> bool:
    """Tell whether a string of the data holds U+FFFD, written out or escaped."""
    if "\ufffd" in text:
        return True
    return "\\u" in text and document is not NOT_JSON and "\ufffd" in quote(document)
