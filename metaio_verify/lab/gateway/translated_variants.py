"""Variants of translating gateways: where two translations are defensible, the other one.

What acts on the client's words is before the translator, what acts on the upstream's behind it.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec

from metaio_verify.lab.gateway import variant
from metaio_verify.lab.gateway.change import Call, Reply
from metaio_verify.lab.gateway.faults.answers import message_edited
from metaio_verify.lab.gateway.faults.editing import Json, blocks, edited
from metaio_verify.lab.gateway.faults.streams import rewritten
from metaio_verify.lab.gateway.wording import parts

OF_CHAT = "translated-chat-"
OF_RESPONSES = "translated-responses-"
"""How the names of those begin that only one API knows."""


def _sent(call: Call, edit: Callable[[Json], None]) -> list[Call]:
    return [edited(call, edit)]


# Whatever the upstream speaks


@variant.forward
def translated_attribution_left_out(call: Call, _client: Call) -> Call:
    """The attribution line of Claude Code stays with the gateway."""

    def edit(body: Json) -> None:
        line = "x-anthropic-billing-header"
        body["system"] = [one for one in body["system"] if not one["text"].startswith(line)]

    return edited(call, edit)


@variant.forward
def translated_system_in_first_message(call: Call, _client: Call) -> Call:
    """The system prompt stands at the beginning of the first message."""

    def edit(body: Json) -> None:
        first = body["messages"][0]
        first["content"] = [*parts(body.pop("system", None)), *parts(first["content"])]

    return edited(call, edit)


@variant.forward
def translated_system_role_as_user(call: Call, _client: Call) -> Call:
    """A system message inside the conversation becomes the user's."""

    def edit(body: Json) -> None:
        for message in body["messages"]:
            if message["role"] == "system":
                message["role"] = "user"

    return edited(call, edit)


@variant.forward
def translated_call_ids_of_its_own(call: Call, _client: Call) -> Call:
    """Earlier calls and their results get other ids."""

    def edit(body: Json) -> None:
        own = {one["id"]: f"call_{number}" for number, one in enumerate(blocks(body, "tool_use"))}
        for block in blocks(body, "tool_use"):
            block["id"] = own[block["id"]]
        for block in blocks(body, "tool_result"):
            block["tool_use_id"] = own[block["tool_use_id"]]

    return edited(call, edit)


@variant.forward
def translated_results_as_json(call: Call, _client: Call) -> Call:
    """The texts of a tool's result go up as the JSON of a list, a failure as a field of it."""

    def edit(body: Json) -> None:
        for block in blocks(body, "tool_result"):
            content = parts(block["content"])
            written: Any = [part for part in content if part["type"] == "text"]
            if block.pop("is_error", False):
                written = {"is_error": True, "content": written}
            text = {"type": "text", "text": msgspec.json.encode(written).decode()}
            block["content"] = [text, *(part for part in content if part["type"] != "text")]

    return edited(call, edit)


@variant.back
async def translated_refusals_as_400(reply: Reply, _client: Call) -> Reply:
    """A 404 or a 413 of the upstream is a 400."""
    return replace(reply, status=400) if reply.status in (404, 413) else reply


@variant.back
async def translated_overload_as_503(reply: Reply, _client: Call) -> Reply:
    """An upstream that is not available is a 503."""
    return replace(reply, status=503) if reply.status == 529 else reply


@variant.back
async def translated_refusals_said(reply: Reply, _client: Call) -> Reply:
    """A refusal is a message whose text says it."""

    def edit(message: Json) -> None:
        if message["stop_reason"] == "refusal":
            said = {"type": "text", "text": message["stop_details"]["explanation"]}
            message |= {"content": [said], "stop_reason": "end_turn", "stop_details": None}

    return await message_edited(reply, edit)


@variant.back
async def translated_cache_not_told(reply: Reply, _client: Call) -> Reply:
    """Cached tokens of a plain answer are counted as input tokens, and not as cached ones."""

    def edit(message: Json) -> None:
        usage = message["usage"]
        usage["input_tokens"] += usage["cache_read_input_tokens"]
        usage["cache_read_input_tokens"] = 0

    return await message_edited(reply, edit)


