"""The rules of `tools`, `tool_choice` and of the schemas that an answer has to fit."""

from __future__ import annotations

import re
from typing import Any

from metaio_verify.lab.blocks import CACHE_CONTROL
from metaio_verify.lab.prompt import JsonObject, thinking_type, tool_list
from metaio_verify.lab.shape import (
    Check,
    Problems,
    anything,
    boolean,
    fields,
    list_of,
    mapping,
    nullable,
    one_of,
    string,
    tagged,
)

_SERVER_TOOL = re.compile(
    r"(?:(?:web_search|web_fetch|code_execution|tool_search_tool_(?:regex|bm25)|memory|bash"
    r"|text_editor|computer|computer_toolset|browser_toolset|advisor)_\d{8}"
    r"|tool_search_tool_(?:regex|bm25)|mcp_toolset)"
)
_UNSUPPORTED = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "uniqueItems",
    "maxItems",
    "patternProperties",
)

_INPUT_SCHEMA = fields(
    {"type": one_of("object")},
    {"properties": nullable(mapping), "required": nullable(list_of(string()))},
    closed=False,
)
_CUSTOM_TOOL = fields(
    {"name": string(1, pattern=r"^[a-zA-Z0-9_-]{1,64}$"), "input_schema": _INPUT_SCHEMA},
    {
        "type": nullable(one_of("custom")),
        "description": string(),
        "cache_control": CACHE_CONTROL,
        "strict": nullable(boolean),
        "defer_loading": nullable(boolean),
        "eager_input_streaming": nullable(boolean),
        "input_examples": list_of(mapping),
        "allowed_callers": list_of(string(1)),
    },
)

_PARALLEL: dict[str, Check] = {"disable_parallel_tool_use": boolean}
check_tool_choice: Check = tagged(
    {
        "auto": fields({"type": anything}, _PARALLEL),
        "any": fields({"type": anything}, _PARALLEL),
        "tool": fields({"type": anything, "name": string(1)}, _PARALLEL),
        "none": fields({"type": anything}, {}),
    }
)


def check_tools(value: Any, path: str, problems: Problems) -> None:
    """Check each tool by itself."""
    if not isinstance(value, list):
        problems.add(path, "type", "Input should be a valid list")
        return
    for position, tool in enumerate(value):
        _check_tool(tool, f"{path}.{position}", problems)


def _check_tool(tool: Any, path: str, problems: Problems) -> None:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if kind is None or kind == "custom":
        _CUSTOM_TOOL(tool, f"{path}.custom", problems)
        if isinstance(tool, dict) and tool.get("strict") is True:
            check_schema(tool.get("input_schema"), f"{path}.custom.input_schema", problems)
    elif not isinstance(kind, str) or not _SERVER_TOOL.fullmatch(kind):
        problems.add(
            path,
            "tag",
            f"Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            "'custom', 'bash_20250124', 'code_execution_20260521', 'memory_20250818', "
            "'text_editor_20250728', 'web_fetch_20260318', 'web_search_20260318'",
        )
    elif kind != "mcp_toolset" and "toolset" not in kind:
        named = fields(
            {"type": anything, "name": string(1)}, {"cache_control": CACHE_CONTROL}, closed=False
        )
        named(tool, f"{path}.{kind}", problems)


def check_tool_use(body: JsonObject, problems: Problems) -> None:
    """Check what concerns several tools, or tools and other parameters."""
    tools = tool_list(body)
    names = [tool["name"] for tool in tools if isinstance(tool.get("name"), str)]
    if len(set(names)) < len(names):
        problems.say("tools.duplicate", "tools: Tool names must be unique.")
    if tools and all(tool.get("defer_loading") is True for tool in tools):
        problems.say(
            "tools.all-deferred",
            "At least one tool must have defer_loading=false. All tools cannot be deferred.",
        )
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return
    if not tools:
        problems.say(
            "tool_choice.without-tools",
            "tool_choice: may only be specified while providing `tools`",
        )
    elif choice.get("type") == "tool" and choice.get("name") not in names:
        problems.say(
            "tool_choice.unknown-tool",
            f"tool_choice: Tool '{choice.get('name')}' not found in provided tools",
        )
    if choice.get("type") in ("any", "tool") and thinking_type(body) == "enabled":
        problems.say(
            "tool_choice.with-thinking",
            "tool_choice: Thinking may not be enabled when tool_choice forces tool use.",
        )


def check_schema(schema: Any, path: str, problems: Problems) -> None:
    """Refuse what a schema that is enforced cannot hold: bounds, open objects, recursion."""
    if not isinstance(schema, dict):
        return
    _walk_schema(schema, path, problems)
    definitions = schema.get("$defs", schema.get("definitions"))
    if isinstance(definitions, dict) and _is_recursive(schema, definitions):
        problems.add(path, "recursive", "Recursive schemas are not supported")


def _walk_schema(schema: JsonObject, path: str, problems: Problems) -> None:
    for name in _UNSUPPORTED:
        if name in schema:
            kind = schema.get("type", "any")
            problems.add(path, name, f"For '{kind}' type, property '{name}' is not supported")
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        problems.add(
            path,
            "additionalProperties",
            "For 'object' type, 'additionalProperties' must be explicitly set to false",
        )
    for name, child in _children(schema):
        _walk_schema(child, f"{path}.{name}", problems)


def _children(schema: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return the schemas directly below, each with its path."""
    found: list[tuple[str, Any]] = [("items", schema.get("items"))]
    for name in ("properties", "$defs", "definitions"):
        below = schema.get(name)
        if isinstance(below, dict):
            found += [(f"{name}.{key}", child) for key, child in below.items()]
    for name in ("anyOf", "allOf", "oneOf"):
        several = schema.get(name)
        if isinstance(several, list):
            found += [(f"{name}.{place}", child) for place, child in enumerate(several)]
    return [(name, child) for name, child in found if isinstance(child, dict)]


def _is_recursive(schema: JsonObject, definitions: JsonObject) -> bool:
    """Return whether a reference leads back to itself, or to the whole schema."""
    edges = {name: _references(child) for name, child in definitions.items()}
    edges[""] = _references({**schema, "$defs": None, "definitions": None})
    reached = {name: set(targets) for name, targets in edges.items()}
    for _ in edges:
        for name, targets in reached.items():
            reached[name] = targets.union(*(reached.get(target, set()) for target in targets))
    return any(name in targets for name, targets in reached.items())


def _references(value: Any) -> set[str]:
    """Return the names of the definitions that a schema refers to; "" is the whole schema."""
    if isinstance(value, list):
        return set().union(*map(_references, value))
    if not isinstance(value, dict):
        return set()
    own = value.get("$ref")
    found = {own.rpartition("/")[2].lstrip("#")} if isinstance(own, str) else set()
    return found.union(*map(_references, value.values()))
