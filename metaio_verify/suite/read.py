"""Reading check files of anybody: what they hold, and why not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.suite import shape
from metaio_verify.suite.merge import with_ids
from metaio_verify.suite.model import CheckFile
from metaio_verify.suite.remains import remains
from metaio_verify.suite.source import KINDS, Flaw, Source
from metaio_verify.suite.syntax import parse
from metaio_verify.suite.words import printable
from metaio_verify.textfile import read_text, unreadable

MAX_FLAWS = 100
"""Mistakes that are told of one file."""

_SUFFIXES = (".yaml", ".yml")
_MAX_FILES = 500


class File(Struct, frozen=True):
    """A file whose YAML could be read."""

    source: Source
    mistakes: list[Problem]
    """What is wrong with its YAML."""
    flaws: list[Flaw]
    """What is wrong with its keys and types."""
    parts: CheckFile
    """The parts without such a flaw."""
    remains: CheckFile
    """What is left of the others, to be judged but not referred to."""

    def ids(self, kind: str) -> dict[str, Any]:
        """All ids of a kind, of flawed parts too."""
        value = self.source.root.value
        entry = value.get(kind) if isinstance(value, dict) else None
        return entry.node.value if entry and isinstance(entry.node.value, dict) else {}


def find(paths: Sequence[Path], problems: list[Problem]) -> list[Path]:
    """The files that paths stand for, each once; a folder's, and those of its direct folders."""
    found: dict[Path, Path] = {}
    for path in paths:
        try:
            inside = sorted(_inside(path)) if path.is_dir() else [path]
            if not inside:
                problems.append(Problem("the folder holds no .yaml file", _place(path)))
            if len(inside) > _MAX_FILES:
                problems.append(Problem(f"more than {_MAX_FILES} files", _place(path)))
                continue
            for file in inside:
                if path.is_dir() and not file.resolve().is_relative_to(path.resolve()):
                    problems.append(Problem("leads out of its folder", _place(file)))
                else:
                    found.setdefault(file.resolve(), file)
        except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
            problems.append(unreadable(path, error))
    return list(found.values())


def _inside(folder: Path) -> Iterator[Path]:
    files = itertools.chain(folder.glob("*.*"), folder.glob("*/*.*"))
    return itertools.islice((f for f in files if f.suffix in _SUFFIXES), _MAX_FILES + 1)


def _place(path: Path) -> Place:
    return Place(printable(str(path)))


def read(path: Path, problems: list[Problem]) -> File | None:
    """A file, unless its YAML cannot be read at all; the reason for that goes to `problems`."""
    place = _place(path)
    try:
        text = read_text(path)
    except UserError as error:
        problems += error.problems
        return None
    root, mistakes = parse(text, place.path)
    if root is None:
        problems += mistakes
        return None
    flaws = list(itertools.islice(shape.flaws(root), MAX_FLAWS + 1))
    source = Source(place.path, root)
    if len(flaws) > MAX_FLAWS:
        return File(source, mistakes, flaws, CheckFile(), CheckFile())
    raw = root.plain() if isinstance(root.value, dict) else {}
    return File(source, mistakes, flaws, _sound_parts(raw, flaws), remains(raw, flaws))


def _sound_parts(raw: dict[str, Any], flaws: Iterable[Flaw]) -> CheckFile:
    """The parts of a file that have no flaw."""
    flawed = {flaw.path[:2] for flaw in flaws}
    whole = {path[0] for path in flawed if len(path) == 1}
    sound = {
        kind: {id_: part for id_, part in raw[kind].items() if (kind, id_) not in flawed}
        for kind in KINDS
        if kind in raw and kind not in whole
    }
    if isinstance(raw.get("area"), str):
        sound["area"] = raw["area"]
    return msgspec.convert(with_ids(sound), CheckFile)
