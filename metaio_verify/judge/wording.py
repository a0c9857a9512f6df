"""How values and JSON Schemas read in a finding: short, on one line, safe for a terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

LONGEST = 200
"""Characters of evidence that a finding quotes."""


_PREVIEW = 20 * LONGEST


def quote(value: Any) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def short(text: str, longest: int = LONGEST) -> str:
    """Cut a long text and make visible what could otherwise steer a terminal."""
    if len(text) > longest:
        text = f"{text[:longest].rstrip()}… ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shown(value: Any) -> str:
    """Return a value of the evidence as a finding shows it."""
    if isinstance(value, str) and len(value) > _PREVIEW:
        # Writing out megabytes to show the first words of them would be slow.
        return f"{short(quote(value[:LONGEST]))[:LONGEST]}… ({len(value)} characters)"
    return short(quote(value))


def shown_path(location: tuple[str | int, ...], root: str = "$") -> str:
    """Return a location as JSONPath: `$.content[0].input`, brackets only where they are needed."""
    parts = [root]
    for key in location:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif key.isidentifier() and key.isascii():
            parts.append(f".{key}")
        else:
            parts.append(f"[{_path_key(key)}]")
    return "".join(parts)


def _path_key(key: str) -> str:
    return "'" + short(key).replace("\\", "\\\\").replace("'", "\\'") + "'"


def described(matcher: Any) -> str:
    """Say in a few words what a matcher wants: a value, or what a JSON Schema allows."""
    if not isinstance(matcher, dict):
        return "any value" if matcher is True else shown(matcher)
    silent = _SILENT | ({"type"} if matcher.keys() & {"const", "enum"} else set())
    parts = [keyword(key, value) for key, value in matcher.items() if key not in silent]
    return short(", ".join(parts)) if parts else "any value"


_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}


def keyword(key: str, value: Any) -> str:
    """Say what one keyword of a JSON Schema asks for."""
    if key in _PHRASES:
        return short(_PHRASES[key].format(value))
    words = _NESTED[key](value) if key in _NESTED else f"{key} {quote(value)}"
    return short(words)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_NESTED: dict[str, Callable[[Any], str]] = {
    "type": lambda names: " or ".join(_TYPES.get(name, str(name)) for name in _listed(names)),
    "const": shown,
    "enum": lambda options: "one of " + ", ".join(map(quote, _listed(options))),
    "anyOf": lambda options: " or ".join(map(described, _listed(options))),
    "oneOf": lambda options: " or ".join(map(described, _listed(options))),
    "allOf": lambda options: ", ".join(map(described, _listed(options))),
    "not": lambda schema: f"not {described(schema)}",
    "items": lambda schema: f"each item {described(schema)}",
    "contains": lambda schema: f"an item that is {described(schema)}",
    "required": lambda names: f"with {', '.join(map(str, _listed(names)))}",
}

_PHRASES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "a length of at least {}",
    "maxLength": "a length of at most {}",
    "minItems": "a length of at least {}",
    "maxItems": "a length of at most {}",
    "minProperties": "at least {} fields",
    "maxProperties": "at most {} fields",
    "pattern": "text matching /{}/",
    "format": "a {}",
    "$ref": "a valid {}",
}

_SILENT = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default"}
