"""YAML as data with positions: the reader that check files of others go through.

The dialect is small on purpose. Plain scalars mean what they mean in YAML 1.2, so `on:` is a key
and `2023-06-01` is text; tags, several documents and keys that are not text are refused. Size,
depth and aliases are bounded, so a hostile file costs no more than a long one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml

from metaio_verify.errors import Place, Problem
from metaio_verify.suite.words import printable, quote

MAX_DEPTH = 64
MAX_NODES = 100_000
"""How many values a file may hold with every alias written out."""

_LARGEST = 2**53
"""Beyond this JSON readers disagree about a whole number."""

_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL = re.compile(r"~|null|Null|NULL|")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SURROGATE = re.compile("[\ud800-\udfff]")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FastLoader(_Base):  # type: ignore[misc] # one of two loaders, known at run time only
    """PyYAML's own loader with the same dialect, for files that are known to be good."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 # PyYAML declares it on the instance


for _tag, _pattern, _first in (
    ("bool", _BOOL, "tTfF"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("merge", re.compile("<<"), "<"),
):
    FastLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern.pattern})\Z"), list(_first)
    )
FastLoader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))
FastLoader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(node.value))

Scalar: TypeAlias = str | int | float | bool | None


class Node(NamedTuple):
    """A value of the file and where it stands; lines and columns count from 1."""

    line: int
    column: int
    value: Scalar | list[Node] | dict[str, Entry]
    size: int
    """How many values it holds with every alias written out, itself included."""

    def plain(self) -> Any:
        """The value as JSON data."""
        match self.value:
            case dict() as entries:
                return {key: entry.node.plain() for key, entry in entries.items()}
            case list() as items:
                return [item.plain() for item in items]
        return self.value


class Entry(NamedTuple):
    """A key of a mapping, where it stands, and its value."""

    line: int
    column: int
    node: Node


class _Refusal(Exception):  # noqa: N818 # not an error: the end of the reading, with its reason
    """The rest of the file cannot be read."""

    def __init__(self, message: str, mark: Any, hint: str = "") -> None:
        self.message, self.mark, self.hint = message, mark, hint


class _Open:
    """A list or mapping whose end has not been read."""

    def __init__(self, mark: Any, anchor: str | None, value: list[Node] | dict[str, Entry]) -> None:
        self.mark = mark
        self.anchor = anchor
        self.value = value
        self.size = 1
        self.key: Any = None
        """The event of the key whose value comes next."""
        self.merged: list[Node] = []


CHECK_FILE = "a check file"

_OWN_DEPTH = "maximum nesting depth"
"""Some releases of libyaml have a bound of their own, which they meet while they look ahead."""


def parse(
    text: str, path: str, kind: str = CHECK_FILE, loader: Any = _Base
) -> tuple[Node | None, list[Problem]]:
    """The document of a YAML text, and every mistake; no document when it cannot be read at all.

    `kind` is what the complaints call the file. One with nothing in it is a mistake in a check
    file only. What libyaml finds too deep goes through the parser in Python, which stops at
    `MAX_DEPTH`: so the same mistake is told, whatever release is installed.
    """
    bad = _UNPRINTABLE.search(text)
    if bad:
        before = text[: bad.start()]
        place = Place(path, before.count("\n") + 1, bad.start() - before.rfind("\n"))
        return None, [Problem(f"the character U+{ord(bad[0]):04X} is not allowed in YAML", place)]
    composer = _Composer(path, kind)
    try:
        root = composer.compose(yaml.parse(text, Loader=loader))
    except _Refusal as refusal:
        composer.report(refusal.message, refusal.mark, refusal.hint)
        return None, composer.problems
    except yaml.MarkedYAMLError as error:
        if loader is not yaml.SafeLoader and _OWN_DEPTH in str(error.problem):
            return parse(text, path, kind, yaml.SafeLoader)
        composer.report(*_explain(error))
        return None, composer.problems
    if root is None and kind == CHECK_FILE:
        composer.problems.append(
            Problem("the file is empty", Place(path), "A check file holds `probes:` and `checks:`.")
        )
    return root, composer.problems


def _explain(error: yaml.MarkedYAMLError) -> tuple[str, Any, str]:
    """PyYAML's complaint as message, mark and hint."""
    message = ", ".join(part for part in (error.context, error.problem) if part)
    hint = ""
    if "cannot start any token" in message:
        hint = "YAML indents with spaces, never with tabs; text that starts with @ or ` is quoted."
    elif "mapping values are not allowed" in message:
        hint = "Text that holds a colon and a space has to be quoted."
    return f"not valid YAML: {printable(message)}", error.problem_mark or error.context_mark, hint


