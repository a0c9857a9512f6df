"""How mistakes are worded: what was found, shown safely, and the nearest right word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_SHOWN = 60


def quote(value: object, longest: int = _SHOWN) -> str:
    """A word of the user's between backticks: on one line, harmless on a terminal, not long."""
    text = str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return f"`{printable(text)}`"


def printable(text: str) -> str:
    """The text with everything written out that a terminal would act on, line ends too."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def found(value: Any) -> str:
    """A value of a check file, as it is named in a complaint."""
    match value:
        case None:
            return "null"
        case bool():
            return f"the truth value `{str(value).lower()}`"
        case int() | float():
            return f"the number {quote(value)}"
        case str():
            return f"the text {quote(value)}"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def listing(words: Iterable[object], joint: str = "or") -> str:
    """`a`, `b` or `c`."""
    *some, last = [quote(word) for word in words]
    return f"{', '.join(some)} {joint} {last}" if some else last


def suggest(word: str, choices: Iterable[str]) -> str:
    """The hint for an unknown word: the nearest right one, or all of them when they are few."""
    import difflib  # noqa: PLC0415 - only mistakes need it

    known = list(choices)
    folded = {choice.lower().replace("_", "-"): choice for choice in reversed(known)}
    near = difflib.get_close_matches(word.lower().replace("_", "-"), folded, n=1)
    if near:
        return f"Did you mean {quote(folded[near[0]])}?"
    few = 12
    return f"Known: {listing(sorted(known), 'and')}." if 0 < len(known) <= few else ""
