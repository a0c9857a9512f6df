"""Faults of a gateway that translates for chat completions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call, Reply, events, once
from metaio_verify.lab.gateway.faults.answers import error_edited, message_edited
from metaio_verify.lab.gateway.faults.editing import Json, edited
from metaio_verify.lab.gateway.faults.streams import END, name_of, rewritten

# On the way up: the body is a chat completion's.


def _messages(body: Json, role: str) -> list[Json]:
    return [message for message in body.get("messages", []) if message["role"] == role]


def _lists(body: Json, role: str) -> list[list[Any]]:
    """Return the contents of a role's messages that are lists of parts."""
    contents = (message["content"] for message in _messages(body, role))
    return [content for content in contents if isinstance(content, list)]


@fault.forward
def translated_system_cut(call: Call, _client: Call) -> Call:
    """Of the system prompt only the first two blocks go up."""

    def edit(body: Json) -> None:
        for content in _lists(body, "system"):
            del content[2:]

    return edited(call, edit)


@fault.forward
def translated_text_beside_results_lost(call: Call, _client: Call) -> Call:
    """A user message with tool results loses its text."""

    def edit(body: Json) -> None:
        if _messages(body, "tool"):
            last = _lists(body, "user")[-1]
            last[:] = [part for part in last if part["type"] != "text"]
            if not last:
                body["messages"] = [one for one in body["messages"] if one["content"] is not last]

    return edited(call, edit)


@fault.forward
def translated_roles_mixed(call: Call, _client: Call) -> Call:
    """Words that the model said beside a call go up as the user's."""

    def edit(body: Json) -> None:
        messages = body.get("messages", [])
        for place, message in enumerate(list(messages)):
            if message["role"] == "assistant" and message["content"]:
                messages.insert(place, {"role": "user", "content": message["content"]})
                message["content"] = None

    return edited(call, edit)


@fault.forward
def translated_blocks_cut_to_first(call: Call, _client: Call) -> Call:
    """Of several texts of a first message only the first goes up."""

    def edit(body: Json) -> None:
        for content in _lists(body, "user")[:1]:
            if all(part["type"] == "text" for part in content):
                del content[1:-1]
                if len(content) > 1:
                    content[-1]["text"] = content[-1]["text"][:50]

    return edited(call, edit)


@fault.forward
def translated_arguments_lost(call: Call, _client: Call) -> Call:
    """The arguments of earlier calls go up as `{}`."""

    def edit(body: Json) -> None:
        for message in _messages(body, "assistant"):
            for one in message.get("tool_calls", []):
                one["function"]["arguments"] = "{}"

    return edited(call, edit)


@fault.forward
def translated_results_cut(call: Call, _client: Call) -> Call:
    """Of a tool's result only the first text goes up."""

    def edit(body: Json) -> None:
        for message in _messages(body, "tool"):
            message["content"] = message["content"].partition("\n")[0]

    return edited(call, edit)


@fault.forward
def translated_failures_lost(call: Call, _client: Call) -> Call:
    """A failed result goes up without its words."""

    def edit(body: Json) -> None:
        for message in _messages(body, "tool"):
            if message["content"].startswith("Error"):
                message["content"] = "Error"

    return edited(call, edit)


@fault.forward
def translated_descriptions_lost(call: Call, _client: Call) -> Call:
    """Tools go up without their descriptions."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            tool["function"].pop("description", None)

    return edited(call, edit)


@fault.forward
def translated_parameters_emptied(call: Call, _client: Call) -> Call:
    """Tools whose schema names its dialect go up without parameters."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            if "$schema" in tool["function"]["parameters"]:
                tool["function"]["parameters"] = {"type": "object", "properties": {}}

    return edited(call, edit)


def _without(call: Call, kind: str, *, first: bool) -> Call:
    """Take one kind of part out of the first user message, or out of the later ones."""

    def edit(body: Json) -> None:
        contents = _lists(body, "user")
        for content in contents[:1] if first else contents[1:]:
            content[:] = [part for part in content if part["type"] != kind]

    return edited(call, edit)


@fault.forward
def translated_images_lost(call: Call, _client: Call) -> Call:
    """The user's images do not go up."""
    return _without(call, "image_url", first=True)


@fault.forward
def translated_result_media_lost(call: Call, _client: Call) -> Call:
    """The images of tool results do not go up."""
    return _without(call, "image_url", first=False)


@fault.forward
def translated_documents_lost(call: Call, _client: Call) -> Call:
    """The user's documents do not go up."""

    def edit(body: Json) -> None:
        for content in _lists(body, "user"):
            content[:] = [part for part in content if "A plain title" not in part.get("text", "")]

    return edited(call, edit)


def _dropped(call: Call, *names: str) -> Call:
    def edit(body: Json) -> None:
        for name in names:
            body.pop(name, None)

    return edited(call, edit)


@fault.forward
def translated_limit_lost(call: Call, _client: Call) -> Call:
    """`max_tokens` does not go up."""
    return _dropped(call, "max_completion_tokens")


