"""Does a file have the keys and types of the model? Every deviation, not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from metaio_verify.suite.model import CheckFile
from metaio_verify.suite.source import Flaw, Path
from metaio_verify.suite.syntax import Node
from metaio_verify.suite.words import found, listing, quote, suggest


def flaws(root: Node, model: type = CheckFile) -> Iterator[Flaw]:
    """What msgspec would refuse in a file, in words and without stopping at the first."""
    yield from _flaws(root, inspect.type_info(model), ())


def _flaws(node: Node, type_: inspect.Type, path: Path) -> Iterator[Flaw]:
    fitting = next((t for t in _alternatives(type_) if _fits(node.value, t)), None)
    match fitting, node.value:
        case None, value:
            yield _wrong_type(value, type_, path)
        case inspect.StructType() as struct, dict() as entries:
            fields = {field.encode_name: field for field in struct.fields if field.name != "id"}
            yield from _key_flaws(fields, set(entries), path)
            for key in fields.keys() & entries.keys():
                yield from _flaws(entries[key].node, fields[key].type, (*path, key))
        case inspect.DictType(value_type=inner), dict() as entries:
            for key, entry in entries.items():
                yield from _flaws(entry.node, inner, (*path, key))
        case inspect.ListType(item_type=inner), list() as items:
            for index, item in enumerate(items):
                yield from _flaws(item, inner, (*path, index))
        case inspect.EnumType(cls=cls), value if value not in [str(word) for word in cls]:
            hint = suggest(str(value), map(str, cls))
            yield Flaw(path, f"{quote(value)} is not possible", hint)


def _key_flaws(fields: dict[str, inspect.Field], given: set[str], path: Path) -> Iterator[Flaw]:
    missing = [key for key, field in fields.items() if field.required and key not in given]
    for key in given - fields.keys():
        near = suggest(key, [name for name in fields if name not in given])
        if key == "id":
            near = "The id is the key that it stands under."
        yield Flaw(path, f"unknown key {quote(key)}", near, key)
    if missing:
        yield Flaw(path, f"{listing(missing, 'and')} missing", lacks=True)


def _wrong_type(value: Any, type_: inspect.Type, path: Path) -> Flaw:
    wanted = " or ".join(_name(t) for t in _alternatives(type_))
    hint = ""
    types = _alternatives(type_)
    if any(isinstance(t, inspect.StrType) for t in types) and isinstance(value, (bool, int, float)):
        hint = "Put it in quotes."
    elif any(isinstance(t, inspect.ListType) for t in types) and isinstance(value, str):
        hint = "Write a list with one item: put it in square brackets."
    return Flaw(path, f"must be {wanted}, not {found(value)}", hint)


def _alternatives(type_: inspect.Type) -> tuple[inspect.Type, ...]:
    return type_.types if isinstance(type_, inspect.UnionType) else (type_,)


def _fits(value: Any, type_: inspect.Type) -> bool:
    """Whether a value is of the right kind, whatever it holds."""
    match type_:
        case inspect.AnyType():
            return True
        case inspect.NoneType():
            return value is None
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case inspect.StrType() | inspect.EnumType():
            return isinstance(value, str)
        case inspect.ListType():
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _name(type_: inspect.Type) -> str:
    match type_:
        case inspect.NoneType():
            return "null"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.StrType():
            return "text"
        case inspect.EnumType(cls=cls):
            return listing(map(str, cls))
        case inspect.ListType():
            return "a list"
        case _:
            return "a mapping"
