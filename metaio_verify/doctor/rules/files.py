"""Rules on settings files: those that cannot be used, those that win, those that are not read."""

from __future__ import annotations

from pathlib import Path

from metaio_verify.doctor.case import Case, Suspicions, suspect
from metaio_verify.doctor.configuration import Value
from metaio_verify.doctor.finding import Severity, Suspicion
from metaio_verify.doctor.names import (
    BASE_URL,
    CONFIG_DIR,
    CREDENTIALS,
    HELPER,
    MANAGED_BY_HOST,
    MISSPELT,
    MODEL,
    PROVIDERS,
    is_on,
)
from metaio_verify.doctor.remedy import rename_variable, unset_variable
from metaio_verify.doctor.secrets import shown
from metaio_verify.doctor.settings import Scope, SettingsFile, read

_DECISIVE = (BASE_URL, *CREDENTIALS)


def flaws(case: Case) -> Suspicions:
    """A settings file that is no JSON, or that holds something without effect."""
    for file in case.configuration.files:
        for flaw in file.flaws:
            place = ":".join(str(part) for part in (file.path, flaw.line, flaw.column) if part)
            detail = "" if file.data else "Claude Code skips the whole file."
            yield suspect(
                flaw.id,
                f"{file.path}: {flaw.message}",
                flaw.action,
                detail=detail,
                origins=[f"{place} {flaw.key}".strip()],
            )


def hidden(case: Case) -> Suspicions:
    """A variable of the shell that a settings file beats with another value."""
    for name in (*_DECISIVE, MODEL, *PROVIDERS):
        value = case.configuration.variables.get(name)
        if value is None or not value.origin.is_file:
            continue
        exported = [one for one in value.hides if one.origin.scope is Scope.SHELL]
        if exported and exported[0].text != value.text:
            yield _beaten(case, value, exported[0])


def _beaten(case: Case, value: Value, exported: Value) -> Suspicion:
    action, fix = unset_variable(case.configuration, value.name)
    return suspect(
        "setting-beats-shell",
        f"{value.origin.path} beats your shell's {value.name}",
        f"If the shell is right: {action[0].lower()}{action[1:]}",
        detail=f"It holds {shown(value.name, value.text)}; what your shell exports, "
        f"{shown(exported.name, exported.text)}, has no effect.",
        origins=[value.origin, exported.origin],
        fix=fix,
    )


def misspelt(case: Case) -> Suspicions:
    """A variable whose name Claude Code does not know."""
    configuration = case.configuration
    for name, meant in MISSPELT.items():
        if (value := configuration.value(name)) and not configuration.text(meant):
            action, fix = rename_variable(configuration, name, meant)
            yield suspect(
                "variable-misspelt",
                f"{name} means nothing to Claude Code",
                action,
                detail=f"The name that it reads is {meant}.",
                origins=[value.origin],
                fix=fix,
                if_answered=None,
            )


def not_read(case: Case) -> Suspicions:
    """A settings file with the endpoint in it that Claude Code does not read from here."""
    configuration = case.configuration
    machine = configuration.machine
    if configuration.base_url:
        return
    home = machine.home / ".claude" / "settings.json"
    if machine.config_dir != home.parent and _tells(read(machine, Scope.USER, home)):
        yield suspect(
            "config-dir-elsewhere",
            f"{CONFIG_DIR} hides {machine.shown(home)}",
            f"Move the settings to {machine.shown(machine.config_dir)}/settings.json, or unset "
            f"{CONFIG_DIR}.",
            detail="The endpoint is set in a file that is not read.",
            origins=[f"{CONFIG_DIR} in the environment"],
        )
    for folder in machine.cwd.parents:
        path = folder / ".claude" / "settings.json"
        if path != home and machine.is_file(path) and _tells(read(machine, Scope.PROJECT, path)):
            yield _above(machine.shown(path), machine.shown(folder), path)


def _above(path: str, folder: str, real: Path) -> Suspicion:
    return suspect(
        "settings-in-folder-above",
        f"{path} is not read from this folder",
        f"Start Claude Code in {folder}, or put the env block into ~/.claude/settings.json.",
        detail=f"Claude Code reads {real.parent.name}/{real.name} of the folder that it is "
        "started in, not of those above.",
        origins=[path],
    )


def _tells(file: SettingsFile) -> bool:
    return BASE_URL in file.env


def trust(case: Case) -> Suspicions:
    """Settings of a folder that Claude Code was not told to trust."""
    values = case.configuration.untrusted
    if values:
        names = ", ".join(value.name for value in values)
        yield suspect(
            "folder-not-trusted",
            f"This folder's settings set {names}, and Claude Code was not told to trust it",
            "If you know who wrote them, start claude here and accept the question whether you "
            "trust the folder; then run the doctor again.",
            detail="Until then they have no effect in a session, and the doctor sends no key and "
            f"runs no {HELPER} on their word.",
            origins=[value.origin for value in values],
            if_answered=Severity.PROBLEM,
        )


def host(case: Case) -> Suspicions:
    """A program around Claude Code that says where requests go."""
    machine = case.configuration.machine
    if not is_on(machine.environ.get(MANAGED_BY_HOST, "")):
        return
    set_in = [file for file in case.configuration.files if any(n in file.env for n in _DECISIVE)]
    if set_in:
        action, fix = unset_variable(case.configuration, MANAGED_BY_HOST)
        yield suspect(
            "managed-by-host",
            f"{MANAGED_BY_HOST} makes Claude Code ignore the endpoint of its settings files",
            f"Set the endpoint in the program that starts Claude Code. Otherwise: {action}",
            origins=[f"{MANAGED_BY_HOST} in the environment", *(file.path for file in set_in)],
            fix=fix,
            if_answered=None,
        )


def login_demanded(case: Case) -> Suspicions:
    """Managed settings that allow nothing but a login."""
    configuration = case.configuration
    for key in ("forceLoginMethod", "forceLoginOrgUUID"):
        value = configuration.settings.get(key)
        if value is None or value.origin.scope is not Scope.MANAGED:
            continue
        if configuration.value(*CREDENTIALS) or configuration.helper:
            yield suspect(
                "login-demanded",
                f"{key} in your organisation's settings refuses the key of a gateway",
                f"Ask your administrator to take {key} out of {value.origin.path}.",
                detail="With it Claude Code starts with an Anthropic login only.",
                origins=[value.origin],
                if_answered=Severity.PROBLEM,
            )
            return
