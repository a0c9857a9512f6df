"""What the start-up files of shells set; a terminal that is older does not know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from metaio_verify.doctor.machine import Machine
from metaio_verify.doctor.shells import Shell

_OF_SHELL = {
    Shell.BASH: (".bashrc", ".bash_profile", ".bash_login", ".profile"),
    Shell.ZSH: (".zshrc", ".zshenv", ".zprofile", ".zlogin"),
    Shell.FISH: (".config/fish/config.fish",),
}
_POSIX = r"^\s*(?:export\s+)?{name}="
_FISH = r"^\s*set\s+(?:-\S+\s+)*{name}\s+\S"
_EXPORTS = {
    Shell.BASH: re.compile(r"^\s*export\s"),
    Shell.ZSH: re.compile(r"^\s*export\s"),
    Shell.FISH: re.compile(r"\s(?:-\w*x\w*|--export)\s"),
}


@dataclass(frozen=True)
class Assignment:
    """A line of a start-up file that sets a variable."""

    path: str
    line: int
    shell: Shell
    exported: bool


def assignments(machine: Machine, name: str) -> Iterator[Assignment]:
    """Find the lines that set a variable in the user's start-up files; values are not read."""
    for shell, files in _OF_SHELL.items():
        pattern = (_FISH if shell is Shell.FISH else _POSIX).format(name=re.escape(name))
        for file in files:
            path = machine.home / file
            text = machine.read_text(path)
            apart = rf"^\s*export\s+[\w ]*\b{re.escape(name)}\b"
            exported_apart = re.search(apart, text, re.MULTILINE)
            for number, line in enumerate(text.splitlines(), start=1):
                if re.search(pattern, line):
                    exported = bool(_EXPORTS[shell].search(line) or exported_apart)
                    yield Assignment(machine.shown(path), number, shell, exported)
