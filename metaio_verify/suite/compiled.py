"""The built-in suite in a form that loads quickly, kept beside it as Python keeps its bytecode.

Reading YAML takes longer than all else that a short command does. What is kept is plain data, is
read with the same types, and counts only while the check files are as they were.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from metaio_verify import __version__
from metaio_verify.suite.model import CheckFile

_NAME = "suite.msgpack"


class _Kept(msgspec.Struct, array_like=True):
    """The check files, and what they were made from."""

    stamp: list[str]
    files: list[CheckFile]


class _Fresh(msgspec.Struct, array_like=True):
    """The same before it is written: as the YAML says it."""

    stamp: list[str]
    files: list[dict[str, Any]]


def recall(paths: Sequence[Path]) -> list[CheckFile] | None:
    """The check files as they were kept; none when they have changed, or nothing was kept."""
    try:
        kept = msgspec.msgpack.decode(_place(paths).read_bytes(), type=_Kept)
        return kept.files if kept.stamp == _stamp(paths) else None
    except (OSError, msgspec.MsgspecError):
        return None


def keep(paths: Sequence[Path], files: list[dict[str, Any]]) -> None:
    """Keep what was read from check files; where nothing can be written, nothing is."""
    if sys.dont_write_bytecode:
        return
    place = _place(paths)
    beside = place.with_name(f"{_NAME}.{os.getpid()}")
    with contextlib.suppress(OSError):
        place.parent.mkdir(exist_ok=True)
        beside.write_bytes(msgspec.msgpack.encode(_Fresh(_stamp(paths), files)))
        # At once, so that another run reads the old one or the new one.
        beside.replace(place)


def _place(paths: Sequence[Path]) -> Path:
    return paths[0].parent / "__pycache__" / _NAME


def _stamp(paths: Sequence[Path]) -> list[str]:
    states = [(path.name, path.stat()) for path in paths]
    return [__version__, *(f"{name} {s.st_size} {s.st_mtime_ns}" for name, s in states)]
