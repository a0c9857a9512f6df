"""Reading a configuration file: every mistake with its line, and no secret in any message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from metaio_verify.config import ALL_TARGETS, Config, ConfigFile
from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.suite.shape import flaws
from metaio_verify.suite.source import Flaw, Source
from metaio_verify.suite.syntax import Node, parse
from metaio_verify.suite.words import listing, printable, quote
from metaio_verify.textfile import read_text

_KIND = "a configuration"
_STYLES = ("auto", "x-api-key", "bearer")

_KEY_NAMES = frozenset(
    (
        *("api-key", "apikey", "key", "token", "auth-token", "access-token", "bearer", "x-api-key"),
        *("authorization", "credential", "secret", "password"),
        *("anthropic-api-key", "anthropic-auth-token"),
    )
)
_KEY_VALUE = re.compile(r"\bsk-[\w-]{8,}|(?i:\bbearer\s+\S{8,})")
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TARGET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_NO_PLACE = "A file is no place for a key. Name its variable: `api-key-env: GATEWAY_TOKEN`."
_AT_LEAST = {"concurrency": 1, "max-body": 1024, "max-events": 1}
_ABOVE_ZERO = ("timeout", "connect-timeout", "request-timeout", "run-timeout")


def read(path: Path) -> ConfigFile:
    """Read a configuration.

    Raises:
        UserError: it cannot be read, or with every mistake in it.

    """
    name = printable(str(path))
    text = read_text(path, missing="`metaio-verify init` writes one.", pipes=True)
    root, problems = parse(text, name, _KIND)
    if problems:
        raise UserError(*problems)
    if root is None:
        return ConfigFile(path=path)
    source = Source(name, root)
    # A message about something else may repeat what it found, so a key is looked for first.
    found = list(_secrets(root)) or [*flaws(root, Config), *_senseless(root)]
    if found:
        raise UserError(*sorted(map(source.problem, found), key=Problem.position))
    config = msgspec.convert(_with_defaults(root.plain()), Config)
    return ConfigFile(config, path, _places(source, config))


def _places(source: Source, config: Config) -> dict[str, dict[tuple[str, str], Place]]:
    """Where each target says what is to be selected, and where the file does so for all."""
    return {
        name: dict(_asked_for(source, path))
        for name, path in {"": (), **{name: ("targets", name) for name in config.targets}}.items()
    }


def _asked_for(
    source: Source, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str, str], Place]]:
    for option in ("profile", "only", "skip", "tags"):
        node = source.node((*path, option))
        match node.value if node else None:
            case str() as text:
                yield (option, text), source.place((*path, option))
            case list() as items:
                for index, item in enumerate(items):
                    yield (option, item.value), source.place((*path, option, index))


def _with_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """Give each target the defaults of the file, except for the address."""
    shared = {key: value for key, value in data.items() if key not in ("targets", "base-url")}
    targets = {name: {**shared, **own} for name, own in data.get("targets", {}).items()}
    return {**data, "targets": targets}


def _secrets(root: Node) -> Iterator[Flaw]:
    """Every place where a key seems to stand."""
    known = {value for name, value in os.environ.items() if _may_hold_key(name) and len(value) > 7}
    for path, node in _walk(root):
        name = str(path[-1]).lower().replace("_", "-") if path else ""
        given = node.value
        if name in _KEY_NAMES and len(path) in (1, 3) and not isinstance(given, dict):
            yield Flaw(path, "a key does not belong here", _NO_PLACE)
        elif name == "api-key-env" and isinstance(given, str):
            if not _VARIABLE.fullmatch(given):
                hint = "Write the name alone, without `$`." if given[:1] == "$" else _NO_PLACE
                yield Flaw(path, "is no name of a variable", hint)
            elif _holds_key(given, known):
                yield Flaw(path, "holds a key", _NO_PLACE)
        elif isinstance(given, str) and _holds_key(given, known):
            yield Flaw(path, "holds a key", _NO_PLACE)


def _holds_key(text: str, known: set[str]) -> bool:
    return bool(_KEY_VALUE.search(text)) or any(secret in text for secret in known)


def _may_hold_key(variable: str) -> bool:
    return variable.endswith(("KEY", "TOKEN", "SECRET", "PASSWORD"))


def _walk(
    node: Node, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    yield path, node
    match node.value:
        case dict() as entries:
            for key, entry in entries.items():
                yield from _walk(entry.node, (*path, key))
        case list() as items:
            for index, item in enumerate(items):
                yield from _walk(item, (*path, index))


def _senseless(root: Node) -> Iterator[Flaw]:
    """What has the right type and makes no sense."""
    if not isinstance(root.value, dict):
        return
    yield from _values(root, ())
    entry = root.value.get("targets")
    targets = entry.node.value if entry else None
    if not isinstance(targets, dict):
        return
    shares_key = "api-key-env" in root.value
    for name, one in targets.items():
        path = ("targets", name)
        if name == ALL_TARGETS:
            yield Flaw(
                path, f"{quote(ALL_TARGETS)} stands for every target", "Give it another name."
            )
        elif not _TARGET_NAME.fullmatch(name):
            hint = "It goes into file names: letters, digits, dots, dashes and underscores."
            yield Flaw(path, "is no name for a target", hint)
        if isinstance(one.node.value, dict):
            yield from _missing(one.node.value, path, shares_key=shares_key)
            yield from _values(one.node, path)


def _missing(
    given: dict[str, Any], path: tuple[str | int, ...], *, shares_key: bool
) -> Iterator[Flaw]:
    if "base-url" not in given:
        yield Flaw(path, "`base-url` is missing", "A target says itself where it is.")
    if not shares_key and "api-key-env" not in given:
        hint = "Name the variable that holds its key, here or above `targets:`."
        yield Flaw(path, "`api-key-env` is missing", hint)


def _values(node: Node, path: tuple[str | int, ...]) -> Iterator[Flaw]:
    assert isinstance(node.value, dict)
    given = {key: entry.node.value for key, entry in node.value.items()}
    auth = given.get("auth")
    if isinstance(auth, str) and auth not in _STYLES:
        yield Flaw((*path, "auth"), f"must be {listing(_STYLES)}")
    for key, least in _AT_LEAST.items():
        value = given.get(key)
        if isinstance(value, int) and value < least:
            yield Flaw((*path, key), f"must be {least} or more, not {value}")
    for key in _ABOVE_ZERO:
        value = given.get(key)
        if isinstance(value, (int, float)) and value <= 0:
            yield Flaw((*path, key), f"must be a number of seconds above 0, not {value}")
    yield from _reports(given.get("reports"), path)


def _reports(given: Any, path: tuple[str | int, ...]) -> Iterator[Flaw]:
    if not isinstance(given, list):
        return
    from metaio_verify.report.formats import parse_target  # noqa: PLC0415 - few files name reports

    for index, item in enumerate(given):
        if isinstance(item.value, str):
            try:
                parse_target(item.value)
            except UserError as error:
                problem = error.problems[0]
                yield Flaw((*path, "reports", index), problem.message, problem.hint)
