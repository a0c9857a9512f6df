"""Reading what Claude Code reads, with its precedence.

Managed settings win over the command line, that over the local, the shared project and the user
settings. A variable in the `env` of any of them wins over the one that the shell exported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from metaio_verify.doctor.configuration import Configuration, Origin, Value
from metaio_verify.doctor.machine import Machine
from metaio_verify.doctor.names import (
    BASE_URL,
    CREDENTIALS,
    MANAGED_BY_HOST,
    MISSPELT,
    PROVIDERS,
    SETTINGS,
    VARIABLES,
    is_on,
)
from metaio_verify.doctor.settings import Scope, SettingsFile, read_all

_OWNED_BY_A_HOST = frozenset({BASE_URL, *CREDENTIALS, *PROVIDERS})


def gather(
    machine: Machine, *, settings: str | None = None, model: str = "", wanted: str = ""
) -> Configuration:
    """Return what Claude Code would start with on this machine, in its working folder.

    `settings` and `model` are what `claude` would be given on its command line, `wanted` is the
    base URL that should be reached. What is broken stays in the files as flaws.
    """
    files = read_all(machine, settings)
    state = _state(machine)
    hosted = is_on(machine.environ.get(MANAGED_BY_HOST, ""))
    names = [*VARIABLES, *MISSPELT]
    return Configuration(
        machine=machine,
        files=files,
        variables=_known({name: _variable(machine, files, name, hosted=hosted) for name in names}),
        settings=_known({key: _setting(files, key) for key in SETTINGS}),
        state=state,
        trusted=_trusted(machine, state),
        model=model,
        wanted=wanted,
    )


def _known(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value is not None}


def _variable(
    machine: Machine, files: Iterable[SettingsFile], name: str, *, hosted: bool
) -> Value | None:
    stack = [
        Value(name, file.env[name], _origin(file, "env", name))
        for file in files
        if name in file.env and not (hosted and name in _OWNED_BY_A_HOST)
    ]
    if name in machine.environ:
        stack.append(Value(name, machine.environ[name], Origin(Scope.SHELL, key=name)))
    return _top(stack)


def _setting(files: Iterable[SettingsFile], key: str) -> Value | None:
    stack = [Value(key, file.data[key], _origin(file, key)) for file in files if key in file.data]
    if key == "availableModels" and stack and stack[0].origin.scope is not Scope.MANAGED:
        return _joined(stack)
    return _top(stack)


def _joined(stack: list[Value]) -> Value:
    """Lists of models add up, unless an administrator has set one."""
    entries = [entry for one in stack if isinstance(one.value, list) for entry in one.value]
    unique = [entry for place, entry in enumerate(entries) if entry not in entries[:place]]
    return Value(stack[0].name, unique, stack[0].origin)


def _top(stack: list[Value]) -> Value | None:
    if not stack:
        return None
    first, *others = stack
    return Value(first.name, first.value, first.origin, tuple(others))


def _origin(file: SettingsFile, *keys: str) -> Origin:
    return Origin(file.scope, file.path, ".".join(keys), file.line_of(*keys))


def _state(machine: Machine) -> dict[str, Any]:
    try:
        state = json.loads(machine.read_text(machine.state_file) or "{}")
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def _trusted(machine: Machine, state: Mapping[str, Any]) -> bool:
    """Whether the folder, or one above it, was trusted.

    Trust does not reach from a repository into another one that lies in it.
    """
    projects = state.get("projects")
    if not isinstance(projects, dict):
        return False
    repository = machine.repository(machine.cwd)
    for folder in (machine.cwd, *machine.cwd.parents):
        above = repository is not None and folder in repository.parents
        if above and machine.repository(folder) is not None:
            continue
        if _accepted(projects, folder):
            return True
    return False


def _accepted(projects: Mapping[str, Any], folder: Path) -> bool:
    entry = projects.get(folder.as_posix()) or projects.get(str(folder))
    return isinstance(entry, dict) and entry.get("hasTrustDialogAccepted") is True
