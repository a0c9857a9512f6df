"""`metaio-verify.yaml`: defaults for the command line. Flags win, then the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from metaio_verify.errors import Place, Problem, UserError

FILE_NAME = "metaio-verify.yaml"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What a configuration file can say. It never holds a key, only the name of a variable."""

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


@dataclass(frozen=True)
class Credentials:
    """What the environment says about the endpoint."""

    base_url: str | None
    api_key: str | None
    model: str | None
    secrets: tuple[str, ...]
    """Every credential that was seen, used or not."""


def read_config(path: Path | None) -> Config:
    """Read a configuration file; the one of the working folder when none is named.

    Raises `UserError` for a named file that is missing and for anything it should not hold.
    """
    chosen = path or Path(FILE_NAME)
    try:
        text = chosen.read_text(encoding="utf-8")
    except FileNotFoundError:
        if path is None:
            return Config()
        raise UserError(Problem("the file does not exist", Place(str(chosen)))) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(Problem(f"cannot be read: {reason}", Place(str(chosen)))) from None
    return _parse(text, str(chosen))


def _parse(text: str, path: str) -> Config:
    import yaml  # noqa: PLC0415 - slow, and only needed where there is such a file

    try:
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise UserError(Problem(f"not valid YAML: {error.problem}", place)) from None
    except (yaml.YAMLError, RecursionError):
        raise UserError(Problem("not valid YAML", Place(path))) from None
    if data is None:
        return Config()
    if not isinstance(data, dict):
        raise UserError(Problem("a configuration is a mapping of keys", Place(path)))
    _refuse_unknown(data, text, path)
    try:
        return msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        key = str(error).partition("`$.")[2].partition("`")[0].partition("[")[0]
        raise UserError(Problem(str(error), Place(path, _line(text, key)))) from None


def _refuse_unknown(data: dict[Any, Any], text: str, path: str) -> None:
    known = [field.encode_name for field in msgspec.structs.fields(Config)]
    problems = []
    for key in data:
        if key in known:
            continue
        hint = f"the keys are: {', '.join(known)}"
        if key in ("api-key", "api_key"):
            hint = "a file is no place for a key: name its variable with api-key-env"
        elif near := difflib.get_close_matches(str(key), known, n=1):
            hint = f"did you mean {near[0]!r}?"
        problems.append(Problem(f"unknown key {key!r}", Place(path, _line(text, str(key))), hint))
    if problems:
        raise UserError(*problems)


def _line(text: str, key: str) -> int | None:
    for number, line in enumerate(text.splitlines(), start=1):
        if key and line.lstrip().startswith((f"{key}:", f'"{key}"', f"'{key}'")):
            return number
    return None


def read_environment(config: Config, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Take base URL, key and model from the environment, as Claude Code and the SDKs do."""
    names = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]
    if config.api_key_env:
        if not environ.get(config.api_key_env):
            name = config.api_key_env
            raise UserError(Problem(f"the variable {name}, named by api-key-env, is not set"))
        names.insert(0, config.api_key_env)
    secrets = tuple(value for name in names if (value := environ.get(name, "").strip()))
    return Credentials(
        base_url=environ.get("ANTHROPIC_BASE_URL") or None,
        api_key=secrets[0] if secrets else None,
        model=environ.get("ANTHROPIC_MODEL") or None,
        secrets=secrets,
    )