@variant.relay
def translated_arguments_in_one_piece(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """The arguments of a call are held back until they are complete."""
    held: dict[int, str] = {}

    def edit(data: Json) -> None:
        if "partial_json" in data["delta"]:
            text = held.get(data["index"], "") + data["delta"]["partial_json"]
            try:
                msgspec.json.decode(text)
            except msgspec.DecodeError:
                held[data["index"]], text = text, ""
            data["delta"]["partial_json"] = text

    return rewritten(pieces, edit)


# Chat completions


def _of_role(body: Json, role: str) -> Iterator[Json]:
    return (message for message in body["messages"] if message["role"] == role)


@variant.send
def translated_chat_older_fields(call: Call, _client: Call) -> list[Call]:
    """The limit is `max_tokens`, and content that is nothing but text a string."""

    def edit(body: Json) -> None:
        body["max_tokens"] = body.pop("max_completion_tokens")
        for message in body["messages"]:
            content = message["content"] or []
            if all(isinstance(part, dict) and part["type"] == "text" for part in content):
                message["content"] = "\n\n".join(part["text"] for part in content) or None

    return _sent(call, edit)


@variant.send
def translated_chat_stops_sent(call: Call, client: Call) -> list[Call]:
    """Stop sequences go up as `stop`, instead of being looked for in the text."""
    stops = (client.json or {}).get("stop_sequences")
    return _sent(call, lambda body: body.update(stop=stops) if stops else None)


@variant.send
def translated_chat_developer_role(call: Call, _client: Call) -> list[Call]:
    """Each block of the system prompt is a message of the developer."""

    def edit(body: Json) -> None:
        first, *rest = body["messages"]
        if first["role"] == "system":
            own = [{"role": "developer", "content": part["text"]} for part in first["content"]]
            body["messages"] = [*own, *rest]

    return _sent(call, edit)


@variant.send
def translated_chat_media_in_results(call: Call, _client: Call) -> list[Call]:
    """Images and files of a result stand in the message of the tool."""

    def edit(body: Json) -> None:
        messages = body["messages"]
        for before, message in pairwise(messages):
            if before["role"] == "tool" and message["role"] == "user":
                media = [part for part in message["content"] if part["type"] != "text"]
                before["content"] = [{"type": "text", "text": before["content"]}, *media]
                message["content"] = [part for part in message["content"] if part not in media]

    return _sent(call, edit)


@variant.send
def translated_chat_text_before_calls(call: Call, _client: Call) -> list[Call]:
    """What the model said beside its calls is a message of its own."""

    def edit(body: Json) -> None:
        apart: list[Json] = []
        for message in body["messages"]:
            if message.get("tool_calls") and message["content"]:
                apart.append({"role": "assistant", "content": message["content"]})
                message["content"] = None
            apart.append(message)
        body["messages"] = apart

    return _sent(call, edit)


@variant.send
def translated_chat_documents_as_files(call: Call, client: Call) -> list[Call]:
    """A text document goes up as a file."""
    texts = [one["source"]["data"] for one in blocks(client.json or {}, "document")]

    def edit(body: Json) -> None:
        for message in _of_role(body, "user"):
            for place, part in enumerate(message["content"]):
                for text in texts:
                    if text in part.get("text", ""):
                        data = base64.b64encode(text.encode()).decode()
                        file = {"filename": "a.txt", "file_data": f"data:text/plain;base64,{data}"}
                        message["content"][place] = {"type": "file", "file": file}

    return _sent(call, edit)


@variant.send
def translated_chat_thinking_kept(call: Call, client: Call) -> list[Call]:
    """Earlier thinking goes up as `reasoning_content`."""
    thoughts = [one["thinking"] for one in blocks(client.json or {}, "thinking")]

    def edit(body: Json) -> None:
        for message, thought in zip(_of_role(body, "assistant"), thoughts, strict=False):
            message["reasoning_content"] = thought

    return _sent(call, edit)


# Responses


@variant.send
def translated_responses_developer_role(call: Call, _client: Call) -> list[Call]:
    """The system prompt is a message of the developer instead of the instructions."""

    def edit(body: Json) -> None:
        part = {"type": "input_text", "text": body.pop("instructions")}
        body["input"].insert(0, {"type": "message", "role": "developer", "content": [part]})

    return _sent(call, edit)


@variant.send
def translated_responses_results_as_parts(call: Call, _client: Call) -> list[Call]:
    """The output of a call is a list of parts."""

    def edit(body: Json) -> None:
        for item in body["input"]:
            if item["type"] == "function_call_output":
                item["output"] = [{"type": "input_text", "text": item["output"]}]

    return _sent(call, edit)
