"""`metaio-verify.yaml`: defaults for the command line, and named targets.

Without a target, flags win, then the environment, then the file. A target says itself where it is
and which variable holds its key, so that one command verifies staging and production with a key
of their own each, and neither with what a shell happens to hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.suite.words import listing, quote, suggest

FILE_NAME = "metaio-verify.yaml"
ALL_TARGETS = "all"

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
"""What a variable's name looks like; anything else might be a key, and is not repeated."""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What can be said of one target. It never holds a key, only the name of a variable."""

    base_url: str | None = None
    api_key_env: str | None = None
    """The environment variable that holds the key."""
    auth: str | None = None
    models: list[str] = msgspec.field(default_factory=list)
    profile: str | None = None
    only: list[str] = msgspec.field(default_factory=list)
    skip: list[str] = msgspec.field(default_factory=list)
    tags: list[str] = msgspec.field(default_factory=list)
    checks: list[str] = msgspec.field(default_factory=list)
    reports: list[str] = msgspec.field(default_factory=list)
    strict: bool | None = None
    concurrency: int | None = None
    timeout: float | None = None
    connect_timeout: float | None = None
    request_timeout: float | None = None
    run_timeout: float | None = None
    max_body: int | None = None
    max_events: int | None = None
    ca_bundle: str | None = None
    baseline: str | None = None


class Config(Target, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What a configuration file can say: defaults, and targets that add to them or differ."""

    targets: dict[str, Target] = msgspec.field(default_factory=dict)
    """Name → what is true of this target; after reading, with the defaults of the file."""


class ConfigFile(msgspec.Struct, frozen=True):
    """A configuration as it was read."""

    config: Config = msgspec.field(default_factory=Config)
    path: Path | None = None
    """None where there is no file."""
    places: Mapping[str, Mapping[tuple[str, str], Place]] = msgspec.field(default_factory=dict)
    """Target (empty: the defaults of the file) → option and value → where that is asked for."""

    def places_of(self, target: str) -> dict[tuple[str, str], Place]:
        """Where a target, or else the defaults of the file, ask for something to be selected."""
        return {**self.places.get("", {}), **self.places.get(target, {})}


@dataclass(frozen=True)
class Credentials:
    """What the environment says about the endpoint."""

    base_url: str | None
    api_key: str | None = field(repr=False)
    model: str | None
    secrets: tuple[str, ...] = field(repr=False)
    """Every credential that was seen, used or not."""


NOTHING = Credentials(None, None, None, ())
"""An environment that says nothing."""


def read_config(path: Path | None) -> ConfigFile:
    """Read a configuration file; the one of the working folder when none is named.

    Raises `UserError` for a named file that is missing and for everything it should not hold.
    """
    chosen = path or Path(FILE_NAME)
    if path is None and not chosen.exists():
        return ConfigFile()
    from metaio_verify.configfile import read  # noqa: PLC0415 - most runs have no file

    return read(chosen)


def named_targets(config: Config, names: Sequence[str]) -> dict[str, Target]:
    """Return the targets that were asked for, in the order of the file for `all`.

    Raises:
        UserError: there is no such target; the nearest right name is given.

    """
    if not config.targets and names:
        raise UserError(
            Problem(
                f"no target {quote(names[0])}: the configuration names none",
                hint=f"write `targets:` into {FILE_NAME}; `metaio-verify init` writes an example",
            )
        )
    unknown = [name for name in names if name not in (*config.targets, ALL_TARGETS)]
    if unknown:
        known = [*config.targets, ALL_TARGETS]
        raise UserError(
            *(
                Problem(f"unknown target {quote(name)}", hint=suggest(name, known))
                for name in unknown
            )
        )
    if ALL_TARGETS in names:
        return dict(config.targets)
    return {name: config.targets[name] for name in names}


def read_environment(
    config: Target, environ: Mapping[str, str] = os.environ, named_by: str = "api-key-env"
) -> Credentials:
    """Take base URL, key and model from the environment, as Claude Code and the SDKs do."""
    names = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]
    if config.api_key_env:
        key_in(config.api_key_env, environ, named_by)
        names.insert(0, config.api_key_env)
    secrets = _secrets(names, environ)
    return Credentials(
        base_url=environ.get("ANTHROPIC_BASE_URL") or None,
        api_key=secrets[0] if secrets else None,
        model=environ.get("ANTHROPIC_MODEL") or None,
        secrets=secrets,
    )


def credentials_of(
    name: str, target: Target, environ: Mapping[str, str] = os.environ
) -> Credentials:
    """Take the key of a target from the variable that it names, and nothing else.

    The other secrets of the environment are kept out of the record all the same.
    """
    variable = target.api_key_env or ""
    key_in(variable, environ, "api-key-env", f"target {quote(name)}: ")
    secrets = _secrets([variable, "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"], environ)
    return Credentials(target.base_url, secrets[0], None, secrets)


def no_target_named(config: Config) -> Problem:
    """The problem of a run without a base URL where the file has targets."""
    names = [*config.targets, ALL_TARGETS]
    return Problem(
        "no base URL was given, and no target was named",
        hint=f"give --target: {listing(names)}",
    )


def key_in(variable: str, environ: Mapping[str, str], named_by: str, subject: str = "") -> str:
    """Return the key that a variable holds.

    Raises:
        UserError: it is not set; what might be a key instead of a name is not repeated.

    """
    key = environ.get(variable, "").strip()
    if not key:
        named = (
            f"the variable {variable}, named by {named_by},"
            if _VARIABLE.fullmatch(variable)
            else f"the variable that {named_by} names"
        )
        raise UserError(Problem(f"{subject}{named} is not set", hint="export it in this shell"))
    return key


def _secrets(names: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value for name in names if (value := environ.get(name, "").strip()))
