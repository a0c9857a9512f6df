"""Bodies as a person reads them: indented if they are JSON, bounded, and without control signs."""

from __future__ import annotations

import json

import msgspec
from msgspec import Struct

from metaio_verify.record import Received, StreamEvent
from metaio_verify.report.text import plural, safe

_LARGEST = 1_000_000
"""Characters above which a text is not indented."""
_HEX = 48


class Body(Struct, frozen=True):
    """A text of several lines that is safe to show."""

    text: str
    note: str = ""
    """What was left out; mostly empty."""


def shown(text: str, limit: int) -> Body:
    """Return a body, cut after so many characters; the run record has all of it."""
    pretty = _indented(text)
    lines = [safe(line, limit) for line in pretty[:limit].split("\n")]
    left = len(pretty) - limit
    note = f"{plural(left, 'more character')} in the run record" if left > 0 else ""
    return Body("\n".join(lines), note)


def answered(response: Received, limit: int) -> Body:
    """Return the body of an answer; one that is no text as the first of its bytes."""
    if response.base64 is None:
        return shown(response.text or "", limit)
    body = response.body
    note = f"{plural(len(body), 'byte')} that are no UTF-8 text"
    return Body(body[:_HEX].hex(" "), f"{note}; the first {_HEX} are shown")


def event(one: StreamEvent, limit: int) -> str:
    """Return what a server-sent event holds, in one line."""
    if isinstance(one.data, str):
        return safe(one.data, limit)
    try:
        return safe(json.dumps(one.data, ensure_ascii=False, separators=(",", ":")), limit)
    except (ValueError, RecursionError):
        return "(nested too deeply to be shown)"


def _indented(text: str) -> str:
    """Indent JSON without reading it: keys that come twice and numbers stay as they are."""
    if not text.lstrip().startswith(("{", "[")) or len(text) > _LARGEST:
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
