"""JSONPath (RFC 9535), as check files use it.

Most paths are names, positions and one comparison. These are read here, which saves loading the
JSONPath library (50 ms) and is several times faster; every other path goes to the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

Location: TypeAlias = tuple[str | int, ...]


class Node(NamedTuple):
    """A value and where it stands."""

    location: Location
    value: Any


Query: TypeAlias = Callable[[Any], list[Node]]
_Step: TypeAlias = Callable[[Node], Iterable[Node]]

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_TEXT = r"[^'\"\\\x00-\x1f]*"
_PLAIN = r"[^'\"\\\x00-\x1f,]*"
_SEGMENT = re.compile(
    rf"""  \.(?P<name>{_NAME})
        |  \[(?P<position>0|-?[1-9][0-9]{{0,8}})\]
        |  \[(?P<mark>['"])(?P<quoted>{_TEXT})(?P=mark)\]
        |  \[(?P<names>'{_PLAIN}'(?:\ *,\ *'{_PLAIN}')+)\]
        |  (?P<all>\.\*|\[\*\])
        |  (?P<deep>\.\.)(?=\[)
        |  \[\?@\.(?P<key>{_NAME})\ *==\ *(?P<mark2>['"])(?P<wanted>{_TEXT})(?P=mark2)\]
    """,
    re.VERBOSE,
)

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


@lru_cache(maxsize=4096)
def compile_path(path: str) -> Query:
    """Make a function that returns the nodes which a path selects in a document.

    Raises:
        ValueError: the text is no JSONPath, or one that may take for ever; the message says why.

    """
    if _QUOTED.sub("", path).count("..") > 1:
        # What is found in what is found: a server could answer so that it fills all memory.
        raise ValueError("`..` may stand in a path once")
    return _simple(path) or _full(path)


def _simple(path: str) -> Query | None:
    """Compile a path of plain steps; none when it has others."""
    if not path.startswith("$"):
        return None
    steps: list[_Step] = []
    at = 1
    while at < len(path):
        segment = _SEGMENT.match(path, at)
        if segment is None:
            return None
        steps.append(_step(segment))
        at = segment.end()

    def query(document: Any) -> list[Node]:
        nodes = [Node((), document)]
        for step in steps:
            nodes = [found for node in nodes for found in step(node)]
        return nodes

    return query


def _step(segment: re.Match[str]) -> _Step:
    if segment["all"]:
        return _children
    if segment["deep"]:
        return _descendants
    if segment["names"]:
        steps = [_named(name) for name in segment["names"].split("'")[1::2]]
        return lambda node: chain.from_iterable(step(node) for step in steps)
    if segment["position"] is not None:
        return _at_position(int(segment["position"]))
    if segment["key"] is not None:
        return _where(segment["key"], segment["wanted"])
    return _named(segment["name"] if segment["name"] is not None else segment["quoted"])


def _named(name: str) -> _Step:
    def step(node: Node) -> Iterator[Node]:
        if isinstance(node.value, dict) and name in node.value:
            yield Node((*node.location, name), node.value[name])

    return step


def _at_position(position: int) -> _Step:
    def step(node: Node) -> Iterator[Node]:
        if isinstance(node.value, list):
            index = position + len(node.value) if position < 0 else position
            if 0 <= index < len(node.value):
                yield Node((*node.location, index), node.value[index])

    return step


def _where(key: str, wanted: str) -> _Step:
    def step(node: Node) -> Iterator[Node]:
        for child in _children(node):
            if isinstance(child.value, dict) and child.value.get(key) == wanted:
                yield child

    return step


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node.value, dict):
        for key, value in node.value.items():
            yield Node((*node.location, key), value)
    elif isinstance(node.value, list):
        for index, value in enumerate(node.value):
            yield Node((*node.location, index), value)


def _descendants(node: Node) -> Iterator[Node]:
    """The value itself and all that is in it, however deep."""
    open_nodes = [node]
    while open_nodes:
        found = open_nodes.pop()
        yield found
        open_nodes += reversed(list(_children(found)))


def _full(path: str) -> Query:
    import jsonpath_rfc9535  # noqa: PLC0415 - slow, and most runs never get here

    try:
        compiled = jsonpath_rfc9535.compile(path)
    except jsonpath_rfc9535.JSONPathError as error:
        raise ValueError(str(error)) from None

    def query(document: Any) -> list[Node]:
        return [Node(node.location, node.value) for node in compiled.finditer(document)]

    return query
