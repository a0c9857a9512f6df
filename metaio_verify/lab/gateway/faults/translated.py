"""Faults of what a translating gateway makes of its upstream's answers: the message is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call, Reply, events, once, whole
from metaio_verify.lab.gateway.faults.answers import error_edited, message_edited
from metaio_verify.lab.gateway.faults.editing import Json
from metaio_verify.lab.gateway.faults.streams import (
    data_of,
    errors_as_ends,
    name_of,
    rewritten,
)


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
    await whole(reply.pieces)
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


@fault.back
async def translated_calls_as_end(reply: Reply, _client: Call) -> Reply:
    """A plain answer with calls ends with `end_turn`."""

    def edit(message: Json) -> None:
        if message["stop_reason"] == "tool_use":
            message["stop_reason"] = "end_turn"

    return await message_edited(reply, edit)


# Streams


def _delta(data: Json) -> Json:
    delta = data.get("delta")
    return delta if isinstance(delta, dict) else {}


@fault.relay
def translated_thinking_streamed_as_text(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """In streams what the model thinks arrives in a text block."""

    def edit(data: Json) -> None:
        match data:
            case {"content_block": {"type": "thinking"}}:
                data["content_block"] = {"type": "text", "text": ""}
            case {"delta": {"thinking": text}}:
                data["delta"] = {"type": "text_delta", "text": text}

    return rewritten(pieces, edit)


@fault.relay
async def translated_text_repeated_at_the_end(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """When a text block of a stream ends its whole text is sent once more."""
    told = ""
    async for event in events(pieces):
        data = data_of(event)
        told += _delta(data).get("text", "")
        if data.get("type") == "content_block_stop" and told:
            again = {
                "type": "content_block_delta",
                "index": data["index"],
                "delta": {"type": "text_delta", "text": told},
            }
            yield b"event: content_block_delta\ndata: " + msgspec.json.encode(again) + b"\n\n"
            told = ""
        yield event


@fault.relay
async def translated_argument_pieces_lost(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """Of arguments that come in several pieces only the first arrives."""
    begun = set()
    async for event in events(pieces):
        data = data_of(event)
        is_piece = "partial_json" in _delta(data)
        if not is_piece or data["index"] not in begun:
            yield event
        if is_piece:
            begun.add(data["index"])


@fault.relay
def translated_arguments_mixed(pieces: AsyncIterator[bytes], _client: Call) -> AsyncIterator[bytes]:
    """The arguments of parallel calls are all added to the first of them."""
    first: list[int] = []

    def edit(data: Json) -> None:
        if "partial_json" in _delta(data):
            first.append(data["index"])
            data["index"] = first[0]

    return rewritten(pieces, edit)


@fault.relay
def translated_stream_length_as_end(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """A stream that was cut at the limit ends with `end_turn`."""

    def edit(data: Json) -> None:
        if _delta(data).get("stop_reason") == "max_tokens":
            data["delta"]["stop_reason"] = "end_turn"

    return rewritten(pieces, edit)


@fault.relay
def translated_stream_refusals_lost(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """In a stream a refusal becomes an empty answer."""

    def edit(data: Json) -> None:
        if _delta(data).get("stop_reason") == "refusal":
            data["delta"] = {"stop_reason": "end_turn", "stop_sequence": None}

    return rewritten(pieces, edit)


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
def translated_stream_error_as_end(
    pieces: AsyncIterator[bytes], _client: Call
) -> AsyncIterator[bytes]:
    """An error in the middle of a stream becomes its end, as if the answer were complete."""
    return errors_as_ends(pieces)
