"""Variants of the message: ids, names, thinking, calls, usage."""

from __future__ import annotations

import secrets
from typing import Any

from metaio_verify.lab import variant
from metaio_verify.lab.prompt import JsonObject, choice_of_tools, turns
from metaio_verify.lab.seal import sign
from metaio_verify.lab.types import Request

_CACHE_FIELDS = ("cache_creation_input_tokens", "cache_read_input_tokens")


def _calls(message: JsonObject) -> list[JsonObject]:
    return [block for block in message["content"] if block["type"] == "tool_use"]


# Names


@variant.message
def message_id_without_prefix(message: JsonObject, _request: Request) -> JsonObject:
    """Message ids are plain hexadecimal numbers."""
    return {**message, "id": secrets.token_hex(16)}


@variant.message
def tool_id_without_prefix(message: JsonObject, _request: Request) -> JsonObject:
    """Ids of tool calls have another vendor's prefix."""
    for call in _calls(message):
        call["id"] = call["id"].replace("toolu_", "call_")
    return message


@variant.message
def model_alias_answers(message: JsonObject, _request: Request) -> JsonObject:
    """The answer names the model that the alias stands for."""
    return {**message, "model": f"{message['model']}-20261001"}


# Thinking


@variant.body
def thinks_unasked(body: JsonObject, request: Request) -> JsonObject:
    """The model thinks first, also when nobody asked; the text of its thoughts is shown."""
    return {"thinking": {"type": "adaptive"}, **body} if request.is_messages else body


@variant.body
def thinks_in_silence(body: JsonObject, request: Request) -> JsonObject:
    """The model always thinks first and never shows its thoughts."""
    if not request.is_messages:
        return body
    thinking: JsonObject = {**(body.get("thinking") or {"type": "adaptive"}), "display": "omitted"}
    return {**body, "thinking": thinking}


@variant.body
def adaptive_thinking_not_needed(body: JsonObject, _request: Request) -> JsonObject:
    """The model does not think when it may choose."""
    if (body.get("thinking") or {}).get("type") != "adaptive":
        return body
    return {name: value for name, value in body.items() if name != "thinking"}


@variant.message
def thinking_unsigned(message: JsonObject, _request: Request) -> JsonObject:
    """A backend without signatures sends empty ones."""
    for block in message["content"]:
        if block["type"] == "thinking":
            block["signature"] = ""
    return message


@variant.message
def words_before_calls_are_thoughts(message: JsonObject, request: Request) -> JsonObject:
    """What the model says before it calls a tool comes as a thinking block without its text."""
    if not _calls(message):
        return message
    content = [
        {
            "type": "thinking",
            "thinking": "",
            "signature": sign(block["text"], request.key, shown=False),
        }
        if block["type"] == "text"
        else block
        for block in message["content"]
    ]
    return {**message, "content": content}


# Content


@variant.message
def calls_twice(message: JsonObject, request: Request) -> JsonObject:
    """Where one call was asked for the model makes two at once, unless that is forbidden."""
    calls = _calls(message)
    _, _, parallel = choice_of_tools(request.json)
    if len(calls) != 1 or not parallel:
        return message
    second = {**calls[0], "id": f"toolu_01{secrets.token_hex(11)}"}
    return {**message, "content": [*message["content"], second]}


@variant.message
def calls_without_words(message: JsonObject, _request: Request) -> JsonObject:
    """A tool is called without a word."""
    if not _calls(message):
        return message
    kept = [block for block in message["content"] if block["type"] != "text"]
    return {**message, "content": kept}


@variant.message
def calls_name_their_caller(message: JsonObject, _request: Request) -> JsonObject:
    """Tool calls carry the newest optional fields."""
    for call in _calls(message):
        call["caller"] = {"type": "direct"}
        call["toolset_name"] = None
    return message


@variant.message
def server_tool_call_left_open(message: JsonObject, _request: Request) -> JsonObject:
    """Beside the call for the client stands one of a server tool that has no result yet."""
    calls = _calls(message)
    if not calls:
        return message
    search = {
        "type": "server_tool_use",
        "id": f"srvtoolu_01{secrets.token_hex(11)}",
        "name": "web_search",
        "input": {"query": "weather"},
    }
    place = message["content"].index(calls[0])
    content = [*message["content"][:place], search, *message["content"][place:]]
    return {**message, "content": content}


