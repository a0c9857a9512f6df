"""What several faults do to a request: read its body, change the objects in it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from metaio_verify.lab.gateway.change import UNFIT, Call

Json: TypeAlias = dict[str, Any]


def edited(call: Call, edit: Callable[[Json], None]) -> Call:
    """Return the call with its JSON body changed in place; one without its parts as it is."""
    body = call.json
    if not isinstance(body, dict):
        return call
    try:
        edit(body)
    except UNFIT:
        return call
    return call.with_json(body)


def contents(body: Json) -> Iterator[list[Any]]:
    """Give every list of content blocks of the conversation, also those inside tool results."""
    for message in body.get("messages", []):
        content = message.get("content")
        if isinstance(content, list):
            yield content
            for block in content:
                inner = block.get("content") if isinstance(block, dict) else None
                if isinstance(inner, list):
                    yield inner


def blocks(body: Json, kind: str) -> Iterator[Json]:
    """Give the blocks of one type."""
    for content in contents(body):
        yield from (block for block in content if block.get("type") == kind)


def drop(body: Json, doomed: Callable[[Json], bool]) -> None:
    """Take out the blocks of which something holds."""
    for content in contents(body):
        content[:] = [block for block in content if not doomed(block)]


def objects(value: Any) -> Iterator[Json]:
    """Give every object inside a value."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for child in list(value.values() if isinstance(value, dict) else value):
            yield from objects(child)


def texts(body: Json, change: Callable[[str], str]) -> None:
    """Change every text of the conversation."""
    for message in body.get("messages", []):
        if isinstance(message.get("content"), str):
            message["content"] = change(message["content"])
    for block in blocks(body, "text"):
        block["text"] = change(block["text"])


def duplicate(value: Any) -> Any:
    """Return a copy that shares nothing."""
    return copy.deepcopy(value)
