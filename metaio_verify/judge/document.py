"""Decoding the JSON of an answer: strictly, and so that nothing further on can stumble over it."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 90
"""Deeper documents are refused. A fixed bound keeps the verdict independent of the call stack."""

MAX_VALUES = 100_000
"""Documents of more values are refused: decoded, one may take thirty times its size."""

_LONGEST_INTEGER = 18
"""Digits of an integer that every reader takes as it is; a longer one becomes a float."""


class NotJSONError(ValueError):
    """The text is no JSON that a client could use; the message is one clause for a person."""


def decode(source: bytes | str) -> Any:
    """Decode JSON text as JavaScript would, which is stricter than Python's own reading.

    `NaN` and `Infinity` are refused, bytes must be UTF-8 (a byte order mark is dropped), and an
    escaped half of a surrogate pair becomes U+FFFD, as it cannot be written as UTF-8 again. Of a
    name that stands twice in an object the last value counts; long integers become floats.

    Raises:
        NotJSONError: with the reason, for instance `not JSON: Expecting value at character 0`.

    """
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        if text.count(",") > MAX_VALUES and _values(text) > MAX_VALUES:
            raise NotJSONError(f"more than {MAX_VALUES:,} values")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NotJSONError(
            f"not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"
        ) from None
    except json.JSONDecodeError as error:
        raise NotJSONError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotJSONError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise NotJSONError(f"not JSON: {error}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise NotJSONError(f"nested deeper than {MAX_DEPTH} levels")
    return _mended(value) if "\\u" in text else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def _values(text: str) -> int:
    """About how many values there are: commas outside of strings."""
    return text.count(",") - sum(found[0].count(",") for found in _STRING.finditer(text))


def _depth(value: Any) -> int:
    depth = 0
    level = [value]
    while level:
        depth += 1
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return depth


def _mended(value: Any) -> Any:
    """Return the value with lone surrogates replaced by U+FFFD."""
    match value:
        case str():
            if value.isascii():
                return value
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {_mended(key): _mended(item) for key, item in value.items()}
        case _:
            return value
