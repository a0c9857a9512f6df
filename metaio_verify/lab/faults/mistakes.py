"""Faults of validation beyond the required fields: what is let pass, crashes or takes too long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.errors import crash, with_body
from metaio_verify.lab.types import Answer, ApiError, Request


def _let_pass(refusal: ApiError, request: Request, *rules: str) -> ApiError | None:
    """Let a message with one of these mistakes pass."""
    return None if request.is_messages and refusal.rule in rules else refusal


@fault.refusal
def json_array_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A body that is a JSON array is answered 500."""
    return crash(refusal, request, "body.type")


@fault.request
def assistant_first_crashes(request: Request) -> Request | ApiError:
    """A conversation that the assistant begins is answered 500."""
    body = request.json if request.is_messages else None
    messages = body.get("messages") if isinstance(body, dict) else None
    roles = (
        [one.get("role") for one in messages if isinstance(one, dict)]
        if isinstance(messages, list)
        else []
    )
    if [role for role in roles if role != "system"][:1] == ["assistant"]:
        return ApiError(500, "Internal server error", rule="messages.crash")
    return request


@fault.request
def huge_max_tokens_clamped(request: Request) -> Request:
    """`max_tokens` above the limit is cut down to it."""

    def clamped(body: dict[str, Any]) -> dict[str, Any]:
        limit = body.get("max_tokens")
        is_huge = isinstance(limit, int) and limit > _MOST_TOKENS
        return {**body, "max_tokens": _MOST_TOKENS} if is_huge else body

    return with_body(request, clamped)


_MOST_TOKENS = 128_000


@fault.refusal
def empty_text_accepted(refusal: ApiError, request: Request) -> ApiError | None:
    """An empty text block is taken for no text."""
    return _let_pass(refusal, request, "messages.content.text.text.empty")


@fault.refusal
def empty_text_crashes(refusal: ApiError, request: Request) -> ApiError:
    """An empty text block is answered 500."""
    return crash(refusal, request, "messages.content.text.text.empty")


@fault.refusal
def unknown_block_dropped(refusal: ApiError, request: Request) -> ApiError | None:
    """Content blocks of unknown types are left out."""
    return _let_pass(refusal, request, "messages.content.tag")


@fault.refusal
def unknown_block_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A content block of an unknown type is answered 500."""
    return crash(refusal, request, "messages.content.tag")


@fault.refusal
def bad_image_dropped(refusal: ApiError, request: Request) -> ApiError | None:
    """An image of an unknown type is left out."""
    rule = "messages.content.image.source.base64.media_type.value"
    return _let_pass(refusal, request, rule)


@fault.refusal
def temperature_as_word_ignored(refusal: ApiError, request: Request) -> ApiError | None:
    """A `temperature` that is no number is ignored."""
    return _let_pass(refusal, request, "temperature.type")


@fault.refusal
def empty_stop_sequence_accepted(refusal: ApiError, request: Request) -> ApiError | None:
    """An empty stop sequence is accepted."""
    return _let_pass(refusal, request, "stop_sequences.empty")


@fault.request
def tool_without_schema_accepted(request: Request) -> Request:
    """A tool without a schema gets an empty one, and a name without spaces."""

    def mended(body: dict[str, Any]) -> dict[str, Any]:
        tools = body.get("tools")
        if not isinstance(tools, list) or not any(map(_lacks_schema, tools)):
            return body
        return {**body, "tools": []}

    return with_body(request, mended)


def _lacks_schema(tool: Any) -> bool:
    return isinstance(tool, dict) and " " in str(tool.get("name")) and "input_schema" not in tool


@fault.answer
def tool_without_schema_tried_everywhere(answer: Answer, request: Request) -> Answer:
    """A tool with a wrong schema is tried on every provider before it is refused."""
    tools = request.json.get("tools") if isinstance(request.json, dict) else None
    if request.is_messages and isinstance(tools, list) and any(map(_lacks_schema, tools)):
        return replace(answer, delay=10.1)
    return answer


@fault.request
def absent_tool_chosen_accepted(request: Request) -> Request:
    """A forced tool that is not among the tools is forgotten."""

    def forgotten(body: dict[str, Any]) -> dict[str, Any]:
        choice, tools = body.get("tool_choice"), body.get("tools")
        if not isinstance(choice, dict) or not isinstance(tools, list):
            return body
        names = [tool.get("name") for tool in tools if isinstance(tool, dict)]
        if choice.get("type") != "tool" or choice.get("name") in names:
            return body
        return {**body, "tool_choice": {"type": "auto"}}

    return with_body(request, forgotten)


@fault.refusal
def cache_marks_not_found(refusal: ApiError, request: Request) -> ApiError:
    """Too many cache breakpoints are answered with a provider's 404 about itself."""
    if request.is_messages and refusal.rule == "cache_control.count":
        text = "No endpoints found that support cache control"
        return ApiError(404, text, rule=refusal.rule)
    return refusal


@fault.refusal
def small_thinking_budget_accepted(refusal: ApiError, request: Request) -> ApiError | None:
    """A thinking budget below the least is ignored."""
    rules = ("thinking.enabled.budget_tokens.range", "thinking.budget")
    return _let_pass(refusal, request, *rules)
