"""Faults of what comes back: status, headers, and the body of a plain answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call, Reply, once

_RATE_LIMITS = (
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
)
_KNOWN = frozenset(
    {"content", "id", "model", "role", "stop_reason", "stop_sequence", "type", "usage"}
)


async def message_edited(reply: Reply, edit: Callable[[dict[str, Any]], None]) -> Reply:
    """Return a plain message changed in place; everything else as it is."""
    if reply.streams or reply.status != 200:
        return reply

    def only_messages(message: dict[str, Any]) -> None:
        if message["type"] == "message":
            edit(message)

    return await reply.edited(only_messages)


async def error_edited(reply: Reply, edit: Callable[[dict[str, Any]], None]) -> Reply:
    """Return an error changed in place; everything else as it is."""
    if reply.status < 400:
        return reply
    return await reply.edited(lambda envelope: edit(envelope["error"]))


@fault.back
async def answers_trimmed(reply: Reply, _client: Call) -> Reply:
    """Double spaces of a text become one."""

    def edit(message: dict[str, Any]) -> None:
        for block in message["content"]:
            if "text" in block:
                block["text"] = " ".join(block["text"].split())

    return await message_edited(reply, edit)


@fault.back
async def answer_characters_broken(reply: Reply, _client: Call) -> Reply:
    """The emoji of a text become U+FFFD."""

    def edit(message: dict[str, Any]) -> None:
        for block in message["content"]:
            if "text" in block:
                block["text"] = block["text"].replace("🙂", "\ufffd\ufffd")

    return await message_edited(reply, edit)


@fault.back
async def thinking_taken_out(reply: Reply, _client: Call) -> Reply:
    """Thinking blocks are taken out of plain answers."""

    def edit(message: dict[str, Any]) -> None:
        message["content"] = [one for one in message["content"] if one["type"] != "thinking"]

    return await message_edited(reply, edit)


@fault.back
async def stop_reason_replaced(reply: Reply, _client: Call) -> Reply:
    """Every stop reason but `tool_use` becomes `end_turn`."""

    def edit(message: dict[str, Any]) -> None:
        if message["stop_reason"] != "tool_use":
            message["stop_reason"] = "end_turn"

    return await message_edited(reply, edit)


@fault.back
async def usage_rebuilt(reply: Reply, _client: Call) -> Reply:
    """The usage is built anew, without the cached tokens."""

    def edit(message: dict[str, Any]) -> None:
        usage = message["usage"]
        message["usage"] = {key: usage[key] for key in ("input_tokens", "output_tokens")}

    return await message_edited(reply, edit)


@fault.back
async def answer_fields_allow_listed(reply: Reply, _client: Call) -> Reply:
    """Only known fields of a message come back."""

    def edit(message: dict[str, Any]) -> None:
        for key in message.keys() - _KNOWN:
            del message[key]

    return await message_edited(reply, edit)


# Errors


@fault.back
async def overload_as_400(reply: Reply, _client: Call) -> Reply:
    """A 529 becomes a 400."""
    return replace(reply, status=400) if reply.status == 529 else reply


@fault.back
async def refusals_as_502(reply: Reply, client: Call) -> Reply:
    """A refusal of the upstream becomes a 502."""
    refused = 400 <= reply.status < 429 and not client.streams
    return replace(reply, status=502) if refused else reply


@fault.back
async def rate_limit_as_500(reply: Reply, _client: Call) -> Reply:
    """A 429 becomes a 500."""
    return replace(reply, status=500) if reply.status == 429 else reply


@fault.back
async def error_texts_wrapped(reply: Reply, _client: Call) -> Reply:
    """The name of an exception is put before the text of an error."""

    def edit(error: dict[str, Any]) -> None:
        error["message"] = f"UpstreamException: {error['message']}"

    return await error_edited(reply, edit)


@fault.back
async def error_texts_replaced(reply: Reply, _client: Call) -> Reply:
    """The text of a 400 becomes a general one."""
    if reply.status != 400:
        return reply
    return await error_edited(reply, lambda error: error.update(message="The request was refused."))


@fault.back
async def error_types_replaced(reply: Reply, _client: Call) -> Reply:
    """Every error is an `api_error`."""
    return await error_edited(reply, lambda error: error.update(type="api_error"))


@fault.back
async def refused_streams_as_200(reply: Reply, client: Call) -> Reply:
    """A stream that the upstream refuses is a 200 with an error event."""
    if not client.streams or reply.status < 400:
        return reply
    body = b"".join([piece async for piece in reply.pieces])
    pieces = once(b"event: error\ndata: " + body + b"\n\n")
    plain = reply.with_header("content-length", None)
    plain = plain.with_header("content-type", "text/event-stream")
    return replace(plain, status=200, pieces=pieces)


# Headers


@fault.back
async def retry_after_dropped(reply: Reply, _client: Call) -> Reply:
    """`retry-after` does not come back."""
    return reply.with_header("retry-after", None)


@fault.back
async def rate_limit_headers_dropped(reply: Reply, _client: Call) -> Reply:
    """The `anthropic-ratelimit-*` headers do not come back."""
    for name in _RATE_LIMITS:
        reply = reply.with_header(name, None)
    return reply


@fault.back
async def request_id_of_its_own(reply: Reply, _client: Call) -> Reply:
    """`request-id` is replaced by one of the gateway's own."""
    return reply.with_header("request-id", "req_01OfTheGateway")


@fault.back
async def upstream_key_in_header(reply: Reply, client: Call) -> Reply:
    """A header for debugging shows the credential that was used."""
    return reply.with_header("x-upstream-credential", client.upstream_key)


@fault.back
async def upstream_key_in_errors(reply: Reply, client: Call) -> Reply:
    """The request id of a failure is the credential that was used."""
    if reply.status != 500:
        return reply
    return await reply.edited(lambda envelope: envelope.update(request_id=client.upstream_key))