class _Composer:
    """Builds nodes from the events of PyYAML's parser, without recursion."""

    def __init__(self, path: str, kind: str) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._kind = kind
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None
        self._documents = 0
        self._size = 0

    def report(self, message: str, mark: Any, hint: str = "") -> None:
        place = Place(self._path, mark.line + 1, mark.column + 1) if mark else Place(self._path)
        self.problems.append(Problem(message, place, hint))

    def compose(self, events: Iterator[Any]) -> Node | None:
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise _Refusal(f"{self._kind} is one YAML document", event.start_mark)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.SequenceStartEvent():
                    self._open(event, [])
                case yaml.MappingStartEvent():
                    self._open(event, {})
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close()
                case yaml.AliasEvent():
                    self._alias(event)
        return self._root

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].key is None and self._in_mapping()

    def _in_mapping(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict)

    def _open(self, event: Any, value: list[Node] | dict[str, Entry]) -> None:
        self._refuse_tag(event)
        if self._expects_key():
            raise _Refusal("a key must be text, not a list or a mapping", event.start_mark)
        if len(self._stack) == MAX_DEPTH:
            raise _Refusal(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        self._stack.append(_Open(event.start_mark, event.anchor, value))

    def _scalar(self, event: Any) -> None:
        self._refuse_tag(event)
        if _SURROGATE.search(event.value):
            raise _Refusal("half of a surrogate pair is not a character", event.start_mark)
        mark = event.start_mark
        value = self._resolve(event)
        if not self._expects_key():
            self._add(Node(mark.line + 1, mark.column + 1, value, 1), event.anchor, mark)
            return
        if not isinstance(value, str):
            self.report(f"a key must be text: {quote(event.value)}", mark, "Put it in quotes.")
        self._stack[-1].key = event

    def _resolve(self, event: Any) -> Scalar:
        text: str = event.value
        if event.style:  # quoted, or a block of text
            return text
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text[0] in "tT"
        number: float | None = None
        if _INT.fullmatch(text) and len(text) < len(str(_LARGEST)) * 2:
            number = int(text)
        elif _FLOAT.fullmatch(text):
            number = float(text)
        if number is None:
            return text
        if abs(number) > _LARGEST:
            self.report("the number is too large for JSON", event.start_mark, "Quote it.")
        return number

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.report(
                f"YAML tags are not allowed: {quote(tag)}",
                event.start_mark,
                f"{self._kind.capitalize()} is plain data. Quote a value that has to be text.",
            )

    def _alias(self, event: Any) -> None:
        target = self._anchors.get(event.anchor)
        if target is None:
            raise _Refusal(
                f"unknown anchor {quote(f'*{event.anchor}')}",
                event.start_mark,
                "An anchor is set with `&` above its use and cannot hold itself.",
            )
        if self._expects_key():
            raise _Refusal("a key must be text, not an alias", event.start_mark)
        self._add(target, None, event.start_mark)

    def _add(self, node: Node, anchor: str | None, mark: Any) -> None:
        self._size += node.size
        if self._size > MAX_NODES:
            raise _Refusal(
                f"more than {MAX_NODES} values", mark, "Aliases count as what they stand for."
            )
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.size += node.size
        if isinstance(parent.value, list):
            parent.value.append(node)
        else:
            self._put(parent, parent.value, node)

    def _put(self, parent: _Open, entries: dict[str, Entry], node: Node) -> None:
        assert parent.key is not None
        event, parent.key = parent.key, None
        key, mark = event.value, event.start_mark
        if key == "<<" and not event.style:
            self._merge(parent, node, mark)
        elif key in entries:
            first = entries[key]
            self.report(
                f"duplicate key {quote(key)}", mark, f"It stands already in line {first.line}."
            )
        else:
            entries[key] = Entry(mark.line + 1, mark.column + 1, node)

    def _merge(self, parent: _Open, node: Node, mark: Any) -> None:
        parts = node.value if isinstance(node.value, list) else [node]
        if all(isinstance(part.value, dict) for part in parts):
            parent.merged += parts
        else:
            self.report("`<<` takes a mapping or a list of mappings", mark)

    def _close(self) -> None:
        done = self._stack.pop()
        value = done.value
        if done.merged and isinstance(value, dict):
            # What stands here itself wins, then the first of several merged mappings.
            own, value = value, {}
            for part in reversed(done.merged):
                assert isinstance(part.value, dict)
                value.update(part.value)
            value.update(own)
        node = Node(done.mark.line + 1, done.mark.column + 1, value, done.size)
        self._size -= done.size - 1  # its parts were counted when they were added
        self._add(node, done.anchor, done.mark)