@fault.forward
def translated_stops_lost(call: Call, _client: Call) -> Call:
    """`stop_sequences` does not go up."""
    return _dropped(call, "stop")


@fault.forward
def translated_sampling_lost(call: Call, _client: Call) -> Call:
    """`temperature` does not go up."""
    return _dropped(call, "temperature")


@fault.forward
def translated_one_call_lost(call: Call, _client: Call) -> Call:
    """`disable_parallel_tool_use` does not go up."""
    return _dropped(call, "parallel_tool_calls")


@fault.forward
def translated_stream_usage_lost(call: Call, _client: Call) -> Call:
    """Streams are not asked for their usage."""
    return _dropped(call, "stream_options")


# On the way back: the answer is a message's.


@fault.back
async def translated_text_cut(reply: Reply, _client: Call) -> Reply:
    """A plain answer is cut at the first comma."""

    def edit(message: Json) -> None:
        for block in message["content"]:
            if "text" in block:
                block["text"] = block["text"].partition(",")[0]

    return await message_edited(reply, edit)


@fault.back
async def translated_thinking_in_text(reply: Reply, _client: Call) -> Reply:
    """What the model thinks is put before its text."""

    def edit(message: Json) -> None:
        for thought in [one for one in message["content"] if one["type"] == "thinking"]:
            for block in message["content"]:
                if "text" in block:
                    block["text"] = f"<think>{thought['thinking']}</think>{block['text']}"

    return await message_edited(reply, edit)


@fault.back
async def translated_second_call_lost(reply: Reply, _client: Call) -> Reply:
    """Of several calls only the first arrives."""

    def edit(message: Json) -> None:
        calls = [block for block in message["content"] if block["type"] == "tool_use"]
        message["content"] = [one for one in message["content"] if one not in calls[1:]]

    return await message_edited(reply, edit)


@fault.back
async def translated_input_as_text(reply: Reply, _client: Call) -> Reply:
    """The input of a call is the text of its arguments."""

    def edit(message: Json) -> None:
        for block in message["content"]:
            if "input" in block:
                block["input"] = msgspec.json.encode(block["input"]).decode()

    return await message_edited(reply, edit)


@fault.back
async def translated_length_as_end(reply: Reply, _client: Call) -> Reply:
    """An answer that was cut at the limit ends with `end_turn`."""

    def edit(message: Json) -> None:
        if message["stop_reason"] == "max_tokens":
            message["stop_reason"] = "end_turn"

    return await message_edited(reply, edit)


@fault.back
async def translated_refusals_lost(reply: Reply, _client: Call) -> Reply:
    """A refusal becomes an empty answer."""

    def edit(message: Json) -> None:
        if message["stop_reason"] == "refusal":
            message |= {"stop_reason": "end_turn", "stop_details": None}

    return await message_edited(reply, edit)


@fault.back
async def translated_thinking_lost(reply: Reply, _client: Call) -> Reply:
    """What the model thinks does not arrive."""

    def edit(message: Json) -> None:
        message["content"] = [one for one in message["content"] if one["type"] != "thinking"]

    return await message_edited(reply, edit)


@fault.back
async def translated_cache_counted_twice(reply: Reply, _client: Call) -> Reply:
    """Cached tokens are counted as input tokens, too."""

    def edit(message: Json) -> None:
        message["usage"]["input_tokens"] += message["usage"]["cache_read_input_tokens"]

    return await message_edited(reply, edit)


@fault.back
async def translated_errors_as_500(reply: Reply, _client: Call) -> Reply:
    """Every error of the upstream becomes a 500."""
    return replace(reply, status=500) if 400 <= reply.status < 500 else reply


@fault.back
async def translated_errors_bare(reply: Reply, _client: Call) -> Reply:
    """A 4xx of the upstream is a line of plain text."""
    if not 400 <= reply.status < 500:
        return reply
    await reply.document()
    bare = reply.with_header("content-length", None).with_header("content-type", "text/plain")
    return replace(bare, pieces=once(b"Bad Request"))


@fault.back
async def translated_error_texts_lost(reply: Reply, _client: Call) -> Reply:
    """The text of an error becomes a general one."""
    return await error_edited(reply, lambda error: error.update(message="The provider failed."))


@fault.back
async def translated_retry_after_lost(reply: Reply, _client: Call) -> Reply:
    """`retry-after` of the provider does not come back."""
    return reply.with_header("retry-after", None)


@fault.relay
async def translated_blocks_left_open(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """The first block is closed only when all others are."""
    held = b""
    async for event in events(pieces):
        if not held and name_of(event) == b"content_block_stop":
            held = event
            continue
        if held and name_of(event) == b"message_delta":
            yield held
        yield event


@fault.relay
def translated_usage_left_out(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The end of a stream comes without its usage."""

    def edit(data: Json) -> None:
        if data["type"] == "message_delta":
            data.pop("usage", None)

    return rewritten(pieces, edit)


@fault.relay
async def translated_stream_error_as_end(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """An error in the middle of a stream becomes its end, as if the answer were complete."""
    async for event in events(pieces):
        yield END if name_of(event) == b"error" else event
