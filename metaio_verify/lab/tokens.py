"""The lab's tokens: how a prompt is counted, how an answer is cut.

A prompt costs a token for every four bytes of text and a little for each message, block and tool.
An answer is cut into words, numbers and signs, so that a bound on its tokens never splits a
character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from metaio_verify.lab.prompt import JsonObject, blocks_of, tool_list, turns

_WORD = re.compile(r"\s?[A-Za-z0-9]{1,8}|\s?[^\sA-Za-z0-9]|\s+")
_PER_REQUEST = 4
_PER_TOOL = 8
_PER_MESSAGE = 3
_PER_MEDIA = 64


class Segment(NamedTuple):
    """A part of the prompt that a cache breakpoint can stand behind."""

    tokens: int
    content: Any
    """What it is made of, without its breakpoint; equal content is equal prompt."""
    ttl: str | None
    """The life time of the breakpoint, when there is one."""


def segments(body: JsonObject) -> list[Segment]:
    """Return the prompt in its order: tools, system, messages."""
    found = [_segment(tool, _PER_TOOL + _size_of_json(tool)) for tool in tool_list(body)]
    found += [_segment(block, _size_of(block)) for block in blocks_of(body.get("system"))]
    for turn in turns(body):
        found.append(Segment(_PER_MESSAGE, turn.role, None))
        found += [_segment(block, _size_of(block)) for block in turn.blocks]
    found.append(Segment(_PER_REQUEST, None, None))
    return found


def words(text: str) -> Iterator[str]:
    """Yield the tokens of an answer; joined they are the text."""
    return (match.group() for match in _WORD.finditer(text))


def length(text: str) -> int:
    """Return how many tokens an answer's text has."""
    return sum(1 for _ in words(text))


def first(text: str, limit: int) -> str:
    """Return the first `limit` tokens of a text."""
    return "".join(islice(words(text), limit))


def _segment(block: JsonObject, tokens: int) -> Segment:
    marker = block.get("cache_control")
    if not isinstance(marker, dict):
        return Segment(tokens, block, None)
    bare = {name: value for name, value in block.items() if name != "cache_control"}
    return Segment(tokens, bare, str(marker.get("ttl", "5m")))


def _size_of(block: JsonObject) -> int:
    """Return the tokens of a block of any kind."""
    match block.get("type"):
        case "text":
            return _size_of_text(block.get("text"))
        case "thinking":
            return _size_of_text(block.get("thinking"))
        case "image":
            return _PER_MEDIA
        case "document":
            return _size_of_document(block.get("source"))
        case "tool_result" | "search_result":
            content = block.get("content")
            return _PER_MESSAGE + sum(map(_size_of, blocks_of(content)))
        case "tool_use":
            return _PER_MESSAGE + _size_of_json([block.get("name"), block.get("input")])
        case _:
            return _size_of_json(block)


def _size_of_document(source: Any) -> int:
    if not isinstance(source, dict) or source.get("type") not in ("text", "content"):
        return _PER_MEDIA
    return _PER_MESSAGE + _size_of_text(source.get("data"))


def _size_of_text(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return -(-size // 4)


def _size_of_json(value: Any) -> int:
    return -(-len(msgspec.json.encode(value)) // 4)
