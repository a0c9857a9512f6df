"""Lines to paste: changes of the environment, as each shell writes them. None ever holds a key."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TypeAlias, assert_never


class Shell(StrEnum):
    """A shell that lines can be pasted into."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


@dataclass(frozen=True)
class Set:
    """Give a variable a value that is no secret."""

    name: str
    value: str


@dataclass(frozen=True)
class Unset:
    """Take a variable away."""

    name: str


@dataclass(frozen=True)
class Rename:
    """Keep a value, whatever it is, under another name."""

    old: str
    new: str


Change: TypeAlias = Set | Unset | Rename


def detect(environ: Mapping[str, str], platform: str) -> Shell:
    """Return the user's shell: that of `$SHELL`, on Windows PowerShell."""
    name = PurePath(environ.get("SHELL", "")).stem
    if name in ("pwsh", "powershell") or (not name and platform == "win32"):
        return Shell.POWERSHELL
    return Shell(name) if name in set(Shell) else Shell.BASH


def lines(changes: Sequence[Change], shell: Shell) -> list[str]:
    """Return one line for each change; none at all when a value cannot be written on one line."""
    if any(isinstance(one, Set) and not one.value.isprintable() for one in changes):
        return []
    return [_line(change, shell) for change in changes]


def _line(change: Change, shell: Shell) -> str:
    match shell:
        case Shell.BASH | Shell.ZSH:
            return _posix(change)
        case Shell.FISH:
            return _fish(change)
        case Shell.POWERSHELL:
            return _powershell(change)
    assert_never(shell)


def _posix(change: Change) -> str:
    match change:
        case Set(name, value):
            return f"export {name}={shlex.quote(value)}"
        case Unset(name):
            return f"unset {name}"
        case Rename(old, new):
            return f'export {new}="${old}"; unset {old}'
    assert_never(change)


def _fish(change: Change) -> str:
    match change:
        case Set(name, value):
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"set -gx {name} '{escaped}'"
        case Unset(name):
            return f"set -e {name}"
        case Rename(old, new):
            return f"set -gx {new} ${old}; set -e {old}"
    assert_never(change)


def _powershell(change: Change) -> str:
    match change:
        case Set(name, value):
            escaped = value.replace("'", "''")
            return f"$env:{name} = '{escaped}'"
        case Unset(name):
            return f"Remove-Item Env:{name}"
        case Rename(old, new):
            return f"$env:{new} = $env:{old}; Remove-Item Env:{old}"
    assert_never(change)