@variant.message
def nothing_to_add_after_tools(message: JsonObject, request: Request) -> JsonObject:
    """A tool's result without a question is answered with no content and end_turn."""
    last = turns(request.json)[-1].blocks if request.json else []
    only_results = all(block.get("type") == "tool_result" for block in last)
    if not last or not only_results or message["stop_reason"] != "end_turn":
        return message
    return {**message, "content": [], "usage": {**message["usage"], "output_tokens": 1}}


@variant.message
def another_tool_chosen(message: JsonObject, _request: Request) -> JsonObject:
    """The model reads a file where the user asks for a command."""
    for call in _calls(message):
        if call["name"] == "run_command":
            call |= {"name": "read_file", "input": {"file_path": "/etc/hostname"}}
    return message


@variant.message
def text_with_citations(message: JsonObject, _request: Request) -> JsonObject:
    """Text blocks have the field citations, null."""
    for block in message["content"]:
        if block["type"] == "text":
            block["citations"] = None
    return message


@variant.message
def unknown_fields(message: JsonObject, _request: Request) -> JsonObject:
    """Messages, blocks and usage have fields that no client knows yet."""
    for block in message["content"]:
        if block["type"] == "text":
            block["mood"] = {"calm": True}
    usage = {**message["usage"], "energy": {"joule": 3}, "inference_geo": "eu", "iterations": None}
    return {**message, "usage": usage, "weather": None, "container": None}


@variant.message
def optional_fields_absent(message: JsonObject, _request: Request) -> JsonObject:
    """Only what every message has to have is there."""
    needed = ("input_tokens", "output_tokens", *_CACHE_FIELDS)
    kept = {name: value for name, value in message.items() if name != "stop_details"}
    return {**kept, "usage": {name: message["usage"][name] for name in needed}}


# Answers that are none


@variant.message
def refuses_what_is_special(message: JsonObject, request: Request) -> JsonObject:
    """The model refuses each request with tools, thinking or a format: 200 with `refusal`."""
    if not request.json.keys() & {"tools", "thinking", "output_config", "output_format"}:
        return message
    details = {"type": "refusal", "category": None, "explanation": None}
    usage = {**message["usage"], "output_tokens": 1}
    ended = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
    return {**message, "content": [], **ended, "usage": usage}


@variant.message
def thinks_until_max_tokens(message: JsonObject, request: Request) -> JsonObject:
    """Where the model may think, its thoughts use up max_tokens; no text comes."""
    thoughts = [block for block in message["content"] if block["type"] == "thinking"]
    limit = request.json.get("max_tokens")
    if not thoughts or not isinstance(limit, int) or "tools" in request.json:
        return message
    used = {"output_tokens": limit, "output_tokens_details": {"thinking_tokens": limit}}
    usage = {**message["usage"], **used}
    return {**message, "content": thoughts, "stop_reason": "max_tokens", "usage": usage}


# Usage


def _uncached(message: JsonObject, said: Any) -> JsonObject:
    """Return the message of a server without a cache, and what it says of it."""
    usage = message["usage"]
    read = {name: usage.pop(name) for name in _CACHE_FIELDS}
    usage.pop("cache_creation", None)
    usage["input_tokens"] += sum(read.values())
    return {**message, "usage": {**usage, **dict.fromkeys(_CACHE_FIELDS, said)}}


@variant.message
def cache_fields_zero(message: JsonObject, _request: Request) -> JsonObject:
    """Nothing is ever cached: the fields are 0."""
    return _uncached(message, 0)


@variant.message
def cache_fields_null(message: JsonObject, _request: Request) -> JsonObject:
    """Nothing is ever cached: the fields are null."""
    return _uncached(message, None)


@variant.message
def cache_fields_absent(message: JsonObject, _request: Request) -> JsonObject:
    """Nothing is ever cached, and usage does not speak of it."""
    message = _uncached(message, None)
    for name in _CACHE_FIELDS:
        del message["usage"][name]
    return message
