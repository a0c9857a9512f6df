"""A request body as the model reads it: turns, system texts, tools.

Wrong bodies are read as far as they make sense, because a fault may let one pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

JsonObject = dict[str, Any]


class Turn(NamedTuple):
    """One message, its content always as blocks."""

    role: str
    blocks: list[JsonObject]


def turns(body: JsonObject) -> list[Turn]:
    """Return the messages in order."""
    messages = body.get("messages")
    if isinstance(messages, str):
        return [Turn("user", blocks_of(messages))]
    if not isinstance(messages, list):
        return []
    return [
        Turn(str(message.get("role")), blocks_of(message.get("content")))
        for message in messages
        if isinstance(message, dict)
    ]


def blocks_of(content: Any) -> list[JsonObject]:
    """Return content as blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, dict)]


def text_of(blocks: list[JsonObject]) -> str:
    """Return the text of the text blocks, a line break between two."""
    return "\n".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")


def joined(messages: list[Turn]) -> list[Turn]:
    """Return the turns without system messages; neighbours of the same role become one."""
    result: list[Turn] = []
    for turn in messages:
        if turn.role == "system":
            continue
        if result and result[-1].role == turn.role:
            result[-1].blocks.extend(turn.blocks)
        else:
            result.append(Turn(turn.role, list(turn.blocks)))
    return result


def system_texts(body: JsonObject, messages: list[Turn]) -> list[str]:
    """Return what was said with the authority of the system, in order."""
    texts = [text_of([block]) for block in blocks_of(body.get("system"))]
    return texts + [text_of(turn.blocks) for turn in messages if turn.role == "system"]


def tool_list(body: JsonObject) -> list[JsonObject]:
    """Return the declared tools."""
    tools = body.get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def is_server_tool(tool: JsonObject) -> bool:
    """Return whether the endpoint itself runs the tool, or its shape is fixed by the API."""
    return tool.get("type") not in (None, "custom")


def loaded_tools(body: JsonObject, messages: list[Turn]) -> list[JsonObject]:
    """Return the client tools that may be called now; a deferred one only when it was found."""
    found = {
        part.get("tool_name")
        for turn in messages
        for block in turn.blocks
        for part in blocks_of(block.get("content"))
        if part.get("type") == "tool_reference"
    }
    return [
        tool
        for tool in tool_list(body)
        if not is_server_tool(tool)
        and isinstance(tool.get("name"), str)
        and (tool.get("defer_loading") is not True or tool["name"] in found)
    ]


def output_schema(body: JsonObject) -> JsonObject | None:
    """Return the JSON Schema that the answer has to fit, if one was given."""
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else None
    wanted = wanted or body.get("output_format")
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    return schema if isinstance(schema, dict) else None


def choice_of_tools(body: JsonObject) -> tuple[str, str | None, bool]:
    """Return the type of `tool_choice`, the tool it names, and whether several may be called."""
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return "auto", None, True
    return (
        str(choice.get("type", "auto")),
        choice.get("name"),
        choice.get("disable_parallel_tool_use") is not True,
    )


def thinking_type(body: JsonObject) -> str:
    """Return the mode of thinking; `disabled` when nothing was said."""
    thinking = body.get("thinking")
    return str(thinking.get("type")) if isinstance(thinking, dict) else "disabled"
