"""Faults of plain messages."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, TypeGuard

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Json, asked, messages_of, refused, rewritten
from metaio_verify.lab.types import ApiError, Request

_PLAIN_USER_ID = re.compile(r"[a-zA-Z0-9_-]+")


def _is_texts(content: Any) -> TypeGuard[list[Json]]:
    """Tell whether content is an array of text blocks and nothing else."""
    return isinstance(content, list) and all(
        isinstance(block, dict) and block.get("type") == "text" for block in content
    )


# The shape of the answer


@fault.message
def stop_fields_omitted(message: Json, request: Request) -> Json:
    """A plain message is written without its null fields, so `stop_sequence` is missing."""
    if not request.wants_stream and message["stop_sequence"] is None:
        del message["stop_sequence"]
    return message


@fault.message
def message_without_role(message: Json, request: Request) -> Json:
    """A plain message has no `role`."""
    if not request.wants_stream:
        del message["role"]
    return message


@fault.message
def openai_message_id(message: Json, _request: Request) -> Json:
    """The upstream's `chatcmpl-` id is passed on."""
    message["id"] = message["id"].replace("msg_", "chatcmpl-")
    return message


@fault.message
def constant_message_id(message: Json, _request: Request) -> Json:
    """Every message has the same id."""
    message["id"] = "msg_01ConstantConstantConstant"
    return message


@fault.message
def model_unnamed(message: Json, request: Request) -> Json:
    """A plain message has an empty `model`."""
    if not request.wants_stream:
        message["model"] = ""
    return message


@fault.message
def plain_content_dropped(message: Json, request: Request) -> Json:
    """A plain answer beyond ASCII loses its content; the usage still counts it."""
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    if not request.wants_stream and not "".join(texts).isascii():
        message["content"] = []
    return message


@fault.message
def plain_unicode_mangled(message: Json, request: Request) -> Json:
    """A plain answer's UTF-8 is read as Latin-1."""
    for block in message["content"]:
        if not request.wants_stream and block["type"] == "text":
            block["text"] = block["text"].encode().decode("latin-1")
    return message


# Usage


@fault.message
def usage_zero(message: Json, request: Request) -> Json:
    """A plain message counts no tokens."""
    if not request.wants_stream:
        message["usage"] |= {"input_tokens": 0, "output_tokens": 0}
    return message


@fault.message
def usage_as_strings(message: Json, request: Request) -> Json:
    """A plain message writes its counts as strings."""
    if not request.wants_stream:
        for name in ("input_tokens", "output_tokens"):
            message["usage"][name] = str(message["usage"][name])
    return message


@fault.message
def usage_without_cache_fields(message: Json, _request: Request) -> Json:
    """Usage says nothing about the cache."""
    for name in ("cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation"):
        message["usage"].pop(name, None)
    return message


# Why the answer ended


def _stop_reason(message: Json, old: str, new: str) -> Json:
    if message["stop_reason"] == old:
        message["stop_reason"] = new
    return message


@fault.message
def openai_length(message: Json, _request: Request) -> Json:
    """A truncated answer says `length`."""
    return _stop_reason(message, "max_tokens", "length")


@fault.message
def invented_stop_reason(message: Json, _request: Request) -> Json:
    """A truncated answer says `limit_reached`."""
    return _stop_reason(message, "max_tokens", "limit_reached")


@fault.message
def truncation_hidden(message: Json, _request: Request) -> Json:
    """A truncated answer says `end_turn`."""
    return _stop_reason(message, "max_tokens", "end_turn")


@fault.message
def complete_answer_says_max_tokens(message: Json, _request: Request) -> Json:
    """A complete answer says `max_tokens`."""
    return _stop_reason(message, "end_turn", "max_tokens")


@fault.body
def max_tokens_ignored(body: Json, _request: Request) -> Json:
    """At least 64 tokens are generated, whatever `max_tokens` says."""
    body["max_tokens"] = max(64, body.get("max_tokens", 0))
    return body


@fault.body
def stop_sequences_dropped(body: Json, _request: Request) -> Json:
    """`stop_sequences` does not reach the model."""
    body.pop("stop_sequences", None)
    return body


@fault.message
def stop_sequence_not_reported(message: Json, _request: Request) -> Json:
    """An answer that a stop sequence ended says `end_turn`."""
    message["stop_sequence"] = None
    return _stop_reason(message, "stop_sequence", "end_turn")


@fault.message
def stop_sequence_leaks(message: Json, request: Request) -> Json:
    """The first characters of a stop sequence appear in the text of a stream."""
    if request.wants_stream and message["stop_sequence"] and message["content"]:
        message["content"][-1]["text"] += message["stop_sequence"][:4]
    return message


@fault.message
def answer_of_another_session(message: Json, request: Request) -> Json:
    """An answer to a request with a `system` string also shows the first token of another one."""
    known = request.memory.setdefault("answer-of-another-session", [])
    for block in message["content"]:
        if block["type"] == "text" and isinstance(request.json.get("system"), str):
            block["text"] = " ".join([block["text"], *known[:1]])
        elif block["type"] == "text" and "tools" not in request.json:
            known += re.findall(r"VERIFY-\w{8}", block["text"])
    return message


# What reaches the model


@fault.request
def text_blocks_refused(request: Request) -> Request | ApiError:
    """A user message whose content is an array of text blocks is refused."""
    for message in messages_of(asked(request)):
        if message.get("role") == "user" and _is_texts(message.get("content")):
            return refused("The content field's type should be `str` in messages")
    return request


