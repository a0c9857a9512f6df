"""The effective configuration: what counts, where it comes from, what it hides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metaio_verify.doctor.machine import Machine
from metaio_verify.doctor.names import BASE_URL, HARMLESS, HELPER
from metaio_verify.doctor.settings import Scope, SettingsFile

_OF_THE_FOLDER = (Scope.LOCAL, Scope.PROJECT)


@dataclass(frozen=True)
class Origin:
    """Where a value comes from."""

    scope: Scope
    path: str = ""
    """The settings file; empty for the environment."""
    key: str = ""
    """The name of the variable, or the keys in the file."""
    line: int | None = None

    def __str__(self) -> str:
        if self.scope is Scope.SHELL:
            return f"{self.key} in the environment"
        if not self.path:
            return f"{self.key} ({self.scope})"
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place} {self.key}"

    @property
    def is_file(self) -> bool:
        """Whether it is a settings file."""
        return self.scope not in (Scope.SHELL, Scope.DEFAULT)

    @property
    def needs_trust(self) -> bool:
        """Whether whoever wrote the folder's files has set it."""
        return self.scope in _OF_THE_FOLDER


@dataclass(frozen=True)
class Value:
    """A value that counts. Its representation never shows it: it may be a secret."""

    name: str
    value: Any = field(repr=False)
    origin: Origin
    hides: tuple[Value, ...] = ()
    """What would count without it, from high to low."""

    @property
    def text(self) -> str:
        """The value of a variable."""
        return self.value if isinstance(self.value, str) else ""


@dataclass(frozen=True)
class Configuration:
    """Everything that Claude Code would start with."""

    machine: Machine
    files: tuple[SettingsFile, ...]
    variables: Mapping[str, Value]
    """Effective variables of the environment, those that are set to nothing included."""
    settings: Mapping[str, Value]
    """Effective keys of the settings files."""
    state: Mapping[str, Any] = field(repr=False)
    """What Claude Code remembers, from `.claude.json`."""
    trusted: bool
    """Whether Claude Code was told to trust the files of the folder."""
    model: str = ""
    """The model of the command line."""
    wanted: str = ""
    """The base URL that its user wants to reach, when it was named."""

    def text(self, *names: str) -> str:
        """Return the first of these variables that is set to something."""
        value = self.value(*names)
        return value.text if value else ""

    def value(self, *names: str) -> Value | None:
        """Return the first of these variables that is set to something, with its origin."""
        for name in names:
            if (value := self.variables.get(name)) is not None and value.text:
                return value
        return None

    def setting(self, key: str) -> Any:
        """Return the effective value of a key of the settings files."""
        value = self.settings.get(key)
        return value.value if value else None

    @property
    def helper(self) -> Value | None:
        """The command that prints the credential."""
        value = self.settings.get(HELPER)
        return value if value is not None and value.text.strip() else None

    @property
    def base_url(self) -> str:
        """The base URL as it is set; empty when there is none."""
        return self.text(BASE_URL)

    @property
    def untrusted(self) -> tuple[Value, ...]:
        """What the files of a folder set that Claude Code was not told to trust.

        Claude Code uses it once the folder is trusted. Until then no credential may follow it.
        """
        if self.trusted:
            return ()
        values = [*self.variables.values(), *self.settings.values()]
        return tuple(
            value
            for value in values
            if value.origin.needs_trust
            and value.name not in HARMLESS
            and (value.name in self.variables or value.name == HELPER)
        )
