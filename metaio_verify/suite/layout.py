"""JSON and other code in the width of a page: what fits stands on one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_BEHIND = " ,;&}]"
"""Signs behind which a long line is broken."""


def laid_out(value: Any, width: int = 72) -> list[str]:
    """JSON, indented by two, with every list and mapping that fits on one line."""
    return list(_lines(value, "", "", width))


def _lines(value: Any, start: str, indent: str, width: int) -> Iterator[str]:
    flat = f"{indent}{start}{json.dumps(value, ensure_ascii=False)}"
    if len(flat) <= width or not value or not isinstance(value, (dict, list)):
        yield flat
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield f"{indent}{start}{opening}"
    items = (
        [(f"{json.dumps(key, ensure_ascii=False)}: ", item) for key, item in value.items()]
        if isinstance(value, dict)
        else [("", item) for item in value]
    )
    for number, (key, item) in enumerate(items, start=1):
        *first, last = _lines(item, key, f"{indent}  ", width - 1)
        yield from first
        yield f"{last}{',' if number < len(items) else ''}"
    yield f"{indent}{closing}"


def broken(line: str, width: int, indent: str = "") -> Iterator[str]:
    """A line of code in pieces that fit; the rest stands deeper than its beginning."""
    own = len(line) - len(line.lstrip(" "))
    rest, lead = line.strip(" "), indent + " " * own
    further = f"{lead}  "
    while len(lead) + len(rest) > width > len(further) + 1:
        room = width - len(lead)
        end = max(rest.rfind(sign, 0, room) for sign in _BEHIND) + 1
        end = end if end > room // 2 else room
        yield f"{lead}{rest[:end].rstrip(' ')}"
        rest, lead = rest[end:].lstrip(" "), further
    yield f"{lead}{rest}".rstrip(" ")
