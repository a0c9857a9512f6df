"""What was filled into a request, put into the matchers that judge its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"(\$?)\$\{([^{}]*)\}")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}/]")


def fill(matcher: Any, values: Mapping[str, str]) -> Any:
    """Return the matcher with `${token}`, `${token:NAME}` and `${model}` replaced.

    Below the key `pattern` a value is escaped, as it is meant literally there. `$${` stands for
    a literal `${`; a reference that has no value stays as it is.
    """
    match matcher:
        case str():
            return _filled(matcher, values)
        case list():
            return [fill(item, values) for item in matcher]
        case dict():
            return {
                key: _filled(item, values, escape=True)
                if key == "pattern" and isinstance(item, str)
                else fill(item, values)
                for key, item in matcher.items()
            }
        case _:
            return matcher


def _filled(text: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    def value(reference: re.Match[str]) -> str:
        literal, name = reference.groups()
        if literal:
            return reference[0][1:]
        found = values.get(name)
        if found is None:
            return reference[0]
        return _SPECIAL.sub(r"\\\g<0>", found) if escape else found

    return _REFERENCE.sub(value, text)
