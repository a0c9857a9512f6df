"""The Claude Code that is installed, and the sessions that are running."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from metaio_verify.doctor.machine import Machine

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_PACKAGE = "@anthropic-ai/claude-code"
_PATIENCE = 10.0
"""Seconds that `claude --version` may take."""


@dataclass(frozen=True)
class Client:
    """An installed Claude Code."""

    path: str
    version: str
    """Empty when it cannot be found out."""

    def before(self, *version: int) -> bool:
        """Whether it is known to be older than a version."""
        numbers = tuple(int(part) for part in self.version.split(".")) if self.version else ()
        return bool(numbers) and numbers < version


@dataclass(frozen=True)
class Session:
    """A Claude Code that is running."""

    pid: int
    environ: Mapping[str, str] = field(repr=False)
    """What it was started with; changes of the shell since then do not reach it."""


def client(machine: Machine) -> Client | None:
    """Return the Claude Code that the shell would start."""
    names = ("claude.exe", "claude.cmd") if machine.platform == "win32" else ("claude",)
    separator = ";" if machine.platform == "win32" else ":"
    for folder in machine.environ.get("PATH", "").split(separator):
        for name in names if folder else ():
            path = Path(folder) / name
            if machine.is_file(path):
                return Client(machine.shown(path), _version(machine, path))
    return None


def _version(machine: Machine, path: Path) -> str:
    """The version, from the names of the files if they tell it, otherwise from the program."""
    real = machine.real(path).resolve()
    if found := _VERSION.fullmatch(real.name):
        return found[0]
    for folder in real.parents:
        if folder.as_posix().endswith(_PACKAGE):
            return _of_package(folder / "package.json")
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user starts too
            [real, "--version"],
            env=dict(machine.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    return found[0] if found else ""


def _of_package(manifest: Path) -> str:
    try:
        version = json.loads(manifest.read_text("utf-8")).get("version", "")
    except (OSError, ValueError, AttributeError):
        return ""
    found = _VERSION.match(str(version))
    return found[0] if found else ""


def sessions(machine: Machine) -> list[Session] | None:
    """Return the user's running sessions; none at all when this system does not show them."""
    proc = Path("/proc")
    if machine.platform != "linux":
        return None
    return list(_running(machine, proc))


def _running(machine: Machine, proc: Path) -> Iterator[Session]:
    for name in machine.listed(proc):
        if not name.isdecimal():
            continue
        try:
            # Files of /proc have no size, so they are read as they are.
            arguments = (machine.real(proc) / name / "cmdline").read_bytes().split(b"\0")
            if _is_claude([part.decode("utf-8", "replace") for part in arguments]):
                environ = (machine.real(proc) / name / "environ").read_bytes()
                yield Session(int(name), _parsed(environ))
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else


def _is_claude(arguments: list[str]) -> bool:
    program = PurePath(arguments[0]).name
    if program in ("claude", "claude.exe"):
        return True
    script = arguments[1] if len(arguments) > 1 else ""
    return program in ("node", "bun") and (_PACKAGE in script or PurePath(script).name == "claude")


def _parsed(environ: bytes) -> dict[str, str]:
    pairs = (entry.partition(b"=") for entry in environ.split(b"\0") if b"=" in entry)
    return {
        name.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for name, _, value in pairs
    }
