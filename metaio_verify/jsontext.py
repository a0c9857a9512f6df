"""JSON that can be shown: on a terminal and in the log of a CI job nothing in it is alive.

JSON leaves many signs as they are that a terminal acts on or that nobody sees, such as U+009B,
which begins a control sequence. Written as escapes they mean the same to every reader of JSON.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_ALIVE = re.compile(
    # One set of signs in front makes the search fast.
    "[#\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
    r"(?:(?<!#)|(?=#(?:vso|teamcity)?\[))"
)
"""Invisible signs, and the first one of what CI systems obey: `##[error]`, `##vso[…]`."""


def json_text(value: Any) -> str:
    """The value as indented JSON, with a final line break."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return _ALIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
