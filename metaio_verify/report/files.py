"""Report files: found to be writable before the run, and written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from metaio_verify.errors import Place, Problem, UserError

_PREFIX = ".metaio-verify-"


def prepare(paths: Iterable[Path], kept: Iterable[Path] = ()) -> None:
    """Find out whether every path can be written, and leave nothing behind.

    `kept` are files that must not be replaced, because they are what a report is made from.

    Raises:
        UserError: with one problem for each path that cannot be written.

    """
    paths = list(paths)
    problems = [problem for path in dict.fromkeys(paths) if (problem := _obstacle(path))]
    sources, seen = set(map(_real, kept)), set[str]()
    for path in paths:
        real = _real(path)
        if real in sources:
            problems.append(Problem("a report would replace what it is made from", *_other(path)))
        elif real in seen:
            problems.append(Problem("two reports would be written to this file", *_other(path)))
        seen.add(real)
    if problems:
        raise UserError(*problems)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Put the text into the file at once, so that a reader sees the old one or the new one.

    Raises:
        UserError: the file cannot be written after all.

    """
    try:
        if _is_special(path):
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        # What a link points to is replaced, not the link.
        _replace(Path(os.path.realpath(path)), text, mode)
    except (OSError, ValueError) as error:
        raise UserError(_problem(path, error)) from None


def _replace(path: Path, text: str, mode: int) -> None:
    # It was there before the run; whoever removed it still wants the report.
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".tmp", dir=path.parent)
    beside = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123 - a handle
            file.write(text)
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _obstacle(path: Path) -> Problem | None:
    """Return what stands in the way of writing this file."""
    try:
        if path.is_dir():
            return Problem("this is a folder", Place(str(path)), "name a file in it")
        if _is_special(path):
            return None
        target = Path(os.path.realpath(path))
        if target.exists() and not os.access(target, os.W_OK):
            return Problem("this file is write-protected", Place(str(path)))
        # A file beside it tells more than permission bits: read-only disks, quotas, ACLs.
        with tempfile.NamedTemporaryFile(prefix=_PREFIX, dir=target.parent):
            return None
    except (OSError, ValueError) as error:
        return _problem(path, error)


def _other(path: Path) -> tuple[Place, str]:
    return Place(str(path)), "name another path"


def _real(path: Path) -> str:
    """The file that a path leads to, whatever it is called."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _is_special(path: Path) -> bool:
    """Whether this is a device or a pipe, which must not be replaced by a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _problem(path: Path, error: Exception) -> Problem:
    place = Place(str(path))
    match error:
        case FileNotFoundError():
            folder = path.parent
            return Problem(f"there is no folder {folder}", place, f"make it: mkdir -p {folder}")
        case NotADirectoryError():
            return Problem("a part of this path is a file, not a folder", place)
        case PermissionError():
            return Problem("there is no permission to write here", place)
        case OSError():
            return Problem(f"this cannot be written: {error.strerror or error}", place)
        case _:
            return Problem("this is no path", place)
