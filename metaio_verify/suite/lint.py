"""Will the judge understand an expectation? Its paths, schemas, rules and names of violations.

This loads the judge and its libraries, so it is imported where a check file of somebody is read
and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import jsonschema_rs
from msgspec import UNSET

from metaio_verify.judge.match import check_matcher
from metaio_verify.judge.path import compile_path
from metaio_verify.judge.rules import RULES
from metaio_verify.judge.violation import Violation
from metaio_verify.probe.template import fill
from metaio_verify.suite import grammar
from metaio_verify.suite.model import Check, CheckFile, Expect
from metaio_verify.suite.sense import expectations
from metaio_verify.suite.source import Flaw, Path
from metaio_verify.suite.words import quote, suggest


def flaws(
    file: CheckFile, schemas: Mapping[str, Mapping[str, Any]], names: Collection[str]
) -> Iterator[Flaw]:
    """Everything that the judge could not use.

    Args:
        file: the parts of a file whose keys and types are right
        schemas: the named schemas of the suite
        names: the names of all schemas, also of those that are wrong

    """
    for id_, check in file.checks.items():
        if check.rule is not UNSET and check.rule not in RULES:
            hint = suggest(check.rule, RULES)
            yield Flaw(("checks", id_, "rule"), f"unknown rule {quote(check.rule)}", hint)
        yield from _faults(check, ("checks", id_, "faults"))
    for id_, probe in file.probes.items():
        for key, paths in (
            ("capture", probe.capture),
            ("capture-all", probe.capture_all),
            ("capture-sent", probe.capture_sent),
        ):
            for name, text in paths.items():
                yield from _json_path(text, ("probes", id_, key, name))
    matchers = _Matchers(schemas, names)
    for id_, schema in file.schemas.items():
        yield from matchers.flaws(schema, ("schemas", id_))
    for path, expect in expectations(file):
        yield from _paths(expect, path)
        yield from _expect(expect, path, matchers)


def _faults(check: Check, path: Path) -> Iterator[Flaw]:
    """Faults that the lab does not have: such a check was never seen to fail."""
    named = [(index, id_) for index, id_ in enumerate(check.faults) if grammar.SLUG.fullmatch(id_)]
    if not named:
        return
    # The lab is loaded for those who name one of its faults.
    from metaio_verify.lab.faults import FAULTS  # noqa: PLC0415
    from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS  # noqa: PLC0415

    for index, id_ in named:
        if id_ not in FAULTS and id_ not in GATEWAY_FAULTS:
            hint = suggest(id_, [*FAULTS, *GATEWAY_FAULTS]) or _ALL_FAULTS
            yield Flaw((*path, index), f"unknown fault {quote(id_)}", hint)


_ALL_FAULTS = "`metaio-verify serve --fault list` shows those of the embedded endpoint."


def _paths(expect: Expect, path: Path) -> Iterator[Flaw]:
    for key in ("json", "json_if_present", "events"):
        for text in getattr(expect, key):
            yield from _json_path(text, (*path, key.replace("_", "-"), text))
    for index, text in enumerate(expect.absent):
        yield from _json_path(text, (*path, "absent", index))


def _json_path(text: str, path: Path) -> Iterator[Flaw]:
    try:
        compile_path(text)
    except ValueError as error:
        yield Flaw(path, f"{quote(text)} is not a JSONPath: {_said(error)}")
    except RecursionError:
        yield Flaw(path, f"{quote(text)} is not a JSONPath: nested too deeply")


def _said(error: Exception) -> str:
    """What a library says, which may quote the file."""
    return quote(str(error).partition("\n")[0], longest=200)[1:-1]


def _expect(expect: Expect, path: Path, matchers: _Matchers) -> Iterator[Flaw]:
    if isinstance(expect.stream, list):
        for index, word in enumerate(expect.stream):
            if word not in list(Violation):
                hint = suggest(word, map(str, Violation))
                message = f"unknown stream violation {quote(word)}"
                yield Flaw((*path, "stream", index), message, hint)
    if isinstance(expect.schema, str) and expect.schema not in matchers.names:
        hint = suggest(expect.schema, matchers.names)
        yield Flaw((*path, "schema"), f"unknown schema {quote(expect.schema)}", hint)
    for key in ("schema", "text", "body"):
        yield from matchers.flaws(getattr(expect, key), (*path, key))
    for key in ("headers", "json", "json_if_present", "events"):
        for name, matcher in getattr(expect, key).items():
            yield from matchers.flaws(matcher, (*path, key.replace("_", "-"), name))


class _Matchers:
    """Judges matchers; those that are no mapping stand for themselves and are always right."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]], names: Collection[str]) -> None:
        self.names = names
        self._schemas = schemas

    def flaws(self, matcher: Any, path: Path) -> Iterator[Flaw]:
        if not isinstance(matcher, dict):
            return
        plain = fill(matcher, lambda _: "x")
        try:
            jsonschema_rs.meta.validate(plain)
        except (jsonschema_rs.ValidationError, ValueError) as error:
            inside = getattr(error, "instance_path", [])
            yield Flaw((*path, *inside), f"not a JSON Schema: {_said(error)}")
            return
        found = list(self._keywords(plain, path))
        yield from found
        if not found:
            try:
                check_matcher(plain, self._schemas)
            except ValueError as error:
                yield Flaw(path, f"not a usable JSON Schema: {_said(error)}")

    def _keywords(self, schema: Any, path: Path) -> Iterator[Flaw]:
        if not isinstance(schema, dict):
            return
        for key, value in schema.items():
            here = (*path, key)
            if key not in grammar.KEYWORDS:
                hint = suggest(key, grammar.KEYWORDS) or "To compare with a mapping: {const: {…}}."
                yield Flaw(path, f"unknown JSON Schema keyword {quote(key)}", hint, key)
            elif key == "$ref":
                yield from self._reference(str(value), here)
            elif key in grammar.SUBSCHEMA:
                yield from self._keywords(value, here)
            elif key in grammar.SUBSCHEMA_LIST:
                for index, item in enumerate(value):
                    yield from self._keywords(item, (*here, index))
            elif key in grammar.SUBSCHEMA_MAP:
                for name, item in value.items():
                    yield from self._keywords(item, (*here, name))

    def _reference(self, text: str, path: Path) -> Iterator[Flaw]:
        name = text.partition("#")[0]
        if not name or name in self.names:
            return
        hint = suggest(name, self.names)
        if ":" in name or "/" in name:
            hint = "Nothing is read from elsewhere: name a schema of the suite, or `#/$defs/…`."
        yield Flaw(path, f"`$ref` names the unknown schema {quote(name)}", hint)
