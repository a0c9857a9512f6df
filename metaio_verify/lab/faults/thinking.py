"""Faults of thinking: which mode is accepted; how thoughts are shown, signed, counted, replayed."""

from __future__ import annotations

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import (
    Events,
    Json,
    asked,
    blocks_of,
    delta_of,
    messages_of,
    refused,
)
from metaio_verify.lab.types import ApiError, Request

_LEAST_BUDGET = 1024


def _mode(request: Request) -> Json:
    """Return what the request says about thinking."""
    thinking = asked(request).get("thinking")
    return thinking if isinstance(thinking, dict) else {}


def _thoughts(message: Json) -> list[Json]:
    return [block for block in message["content"] if block["type"] == "thinking"]


# What is accepted


@fault.request
def adaptive_without_effort_crashes(request: Request) -> Request | ApiError:
    """Adaptive thinking ends in a 500 where no level of effort is given."""
    adaptive = _mode(request).get("type") == "adaptive"
    single = len(messages_of(asked(request))) == 1
    if adaptive and single and "output_config" not in asked(request):
        return refused("'NoneType' object has no attribute 'effort'", 500)
    return request


@fault.request
def thinking_summary_refused(request: Request) -> Request | ApiError:
    """The display `summarized` is refused."""
    if _mode(request).get("display") == "summarized":
        return refused("thinking.display: Input should be 'omitted'")
    return request


@fault.request
def thinking_budget_crashes(request: Request) -> Request | ApiError:
    """A thinking budget within max_tokens ends in a 500."""
    budget = _mode(request).get("budget_tokens")
    if isinstance(budget, int) and _LEAST_BUDGET <= budget < asked(request).get("max_tokens", 0):
        return refused("unsupported operand type(s) for -: 'NoneType' and 'int'", 500)
    return request


@fault.request
def disabled_thinking_crashes(request: Request) -> Request | ApiError:
    """Switching thinking off ends in a 500."""
    if _mode(request).get("type") == "disabled":
        return refused("'budget_tokens'", 500)
    return request


@fault.body
def disabled_thinking_ignored(body: Json, _request: Request) -> Json:
    """A model thinks although thinking is switched off."""
    if (body.get("thinking") or {}).get("type") == "disabled":
        body["thinking"] = {"type": "adaptive"}
    return body


@fault.request
def highest_effort_crashes(request: Request) -> Request | ApiError:
    """The level of effort `max` ends in a 500."""
    if (asked(request).get("output_config") or {}).get("effort") == "max":
        return refused("KeyError: 'max'", 500)
    return request


# How it is shown


@fault.message
def thinking_shown_though_omitted(message: Json, request: Request) -> Json:
    """The text of thoughts is sent although it was to be left out."""
    for block in _thoughts(message) if _mode(request).get("display") == "omitted" else []:
        block["thinking"] = "I follow the instruction."
    return message


@fault.message
def thinking_as_tags(message: Json, _request: Request) -> Json:
    """Thoughts stand in the text, between `<think>` and `</think>`."""
    if thoughts := "".join(block["thinking"] for block in _thoughts(message)):
        tagged = {"type": "text", "text": f"<think>\n{thoughts}\n</think>"}
        rest = [block for block in message["content"] if block["type"] != "thinking"]
        message["content"] = [tagged, *rest]
    return message


@fault.message
def reasoning_content_passed_on(message: Json, request: Request) -> Json:
    """Thoughts that may be shown come in `reasoning_content`, as the upstream has them."""
    thoughts = "".join(block["thinking"] for block in _thoughts(message))
    if thoughts and _mode(request):
        rest = [block for block in message["content"] if block["type"] != "thinking"]
        message |= {"content": rest, "reasoning_content": thoughts}
    return message


@fault.message
def thinking_after_text(message: Json, request: Request) -> Json:
    """Thoughts come at the end of an answer, where no tools are offered."""
    thoughts = _thoughts(message)
    if thoughts and "tools" not in asked(request):
        rest = [block for block in message["content"] if block["type"] != "thinking"]
        message["content"] = [*rest, *thoughts]
    return message


@fault.message
def thinking_text_doubled(message: Json, _request: Request) -> Json:
    """The whole text of a thought comes once more with its signature."""
    for block in _thoughts(message):
        block["thinking"] = " ".join([block["thinking"]] * 2).strip()
    return message


# How it is signed and counted


@fault.message
def thinking_signature_null(message: Json, request: Request) -> Json:
    """In a plain answer the signature of a thought is null."""
    for block in [] if request.wants_stream else _thoughts(message):
        block["signature"] = None
    return message


@fault.events
def signature_before_thinking(events: Events, _request: Request) -> Events:
    """A stream sends the signature of a thought before its text."""
    signatures = [event for event in events if delta_of(event).get("type") == "signature_delta"]
    first = next((n for n, event in enumerate(events) if delta_of(event).get("thinking")), None)
    if first is None:
        return events
    rest = [event for event in events if delta_of(event).get("type") != "signature_delta"]
    return [*rest[:first], *signatures, *rest[first:]]


@fault.message
def thinking_not_counted(message: Json, _request: Request) -> Json:
    """The tokens of thoughts are not part of `output_tokens`."""
    usage = message["usage"]
    usage["output_tokens"] -= usage["output_tokens_details"]["thinking_tokens"]
    return message


@fault.message
def thinking_tokens_not_reported(message: Json, _request: Request) -> Json:
    """The usage does not tell the tokens of thoughts apart."""
    del message["usage"]["output_tokens_details"]
    return message


# How it is taken back


@fault.refusal
def forged_thinking_accepted(refusal: ApiError, _request: Request) -> ApiError | None:
    """Signatures of thoughts are not looked at."""
    return None if refusal.rule == "thinking.signature" else refusal


@fault.request
def redacted_thinking_refused(request: Request) -> Request | ApiError:
    """Redacted thinking is not known in the history."""
    if blocks_of(asked(request), "redacted_thinking"):
        return refused(
            "messages.1.content.0: Input tag 'redacted_thinking' found using 'type' does not match "
            "any of the expected tags: 'text', 'thinking', 'tool_use'"
        )
    return request