@fault.body
def single_text_block_dropped(body: Json, _request: Request) -> Json:
    """The content of a user message is lost when it is an array of one text block."""
    for message in messages_of(body):
        if message.get("role") == "user" and _is_texts(content := message.get("content")):
            message["content"] = content if len(content) > 1 else ""
    return body


@fault.body
def only_first_text_block(body: Json, _request: Request) -> Json:
    """Without tools only the first text block of a user message reaches the model."""
    for message in messages_of(body):
        if not body.get("tools") and message.get("role") == "user":
            content = message.get("content")
            message["content"] = content[:1] if _is_texts(content) else content
    return body


@fault.body
def history_dropped(body: Json, _request: Request) -> Json:
    """User and assistant turns up to the last answer do not reach the model."""
    messages = body["messages"]
    last = max(
        (place for place, one in enumerate(messages) if one["role"] == "assistant"), default=-1
    )
    body["messages"] = [
        one for place, one in enumerate(messages) if place > last or one["role"] == "system"
    ]
    return body


@fault.request
def alternation_demanded(request: Request) -> Request | ApiError:
    """Two user messages in a row are refused."""
    roles = [message.get("role") for message in messages_of(asked(request))]
    if ("user", "user") in pairwise(roles):
        return refused(
            'messages: roles must alternate between "user" and "assistant", but found multiple '
            '"user" roles in a row'
        )
    return request


@fault.body
def only_last_of_same_role(body: Json, _request: Request) -> Json:
    """Of user messages in a row only the last one reaches the model."""
    messages = body["messages"]
    body["messages"] = [
        one
        for one, following in zip(messages, [*messages[1:], {}], strict=True)
        if not (one["role"] == following.get("role") == "user")
    ]
    return body


# System prompts


@fault.body
def ignores_system(body: Json, _request: Request) -> Json:
    """The `system` prompt has no effect."""
    body.pop("system", None)
    return body


@fault.body
def system_blocks_dropped(body: Json, _request: Request) -> Json:
    """A `system` array has no effect; a string has."""
    if isinstance(body.get("system"), list):
        del body["system"]
    return body


@fault.body
def system_blocks_after_first_dropped(body: Json, _request: Request) -> Json:
    """The first block of a `system` array swallows the others."""
    if isinstance(body.get("system"), list):
        body["system"] = body["system"][:1]
    return body


@fault.request
def system_untranslated(request: Request) -> Request | ApiError:
    """The body goes unchanged to another vendor's backend, which knows no `system`."""
    if "system" in asked(request):
        return refused("Unknown parameter: 'system'.")
    return request


@fault.body
def role_system_dropped(body: Json, _request: Request) -> Json:
    """System messages inside the conversation do not reach the model."""
    body["messages"] = [one for one in body["messages"] if one["role"] != "system"]
    return body


@fault.body
def role_system_blocks_dropped(body: Json, _request: Request) -> Json:
    """System messages in block form do not reach the model."""
    body["messages"] = [
        one
        for one in body["messages"]
        if one["role"] != "system" or isinstance(one.get("content"), str)
    ]
    return body


@fault.request
def role_system_blocks_refused(request: Request) -> Request | ApiError:
    """A system message inside the conversation may only be a string."""
    for place, message in enumerate(messages_of(asked(request))):
        if message.get("role") == "system" and isinstance(message.get("content"), list):
            return refused(f"messages.{place}.content: Input should be a valid string")
    return request


@fault.request
def role_system_crashes(request: Request) -> Request | ApiError:
    """A system message inside the conversation ends in a 500."""
    if any(message.get("role") == "system" for message in messages_of(asked(request))):
        return refused("Internal server error", 500)
    return request


@fault.body
def hidden_system_prompt(body: Json, request: Request) -> Json:
    """The gateway puts a long system prompt of its own before the client's."""
    if request.is_messages:
        own = {"type": "text", "text": "You are the assistant of this gateway. " * 40}
        given = body.get("system", [])
        body["system"] = [
            own,
            *([{"type": "text", "text": given}] if isinstance(given, str) else given),
        ]
    return body


# Metadata


@fault.request
def user_id_pattern(request: Request) -> Request | ApiError:
    """`metadata.user_id` may hold only letters, digits, `_` and `-`."""
    metadata = asked(request).get("metadata")
    user_id = metadata.get("user_id") if isinstance(metadata, dict) else None
    if isinstance(user_id, str) and not _PLAIN_USER_ID.fullmatch(user_id):
        return refused("Invalid 'user_id': string does not match pattern '^[a-zA-Z0-9_-]+$'")
    return request


@fault.message
def metadata_echoed(message: Json, request: Request) -> Json:
    """A plain message repeats the request's metadata."""
    if not request.wants_stream and "metadata" in request.json:
        message["metadata"] = request.json["metadata"]
    return message


# Streamed or not


@fault.request
def stream_false_streams(request: Request) -> Request:
    """`stream` false is taken for true."""
    if asked(request).get("stream") is False:
        return rewritten(request, {**request.json, "stream": True})
    return request


@fault.request
def stream_false_fails(request: Request) -> Request | ApiError:
    """Only the streaming path was written: `stream` false is an error."""
    if asked(request).get("stream") is False:
        return refused("convert_request_failed")
    return request


@fault.request
def stream_null_refused(request: Request) -> Request | ApiError:
    """`stream` null is refused."""
    if asked(request).get("stream", False) is None:
        return refused("stream: Input should be a valid boolean")
    return request
