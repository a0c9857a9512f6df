"""One check file as it was read, and the mistakes that are found in it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from msgspec import Struct

from metaio_verify.errors import Place, Problem
from metaio_verify.suite.syntax import Node
from metaio_verify.suite.words import quote

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value from the top of the file: keys and list positions."""

KINDS = {"probes": "probe", "checks": "check", "profiles": "profile", "schemas": "schema"}


class Flaw(NamedTuple):
    """A mistake at a path of a file."""

    path: Path
    message: str
    """What is wrong with it, to be read behind its name."""
    hint: str = ""
    key: str | None = None
    """The key below the path, where that one alone is the mistake."""
    lacks: bool = False
    """Whether the mistake is that something is missing there."""


class Source(Struct, frozen=True):
    """A file whose YAML could be read."""

    path: str
    root: Node

    def problem(self, flaw: Flaw) -> Problem:
        """The mistake with its position and the name of what it is in."""
        name, place = self._find(flaw.path)
        if flaw.key is not None:
            _, place = self._find((*flaw.path, flaw.key))
        return Problem(f"{label(name)}: {flaw.message}", place, flaw.hint)

    def place(self, path: Path) -> Place:
        """Where a part of the file stands, or the nearest one above it."""
        return self._find(path)[1]

    def node(self, path: Path) -> Node | None:
        """What stands at a path of keys, if there is something."""
        node = self.root
        for step in path:
            if not isinstance(node.value, dict) or step not in node.value:
                return None
            node = node.value[str(step)].node
        return node

    def _find(self, path: Path) -> tuple[Path, Place]:
        """As much of a path as is there, and where the key or list item at its end stands."""
        node = self.root
        line, column = node.line, node.column
        for depth, step in enumerate(path):
            match node.value:
                case dict() as entries if step in entries:
                    line, column, node = entries[str(step)]
                case list() as items if isinstance(step, int) and step < len(items):
                    node = items[step]
                    line, column = node.line, node.column
                case _:
                    return path[:depth], Place(self.path, line, column)
        return path, Place(self.path, line, column)


def label(path: Path) -> str:
    """The words for a path: `expect.status` of check `auth.bearer`."""
    if not path:
        return "the file"
    if path[0] not in KINDS or len(path) == 1:
        return _dotted(path)
    owner = f"{KINDS[str(path[0])]} {quote(path[1])}"
    own = 2
    return f"{_dotted(path[own:])} of {owner}" if len(path) > own else owner


def _dotted(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return quote(text.removeprefix("."))
