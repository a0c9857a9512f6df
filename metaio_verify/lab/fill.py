"""Values that fit a JSON Schema: the arguments of tool calls and structured answers."""

from __future__ import annotations

from typing import Any

from metaio_verify.lab.prompt import JsonObject

_MAX_DEPTH = 12
_BY_FORMAT = {
    "date": "2026-11-22",
    "date-time": "2026-11-22T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "lab@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "6f1c2e5e-4c9a-4a53-9a0f-1f2d3c4b5a69",
}
_BY_TYPE: JsonObject = {"boolean": True, "null": None}


def fill(schema: Any, word: str) -> Any:
    """Return a value that fits the schema; free strings become `word`, numbers 1."""
    return _fill(schema, word, schema, 0)


def _fill(schema: Any, word: str, root: Any, depth: int) -> Any:
    schema = _resolved(schema, root, depth)
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return schema["enum"][0]
    for name in ("anyOf", "oneOf"):
        if isinstance(schema.get(name), list) and schema[name]:
            rest = {key: value for key, value in schema.items() if key != name}
            return _fill(_merged([rest, schema[name][0]]), word, root, depth + 1)
    match _type_of(schema):
        case "object":
            return _object(schema, word, root, depth)
        case "array":
            return _array(schema, word, root, depth)
        case "string":
            return _string(schema, word)
        case "integer" | "number":
            return _number(schema)
        case kind:
            return _BY_TYPE.get(kind, word)


def _resolved(schema: Any, root: Any, depth: int) -> JsonObject:
    """Return the schema with references and `allOf` taken in."""
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return {"type": "null"} if depth > _MAX_DEPTH else {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _resolved(_at(root, reference), root, depth + 1)
    if isinstance(schema.get("allOf"), list):
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return _merged([rest, *(_resolved(one, root, depth + 1) for one in schema["allOf"])])
    return schema


def _at(root: Any, reference: str) -> Any:
    """Return what a local reference (`#/$defs/name`) points to."""
    value = root
    for step in reference.lstrip("#").strip("/").split("/"):
        if step:
            key = step.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _merged(schemas: list[Any]) -> JsonObject:
    result: JsonObject = {}
    for schema in schemas:
        if not isinstance(schema, dict):
            continue
        for key, value in schema.items():
            known = result.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                result[key] = {**known, **value}
            elif key == "required" and isinstance(known, list) and isinstance(value, list):
                result[key] = known + value
            else:
                result[key] = value
    return result


def _type_of(schema: JsonObject) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _object(schema: JsonObject, word: str, root: Any, depth: int) -> JsonObject:
    """Fill what is required; all properties when nothing is said about that."""
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    names = schema.get("required")
    names = names if isinstance(names, list) else list(properties)
    return {str(name): _fill(properties.get(name, {}), word, root, depth + 1) for name in names}


def _array(schema: JsonObject, word: str, root: Any, depth: int) -> list[Any]:
    prefix = schema.get("prefixItems")
    items = [_fill(one, word, root, depth + 1) for one in prefix] if prefix else []
    least = schema.get("minItems", 1)
    least = min(least, 100) if isinstance(least, int) else 1
    while len(items) < least and schema.get("maxItems") != len(items):
        items.append(_fill(schema.get("items", {}), word, root, depth + 1))
    return items


def _string(schema: JsonObject, word: str) -> str:
    text = _BY_FORMAT.get(str(schema.get("format")), word)
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int):
        text = text.ljust(min(least, 10_000), "x")
    return text[:most] if isinstance(most, int) else text


def _number(schema: JsonObject) -> int | float:
    """Return 1, or the nearest number that the bounds allow."""
    value: int | float = 1
    for name, step in (("minimum", 0), ("exclusiveMinimum", 1)):
        bound = schema.get(name)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            value = max(value, bound + step)
    for name, step in (("maximum", 0), ("exclusiveMaximum", -1)):
        bound = schema.get(name)
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            value = min(value, bound + step)
    return value
