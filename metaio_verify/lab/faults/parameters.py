"""Faults of optional parameters, of refusals and of long conversations."""

from __future__ import annotations

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Json, asked, messages_of, refused
from metaio_verify.lab.model import REFUSAL_TRIGGER
from metaio_verify.lab.types import ApiError, Request

_MANY_MESSAGES = 100
_LONG_TEXT = 100_000

# Parameters


@fault.request
def sampling_crashes(request: Request) -> Request | ApiError:
    """A request with `temperature` and `top_k` ends in a 500."""
    if "top_k" in asked(request):
        return refused("Conflicting sampling parameters", 500)
    return request


@fault.refusal
def temperature_unbounded(refusal: ApiError, _request: Request) -> ApiError | None:
    """Any temperature is accepted."""
    return None if refusal.rule == "temperature.range" else refusal


@fault.request
def unknown_field_crashes(request: Request) -> Request | ApiError:
    """A field that the gateway does not know ends in a 500."""
    if "metaio_unknown" in asked(request):
        return refused("json: unknown field", 500)
    return request


@fault.request
def optional_fields_crash(request: Request) -> Request | ApiError:
    """A request with `service_tier` ends in a 500."""
    if "service_tier" in asked(request):
        return refused("create() got an unexpected keyword argument 'service_tier'", 500)
    return request


@fault.request
def max_tokens_zero_crashes(request: Request) -> Request | ApiError:
    """`max_tokens` 0 ends in a 500."""
    if asked(request).get("max_tokens") == 0:
        return refused("max_tokens must be at least 1, got 0.", 500)
    return request


@fault.body
def max_tokens_zero_writes(body: Json, _request: Request) -> Json:
    """`max_tokens` 0 is taken for a missing one, so an answer is written."""
    if body.get("max_tokens") == 0:
        body["max_tokens"] = 4096
    return body


def _wants_much(body: Json) -> bool:
    limit = body.get("max_tokens")
    return isinstance(limit, int) and limit in (64_000, 128_000)


@fault.request
def large_max_tokens_crash(request: Request) -> Request | ApiError:
    """`max_tokens` goes unchanged to a backend that takes less, and its refusal becomes a 500."""
    if _wants_much(asked(request)):
        return refused("upstream error: do request failed", 500)
    return request


@fault.request
def stream_demanded(request: Request) -> Request | ApiError:
    """A plain request with a large `max_tokens` is refused."""
    body = asked(request)
    if _wants_much(body) and not body.get("stream"):
        return refused("Streaming is required for operations that may take long")
    return request


# Roles


@fault.refusal
def leading_system_message_accepted(refusal: ApiError, _request: Request) -> ApiError | None:
    """A conversation may begin with a system message."""
    return None if refusal.rule == "system.first" else refusal


@fault.request
def system_message_fields_crash(request: Request) -> Request | ApiError:
    """A system message with `clear_at` ends in a 500."""
    if any("clear_at" in message for message in messages_of(asked(request))):
        return refused("Cannot read properties of undefined", 500)
    return request


def _prefill(body: Json) -> str:
    """Return the beginning of the answer, when the conversation ends with it as a string."""
    last = (messages_of(body) or [{}])[-1]
    content = last.get("content")
    return content if last.get("role") == "assistant" and isinstance(content, str) else ""


@fault.message
def prefill_repeated(message: Json, request: Request) -> Json:
    """An answer that was begun by the client is written from its beginning."""
    if prefill := _prefill(request.json):
        message["content"][0]["text"] = prefill + message["content"][0]["text"]
    return message


@fault.request
def prefill_crashes(request: Request) -> Request | ApiError:
    """A conversation that ends with the assistant ends in a 500."""
    return refused("list index out of range", 500) if _prefill(asked(request)) else request


# Length


@fault.request
def many_messages_refused(request: Request) -> Request | ApiError:
    """More than a hundred messages are refused."""
    if len(messages_of(asked(request))) > _MANY_MESSAGES:
        return refused("messages: at most 100 items")
    return request


@fault.body
def old_messages_left_out(body: Json, _request: Request) -> Json:
    """Only the last hundred messages reach the model."""
    messages = body["messages"][-_MANY_MESSAGES:]
    body["messages"] = messages[messages[0]["role"] == "assistant" :]
    return body


@fault.body
def long_prompts_cut(body: Json, _request: Request) -> Json:
    """Of a long text only the first and the last 25 kB reach the model."""
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str) and len(content) > _LONG_TEXT:
            message["content"] = f"{content[:25_000]} … {content[-25_000:]}"
    return body


@fault.refusal
def too_long_in_other_words(refusal: ApiError, _request: Request) -> ApiError:
    """A prompt that does not fit is refused in words of the gateway's own."""
    if refusal.rule != "prompt.too-long":
        return refusal
    return refused("Request too large for this model: limit 131072, requested 2025011")


# The answer


@fault.message
def stop_details_on_every_answer(message: Json, _request: Request) -> Json:
    """Every answer has an empty object as `stop_details`."""
    message["stop_details"] = message["stop_details"] or {}
    return message


@fault.message
def refusal_explained_in_a_string(message: Json, _request: Request) -> Json:
    """`stop_details` of a refusal is a text."""
    if message["stop_reason"] == "refusal":
        message["stop_details"] = "The model refused."
    return message


@fault.request
def refusal_is_an_error(request: Request) -> Request | ApiError:
    """A refusal of the model is answered as a mistake of the client."""
    if REFUSAL_TRIGGER in request.body.decode(errors="replace"):
        return refused("Output blocked by content filtering policy")
    return request


@fault.message
def citations_as_text(message: Json, request: Request) -> Json:
    """Without tools and thinking the citations of a text are an empty string."""
    is_plain = not request.json.keys() & {"tools", "thinking"}
    for block in message["content"]:
        if block["type"] == "text" and is_plain:
            block["citations"] = ""
    return message
