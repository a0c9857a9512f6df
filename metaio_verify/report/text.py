"""Text that a server wrote, made harmless, and numbers and words as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_LONGEST = 600
"""Characters of one server-made string in a report; the run record has all of it."""

_CLIENTS = {
    "any-client": "Any client",
    "claude-code": "Claude Code",
    "anthropic-sdk-python": "Python SDK",
    "anthropic-sdk-typescript": "TypeScript SDK",
    "claude-code-action": "Claude Code GitHub Action",
}
_VERSIONS = {">=": "{}+", "<=": "up to {}", ">": "after {}", "<": "before {}", "==": "{}"}
_CLIENT = re.compile(r"([A-Za-z][\w.@/-]*?)\s*(>=|<=|==|<|>)\s*([\w.]+)")

COMMAND = re.compile(r"(?<!\S):(?=:[A-Za-z])|#(?=#(?:vso|teamcity)?\[)")
"""How lines begin that GitHub obeys; and what GitHub, Azure and TeamCity obey within a line."""


def safe(text: str, limit: int = _LONGEST) -> str:
    r"""Return the text with everything written out that a terminal would act on.

    Control characters, terminal escapes, line breaks, bidirectional overrides, invisible
    characters and lone surrogates appear as `\n`, `\x1b`, `\u202e`; so does the first sign of what
    the log of a CI job would take for a command, `\x3a:error::` or `\x23#[error]`. What is longer
    than `limit` is cut and says how long it was. The result is one line and printable.
    """
    shown = text if len(text) <= limit else text[:limit]
    if not shown.isprintable():
        shown = "".join(map(_visible, shown))
    shown = without_commands(shown)
    return shown if len(text) <= limit else f"{shown}… ({len(text):,} characters)"


def without_commands(text: str) -> str:
    """Return the text with nothing alive in it that the log of a CI job obeys."""
    if "::" not in text and "##" not in text:
        return text
    return COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def client(name: str) -> str:
    """Return a client as a person calls it: `anthropic-sdk-python>=2` is Python SDK 2+."""
    if match := _CLIENT.fullmatch(name.strip()):
        base, sign, version = match.groups()
        return f"{_CLIENTS.get(base, base)} {_VERSIONS[sign].format(version)}"
    return _CLIENTS.get(name, name)


def clients(names: Sequence[str]) -> str:
    """Return several clients as a person calls them; a client in all its versions is named once."""
    left = list(names)
    for name in names:
        base, sign, version = name.partition(">=")
        if sign and (before := f"{base}<{version}") in left:
            left[left.index(name)] = base
            left.remove(before)
    return listed([client(name) for name in left])


def plural(count: int, singular: str, many: str = "") -> str:
    """Return `1 request`, `2 requests`, `1,431 tokens`."""
    return f"{count:,} {singular if count == 1 else many or singular + 's'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def seconds(value: float) -> str:
    """Return a duration as `0.4 s` or `2 min 5 s`."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def moment(started: str) -> datetime | None:
    """Return the time of a record in UTC; none when it is no RFC 3339 time."""
    try:
        time = datetime.fromisoformat(started)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def date(started: str) -> str:
    """Return the day of a record as `8 March 2026`."""
    time = moment(started)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}" if time else safe(started, 40)


# The month names of `strftime` depend on the machine's locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
