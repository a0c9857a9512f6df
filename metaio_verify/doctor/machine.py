"""The machine that is examined: its files, its environment, its platform."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_MANAGED = {
    "darwin": "/Library/Application Support/ClaudeCode",
    "win32": r"C:\Program Files\ClaudeCode",
}
_MANAGED_ELSEWHERE = "/etc/claude-code"
_LARGEST_FILE = 2 * 1024 * 1024
"""Bytes; Claude Code refuses larger settings files too."""


class TooLargeError(OSError):
    """A file is larger than any configuration."""

    def __init__(self) -> None:
        super().__init__(0, "it is larger than 2 MiB")


def sound(text: str) -> str:
    """Return text that can be written: what is no Unicode becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Machine:
    """Everything that a diagnosis reads, so that a test can hand in a machine of its own.

    Paths are those that Claude Code would use; `root` says where the file system begins.
    """

    environ: Mapping[str, str] = field(repr=False)
    cwd: Path
    home: Path
    platform: str = sys.platform
    root: Path | None = None

    @classmethod
    def here(cls) -> Self:
        """Return the machine that this program runs on."""
        environ = {name: sound(value) for name, value in os.environ.items()}
        home = environ.get("HOME") or environ.get("USERPROFILE") or "~"
        return cls(environ, Path.cwd(), Path(home))

    @property
    def config_dir(self) -> Path:
        """The folder of the user's settings."""
        return Path(self.environ.get("CLAUDE_CONFIG_DIR") or self.home / ".claude")

    @property
    def state_file(self) -> Path:
        """The file in which Claude Code keeps what it remembers, for instance trusted folders."""
        folder = self.environ.get("CLAUDE_CONFIG_DIR")
        return Path(folder or self.home) / ".claude.json"

    @property
    def managed_dir(self) -> Path:
        """The folder of the settings that an administrator deploys."""
        return Path(_MANAGED.get(self.platform, _MANAGED_ELSEWHERE))

    def real(self, path: Path) -> Path:
        """Where a path of the examined machine really is."""
        if self.root is None:
            return path
        return self.root / str(path).lstrip("/")

    def read(self, path: Path) -> bytes:
        """Return what a file holds; raises `OSError`."""
        real = self.real(path)
        try:
            if real.stat().st_size > _LARGEST_FILE:
                raise TooLargeError
            return real.read_bytes()
        except ValueError:
            raise FileNotFoundError(0, "this is no path") from None

    def read_text(self, path: Path) -> str:
        """Return a file's text, or nothing when there is none to be had."""
        try:
            return self.read(path).decode("utf-8", "replace")
        except OSError:
            return ""

    def is_file(self, path: Path) -> bool:
        """Whether there is a file that can be seen."""
        try:
            return self.real(path).is_file()
        except OSError:
            return False

    def listed(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted; none when it cannot be read."""
        try:
            return sorted(entry.name for entry in self.real(folder).iterdir())
        except OSError:
            return []

    def repository(self, folder: Path) -> Path | None:
        """Return the root of the git repository that a folder is in."""
        for candidate in (folder, *folder.parents):
            try:
                if self.real(candidate / ".git").exists():
                    return candidate
            except OSError:
                return None
        return None

    def shown(self, path: Path) -> str:
        """Return a path as a person writes it, with `~` for the home folder."""
        try:
            return str(Path("~") / path.relative_to(self.home))
        except ValueError:
            return str(path)
