"""Matchers: a scalar or a list stands for equality, a mapping is a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from metaio_verify.judge.values import fill
from metaio_verify.judge.wording import described, keyword, short, shown

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The named schemas of a suite; a schema may refer to another one by `$ref: NAME`."""

_BASE = "schema:///"
_MOST = 5
"""So many deviations of one value are shown; more of the same help nobody."""


class Deviation(NamedTuple):
    """Where, below the value that was matched, something else was expected."""

    location: tuple[str | int, ...]
    expected: str
    actual: str


def deviations(
    matcher: Any, value: Any, schemas: Schemas, values: Mapping[str, str] | None = None
) -> list[Deviation]:
    """Return how a value deviates from a matcher; nothing when it matches.

    Args:
        matcher: a scalar, a list, or a JSON Schema
        value: decoded JSON
        schemas: the named schemas that `$ref` may name
        values: what `${…}` in the matcher stands for

    """
    if not isinstance(matcher, dict):
        wanted = fill(matcher, values) if values else matcher
        return [] if same(wanted, value) else [Deviation((), shown(wanted), shown(value))]
    text = json.dumps(matcher)
    if values and "${" in text:
        text = json.dumps(fill(matcher, values))
    validator = _validator(text, _Identity(schemas))
    if validator.is_valid(value):
        return []
    found: list[Deviation] = []
    for error in validator.iter_errors(value):
        if len(found) == _MOST:
            break
        found.append(_deviation(error, value))
    return found


def check_matcher(matcher: Any, schemas: Schemas) -> None:
    """Make sure that a matcher can be used.

    Raises:
        ValueError: a mapping is no JSON Schema, or refers to a schema that does not exist.

    """
    if isinstance(matcher, dict):
        _validator(json.dumps(matcher), _Identity(schemas))


def same(one: Any, other: Any) -> bool:
    """Compare JSON values; unlike in Python `true` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


class _Identity:
    """Makes a mapping usable as a cache key: it is the same only as itself."""

    __slots__ = ("schemas",)

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas

    def __hash__(self) -> int:
        return id(self.schemas)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self.schemas is other.schemas


@lru_cache(maxsize=4096)
def _validator(text: str, identity: _Identity) -> Validator:
    """Compile a schema once. Nothing but the suite's own schemas is ever looked up for `$ref`."""
    import jsonschema_rs  # noqa: PLC0415 - a large library, of no use to most commands

    schemas = identity.schemas

    def retrieve(uri: str) -> Any:
        name = uri.removeprefix(_BASE)
        return schemas[name] if uri != name and name in schemas else _refuse(uri)

    try:
        return jsonschema_rs.validator_for(
            json.loads(text), base_uri=_BASE, retriever=retrieve, validate_formats=True
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not a schema of this suite")


def _deviation(error: ValidationError, root: Any) -> Deviation:
    location, value = _located(error.instance_path, root)
    kind = error.kind.as_dict()
    match error.kind.name:
        case "required":
            missing = kind["property"]
            return Deviation((*location, missing), "a value", "missing")
        case "falseSchema" | "unevaluatedProperties":
            return Deviation(location, "no further fields", shown(value))
        case "propertyNames":
            return Deviation(location, "other field names", short(error.message))
        case "uniqueItems":
            return Deviation(location, "items that all differ", shown(value))
        case name:
            return Deviation(location, " or ".join(_wants(error, name, kind)), shown(value))


def _located(path: Iterable[str | int], root: Any) -> tuple[tuple[str | int, ...], Any]:
    """Follow a path of the validator, which takes a name of nothing but digits for an index."""
    location: list[str | int] = []
    value = root
    for step in path:
        key = step
        if isinstance(value, dict) and isinstance(step, int):
            numbers = (name for name in value if name.removeprefix("+").isdecimal())
            key = next(name for name in numbers if int(name) == step)
        location.append(key)
        value = value[key]
    return tuple(location), value


def _wants(error: ValidationError, name: str, kind: dict[str, Any]) -> Iterator[str]:
    """Say what a failed keyword asks for; for alternatives, what each of them does."""
    match name:
        case "anyOf" | "oneOf" if any(kind["context"]):
            depth = len(error.instance_path)
            wants = [_first(branch, depth) for branch in kind["context"] if branch]
            yield from dict.fromkeys(wants)
        case "anyOf" | "oneOf":
            yield "exactly one of several forms"
        case "type":
            yield keyword("type", kind["types"])
        case "const":
            yield shown(kind["expected_value"])
        case "enum":
            yield keyword("enum", kind["options"])
        case "not":
            yield short(f"not {described(kind['schema'])}")
        case "contains":
            yield "an item as described"
        case _ if len(kind) == 1:
            yield keyword(name, next(iter(kind.values())))
        case _:
            yield short(error.message)


def _first(branch: list[ValidationError], depth: int) -> str:
    """Say what one alternative would have needed, at a place below the value in question."""
    error = branch[0]
    kind = error.kind.as_dict()
    if error.kind.name == "required":
        want = f"with {kind['property']}"
    else:
        want = " or ".join(_wants(error, error.kind.name, kind))
    inside = ".".join(map(str, error.instance_path[depth:]))
    return f"{inside} {want}" if inside else want
