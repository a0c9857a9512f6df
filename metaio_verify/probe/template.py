"""Filling `${…}` references of a probe: the model, tokens, filler text and captured values."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import json

from metaio_verify.marker import Mark

MOST = 64 * 2**20
"""Bytes that one request may take in memory when it is filled, roughly."""
_OVERHEAD = 64
"""Bytes that a value takes besides its text."""

_REFERENCE = re.compile(r"\$\$\{|\$\{([^${}]*)\}")
_ALPHABET = string.ascii_uppercase + string.digits
FOR_EACH, SEND, EACH = "for-each", "send", "each"
"""The keys of an item of a list that stands for several, and the name of what differs in them."""
_FILLER = "The quick brown fox jumps over the lazy dog. "


class TooLargeError(Exception):
    """What a check file makes of the values of an answer is more than any request needs."""


class _Meter:
    """Counts what is put in, so that lists of lists of an answer cannot fill all memory."""

    def __init__(self) -> None:
        self._left = MOST

    def text(self, text: str) -> str:
        """The text, once it is counted."""
        self._left -= _OVERHEAD + len(text)
        if self._left < 0:
            raise TooLargeError(f"the request would take more than {MOST:,} bytes")
        return text

    def take(self, value: Any) -> Any:
        """The value, once it is counted."""
        open_values = [value]
        while open_values:
            one = open_values.pop()
            self.text(one if isinstance(one, str) else "")
            if isinstance(one, dict):
                open_values += [*one, *one.values()]
            elif isinstance(one, list | tuple):
                open_values += one
        return value


def new_token() -> str:
    """A text that no model and no cache can guess: `VERIFY-` and eight of A–Z, 0–9."""
    return "VERIFY-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def references(value: Any) -> Iterator[str]:
    """The name of each reference in a JSON value, in order."""
    # One search over its JSON is several times as fast as a walk; names need no escapes there.
    text = value if isinstance(value, str) else json.encode(value, enc_hook=str).decode()
    return (found[1] for found in _REFERENCE.finditer(text) if found[1] is not None)


def fill(value: Any, lookup: Callable[[str], Any]) -> Any:
    """The value with each reference replaced by what `lookup` gives for its name.

    A string that is one reference becomes the value itself; inside longer text it is inserted as
    text. `$${` stands for a plain `${`. In a list, `{for-each: LIST, send: ITEM}` becomes as many
    items as the list has values, each of them with its value for `${each}`.

    Raises:
        TooLargeError: the result would take more than `MOST` bytes.

    """
    return _filled(value, lookup, _Meter())


def _filled(value: Any, lookup: Callable[[str], Any], meter: _Meter) -> Any:
    # Nearly all of a request is plain text, so that comes first, and a `match` would be slower.
    if isinstance(value, str):
        return _fill_text(value, lookup, meter) if "${" in value else meter.text(value)
    if isinstance(value, dict):
        return {
            _filled(key, lookup, meter): _filled(item, lookup, meter) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [filled for item in value for filled in _items(item, lookup, meter)]
    return meter.take(value)


def _items(item: Any, lookup: Callable[[str], Any], meter: _Meter) -> list[Any]:
    """What one item of a list becomes: itself, or as many as its `for-each` has values."""
    if not isinstance(item, dict) or item.keys() != {FOR_EACH, SEND}:
        return [_filled(item, lookup, meter)]
    values = _filled(item[FOR_EACH], lookup, meter)
    return [
        _filled(item[SEND], _with_each(value, lookup), meter)
        for value in (values if isinstance(values, list) else [values])
    ]


def _with_each(value: Any, lookup: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda name: value if name == EACH else lookup(name)


def _fill_text(text: str, lookup: Callable[[str], Any], meter: _Meter) -> Any:
    meter.text(text)
    whole = _REFERENCE.fullmatch(text)
    if whole and whole[1] is not None:
        return meter.take(lookup(whole[1]))
    return _REFERENCE.sub(lambda m: "${" if m[1] is None else str(meter.take(lookup(m[1]))), text)


class Values:
    """The values of one probe and model; tokens are made on first use and remembered."""

    def __init__(
        self, model: str, captured: Mapping[str, Mapping[str, Any]], script: str = ""
    ) -> None:
        self.used: dict[str, str] = {}
        self._model = model
        self._captured = captured
        self._script = script

    def __call__(self, name: str) -> Any:
        """The value of a reference; `KeyError` for a capture that is not there."""
        if name == "model":
            self.used["model"] = self._model
            return self._model
        if name == "token" or name.startswith("token:"):
            return self.used.setdefault(name, new_token())
        if name == "upstream":
            return str(Mark(self("token"), self._script))
        if name.startswith("filler:"):
            size = int(name.removeprefix("filler:"))
            return (_FILLER * (size // len(_FILLER) + 1))[:size]
        probe, _, capture = name.partition(".")
        return self._captured[probe][capture]
