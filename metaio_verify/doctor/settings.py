"""The settings files of Claude Code: where they are, and what one of them holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from metaio_verify.doctor.machine import Machine, sound
from metaio_verify.doctor.names import MISSPELT, VARIABLES


class Scope(StrEnum):
    """Where a value comes from; the members stand in the order of precedence."""

    MANAGED = "managed settings"
    COMMAND_LINE = "command line"
    LOCAL = "local project settings"
    PROJECT = "project settings"
    USER = "user settings"
    SHELL = "environment"
    DEFAULT = "default"


@dataclass(frozen=True)
class Flaw:
    """Something in a settings file that Claude Code cannot use; line and column count from 1."""

    id: str
    message: str
    action: str
    line: int | None = None
    column: int | None = None
    key: str = ""


@dataclass(frozen=True)
class SettingsFile:
    """One settings file; without data when it cannot be used at all."""

    scope: Scope
    path: str
    """As a person writes it."""
    text: str = field(default="", repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    flaws: tuple[Flaw, ...] = ()

    @property
    def env(self) -> dict[str, str]:
        """The variables that the file sets. Numbers and switches count as their text."""
        block = self.data.get("env")
        if not isinstance(block, dict):
            return {}
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in block.items()
            if isinstance(value, (str, int, float))
        }

    def line_of(self, *keys: str) -> int | None:
        """Return the line of a key, given the keys on the way to it."""
        position = 0
        for key in keys:
            found = re.compile(rf"{re.escape(json.dumps(key))}\s*:").search(self.text, position)
            if found is None:
                return None
            position = found.start()
        return self.text.count("\n", 0, position) + 1


def read_all(machine: Machine, command_line: str | None = None) -> tuple[SettingsFile, ...]:
    """Return the settings files that there are, those that win first.

    `command_line` is what `claude --settings` would be given: a file or JSON.
    """
    found = [*_managed(machine), *_command_line(machine, command_line)]
    seen: set[Path] = set()
    for scope, path in _of_the_user(machine):
        if path not in seen and machine.real(path).exists():
            found.append(read(machine, scope, path))
        seen.add(path)
    return tuple(found)


def read(machine: Machine, scope: Scope, path: Path) -> SettingsFile:
    """Read one settings file; what is wrong with it becomes flaws."""
    shown = machine.shown(path)
    try:
        text = machine.read(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        flaw = Flaw("settings-unreadable", f"it cannot be read: {reason}", "Make it readable.")
        return SettingsFile(scope, shown, flaws=(flaw,))
    return parse(scope, shown, text)


def parse(scope: Scope, path: str, text: str) -> SettingsFile:
    """Read the text of a settings file."""
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        repeated.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        return SettingsFile(scope, path, text, flaws=(_not_json(error),))
    except RecursionError:
        flaw = Flaw("settings-not-json", "it is nested too deeply", "Write it anew.")
        return SettingsFile(scope, path, text, flaws=(flaw,))
    if not isinstance(data, dict):
        flaw = Flaw(
            "settings-not-json", "it is not a JSON object", "Begin it with { and end with }."
        )
        return SettingsFile(scope, path, text, flaws=(flaw,))
    data = _sound(data)
    file = SettingsFile(scope, path, text, data)
    return SettingsFile(scope, path, text, data, tuple(_flaws(file, repeated)))


def _sound(value: Any) -> Any:
    """Return JSON without the halves of characters that its escapes can spell."""
    match value:
        case str():
            return sound(value)
        case dict():
            return {sound(key): _sound(item) for key, item in value.items()}
        case list():
            return [_sound(item) for item in value]
    return value


def _managed(machine: Machine) -> Iterator[SettingsFile]:
    """Of the drop-in files the last one wins, and all of them over the main one."""
    drop_ins = machine.managed_dir / "managed-settings.d"
    names = [n for n in machine.listed(drop_ins) if n.endswith(".json") and not n.startswith(".")]
    paths = [*(drop_ins / name for name in reversed(names))]
    paths.append(machine.managed_dir / "managed-settings.json")
    for path in paths:
        if machine.real(path).exists():
            yield read(machine, Scope.MANAGED, path)


def _command_line(machine: Machine, given: str | None) -> Iterator[SettingsFile]:
    if given is None:
        return
    if given.lstrip().startswith("{"):
        yield parse(Scope.COMMAND_LINE, "--settings", given)
    else:
        path = machine.cwd / Path(given).expanduser()
        yield read(machine, Scope.COMMAND_LINE, path)


def _of_the_user(machine: Machine) -> Iterator[tuple[Scope, Path]]:
    repository = machine.repository(machine.cwd)
    user = machine.config_dir / "settings.json"
    if repository is not None and repository != machine.home and machine.platform != "win32":
        yield Scope.LOCAL, repository / ".claude" / "settings.local.json"
    yield Scope.LOCAL, machine.cwd / ".claude" / "settings.local.json"
    shared = machine.cwd / ".claude" / "settings.json"
    if shared != user:
        yield Scope.PROJECT, shared
    yield Scope.USER, user


def _flaws(file: SettingsFile, repeated: list[str]) -> Iterator[Flaw]:
    env = file.data.get("env", {})
    if not isinstance(env, dict):
        yield Flaw(
            "settings-env-no-object",
            "its env is not an object",
            'Write it as {"env": {"NAME": "value"}}.',
            file.line_of("env"),
            key="env",
        )
    else:
        for name, value in env.items():
            if not isinstance(value, (str, int, float)):
                yield Flaw(
                    "settings-value-no-text",
                    f"its env.{name} is not a text",
                    "Put the value between double quotes.",
                    file.line_of("env", name),
                    key=f"env.{name}",
                )
    for key in repeated:
        yield Flaw(
            "settings-duplicate-key",
            f"it holds {json.dumps(key)} twice; only the last one counts",
            "Merge the two.",
            file.line_of(key),
            key=key,
        )
    for name in file.data:
        if name in VARIABLES or name in MISSPELT:
            yield Flaw(
                "settings-variable-outside-env",
                f"{name} stands beside env, where it has no effect",
                f"Move it into the env object, as {MISSPELT.get(name, name)}.",
                file.line_of(name),
                key=name,
            )


def _not_json(error: json.JSONDecodeError) -> Flaw:
    message, action = _explained(error.doc, error.pos, error.msg)
    return Flaw("settings-not-json", message, action, error.lineno, error.colno)


def _explained(text: str, position: int, message: str) -> tuple[str, str]:
    """Say what usually stands where JSON ends to be JSON."""
    rest = text[position:].lstrip()
    before = text[:position].rstrip()
    if not text.strip():
        return "it is empty", "Write {} into it, or delete it."
    if rest.startswith(("//", "/*", "#")):
        return "it holds a comment, which JSON does not have", "Delete the comment."
    if rest[:1] in ("}", "]") and before.endswith(","):
        return "a comma stands before a closing bracket", "Delete the comma."
    if before.endswith(",") and message.startswith("Illegal trailing comma"):
        return "a comma stands before a closing bracket", "Delete the comma."
    if rest[:1] in ("“", "”", "„", "'", "‘", "’"):
        return "it holds quotes that are not plain double quotes", 'Write them as ".'
    if rest.startswith('"') and message.startswith("Expecting ','"):
        return "a comma is missing", "Put a comma at the end of the line before."
    if not rest:
        return "it ends too early", "Close what is open: a quote, } or ]."
    return f"it is not valid JSON: {message[:1].lower()}{message[1:]}", "Mend the line."
