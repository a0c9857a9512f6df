"""The JSON Schema of check files, for editors: made from the model, so it cannot drift."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import msgspec

from metaio_verify.suite import grammar, model
from metaio_verify.suite.model import METHODS, CheckFile
from metaio_verify.suite.sense import ACCEPTABLE

FILE_NAME = "check-file.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def check_file_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. It knows the keys, types and forms; `lint` knows the rest."""
    (_,), parts = msgspec.json.schema_components([CheckFile], ref_template="#/$defs/{name}")
    for name, part in parts.items():
        part.pop("title", None)
        if not part.get("required"):
            part.pop("required", None)
        describe(part, getattr(model, name))
        part.get("properties", {}).pop("id", None)
    _polish_requests(parts)
    _polish_expectations(parts)
    _polish_checks(parts)
    root = parts.pop("CheckFile")
    _ids(root["properties"])
    return {"$schema": DRAFT, "title": "A check file of metaio-verify", **root, "$defs": parts}


def as_text() -> str:
    """The schema as it is published."""
    return msgspec.json.format(msgspec.json.encode(check_file_schema())).decode() + "\n"


def describe(part: dict[str, Any], cls: type) -> None:
    """Take the docstrings of a class and of its fields as descriptions."""
    if "description" in part:
        part["description"] = inspect.cleandoc(part["description"])
    for owner in reversed(cls.__mro__):
        if owner.__module__ == cls.__module__:
            for name, text in _field_docs(owner).items():
                if name in part.get("properties", {}):
                    field = part["properties"][name]
                    part["properties"][name] = {"description": text, **field}


def _field_docs(cls: type) -> dict[str, str]:
    """Key → the docstring that stands below its field in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for field, doc in zip(body.body, body.body[1:], strict=False):
        match field, doc:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                docs[name.replace("_", "-")] = inspect.cleandoc(text)
    return docs


def pattern_of(form: Any) -> str:
    """The form of a whole text, as JSON Schema writes it."""
    return f"^(?:{form.pattern})$"


def _within(bounds: tuple[int, int]) -> dict[str, int]:
    return {"minimum": bounds[0], "maximum": bounds[1]}


def _ids(kinds: dict[str, Any]) -> None:
    forms = {
        "probes": grammar.SLUG,
        "checks": grammar.CHECK_ID,
        "profiles": grammar.SLUG,
        "schemas": grammar.NAME,
    }
    for kind, form in forms.items():
        kinds[kind]["propertyNames"] = {"pattern": pattern_of(form)}


def _polish_requests(parts: dict[str, Any]) -> None:
    probe = parts["Probe"]
    probe["oneOf"] = [{"required": [method]} for method in METHODS]
    probe["not"] = {"required": ["json", "body"]}
    probe["dependentRequired"] = {"attempts": ["until", "json"]}
    keys = probe["properties"]
    for method in METHODS:
        keys[method] |= {"pattern": "^/(?!/)[^?#\\\\\\s]*$"}
    keys["times"] |= _within(grammar.TIMES)
    keys["at-once"] |= _within(grammar.AT_ONCE)
    keys["padding"] |= _within(grammar.PADDING)
    keys["attempts"]["maxItems"] = grammar.ATTEMPTS
    keys["timeout"] |= _SECONDS
    keys["headers"]["propertyNames"] = {
        "pattern": pattern_of(grammar.HEADER_NAME),
        "not": {"enum": sorted(grammar.FORBIDDEN_HEADERS)},
    }


_SECONDS = {"exclusiveMinimum": 0, "maximum": grammar.SECONDS}


def _polish_expectations(parts: dict[str, Any]) -> None:
    parts["Matcher"] = {
        "description": "A value that must be equal, or a JSON Schema that must hold.",
        "type": ["string", "number", "boolean", "null", "array", "object"],
        "propertyNames": {"enum": sorted(grammar.KEYWORDS)},
    }
    low, high = grammar.STATUS_CODES
    code = {
        "anyOf": [
            {"type": "integer", "minimum": low, "maximum": high},
            {"type": "string", "pattern": pattern_of(grammar.STATUS)},
        ]
    }
    matcher = {"$ref": "#/$defs/Matcher"}
    for name in ("Expect", "Alternative"):
        keys = parts[name]["properties"]
        keys["status"]["anyOf"] = [*code["anyOf"], {"type": "array", "items": code}]
        for key in ("text", "body"):
            keys[key] |= matcher
        for key in ("headers", "json", "json-if-present", "events"):
            keys[key]["additionalProperties"] = matcher
        parts[name]["minProperties"] = 1
    for key in parts["Timing"]["properties"].values():
        key["anyOf"] = [{"type": "number", **_SECONDS}, {"type": "null"}]
    verdict = parts["Alternative"]["properties"]["verdict"]
    del verdict["$ref"], parts["Verdict"]
    verdict["enum"] = [str(v) for v in ACCEPTABLE]
    parts["Alternative"]["minProperties"] = 3


def _polish_checks(parts: dict[str, Any]) -> None:
    check = parts["Check"]
    check["anyOf"] = [{"required": ["expect"]}, {"required": ["rule"]}]
    check["dependentRequired"] = {"args": ["rule"]}
    contract = {"type": "string", "pattern": pattern_of(grammar.CONTRACT_ID)}
    check["properties"]["contract"]["anyOf"] = [contract, {"type": "array", "items": contract}]
    for key in ("tags", "faults"):
        check["properties"][key]["items"]["pattern"] = pattern_of(grammar.SLUG)
    parts["Profile"]["anyOf"] = [{"required": ["checks"]}, {"required": ["tags"]}]
