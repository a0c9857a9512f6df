"""Faults of token counting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.types import Answer, ApiError, Request


def _field(request: Request, name: str) -> Any:
    """A field of the body of a token count; none when there is none."""
    if not (request.is_count and isinstance(request.json, dict)):
        return None
    return request.json.get(name)


def _invalid(message: str) -> ApiError:
    return ApiError(400, message, rule="count.body")


def _crash() -> ApiError:
    return ApiError(500, "Internal server error", rule="count.crash")


def _counts(answer: Answer, request: Request) -> bool:
    return request.is_count and answer.status == 200


@fault.answer
def count_answered_without_number(answer: Answer, request: Request) -> Answer:
    """A token count is answered 200 with something else than a number."""
    if not _counts(answer, request):
        return answer
    return answer.with_json({"status": "ok", "message": "unexpected endpoint"})


@fault.request
def count_crashes(request: Request) -> Request | ApiError:
    """A token count is answered 500 unless it is asked for with a query."""
    return _crash() if request.is_count and not request.query else request


@fault.request
def count_demands_max_tokens(request: Request) -> Request | ApiError:
    """A token count is validated like a message, so it needs `max_tokens`."""
    if request.is_count and _field(request, "max_tokens") is None:
        return _invalid("max_tokens: Field required")
    return request


@fault.request
def count_demands_metadata(request: Request) -> Request | Answer:
    """A token count with Claude Code's headers is refused for want of `metadata.user_id`."""
    is_claude_code = "claude-cli" in (request.header("user-agent") or "")
    if not (request.is_count and is_claude_code) or _field(request, "metadata"):
        return request
    error = {"type": "no_available_providers", "message": "no provider takes this client"}
    return Answer.of_json({"type": "error", "error": error}, 503)


@fault.request
def count_refuses_empty_tools(request: Request) -> Request | ApiError:
    """A token count with an empty list of tools is refused."""
    if _field(request, "tools") == []:
        return _invalid("tools: List should have at least 1 item")
    return request


@fault.request
def count_refuses_tools(request: Request) -> Request | ApiError:
    """A token count with tools is refused."""
    if _field(request, "tools"):
        return _invalid("tools: Extra inputs are not permitted")
    return request


@fault.request
def count_crashes_on_image(request: Request) -> Request | ApiError:
    """A token count with an image is answered 500."""
    return _crash() if request.is_count and b'"image"' in request.body else request


@fault.body
def count_without_tools(body: dict[str, Any], request: Request) -> dict[str, Any]:
    """A token count covers the messages only, not `system` and `tools`."""
    if not request.is_count:
        return body
    return {key: value for key, value in body.items() if key not in ("system", "tools")}


@fault.answer
def count_by_characters(answer: Answer, request: Request) -> Answer:
    """A token count is the length of the body in bytes."""
    if not _counts(answer, request):
        return answer
    return answer.with_json({"input_tokens": len(request.body)})


@fault.refusal
def count_of_nothing_is_zero(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A token count without messages is answered with 0."""
    if request.is_count and refusal.rule == "messages.missing":
        return Answer.of_json({"input_tokens": 0})
    return refusal


@fault.refusal
def count_mistake_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A token count without messages is answered 500."""
    return _crash() if request.is_count and refusal.rule == "messages.missing" else refusal


@fault.refusal
def count_error_not_translated(refusal: ApiError, request: Request) -> ApiError | Answer:
    """The error of a token count is the upstream's, in its own shape."""
    if request.is_count and refusal.rule == "messages.missing":
        return Answer.of_json({"message": "1 validation error: messages is missing"}, 400)
    return refusal


@fault.answer
def count_of_blocks_as_json(answer: Answer, request: Request) -> Answer:
    """A text in a block is counted with its JSON."""
    messages = _field(request, "messages") if _counts(answer, request) else None
    if not isinstance(messages, list) or not all(map(_is_one_text, messages)):
        return answer
    return answer.with_json({"input_tokens": answer.json["input_tokens"] + 9})


def _is_one_text(message: Any) -> bool:
    content = message.get("content")
    return isinstance(content, list) and [block.get("type") for block in content] == ["text"]


@fault.answer
def count_generates(answer: Answer, request: Request) -> Answer:
    """A token count is a message of one token, with its usage on top."""
    if not _counts(answer, request):
        return answer
    return answer.with_json({**answer.json, "content": [{"type": "text", "text": "Hi"}]})


@fault.answer
def count_slow(answer: Answer, request: Request) -> Answer:
    """A token count without a query takes more than 2 seconds."""
    is_plain = _counts(answer, request) and not request.query and len(request.body) < 120
    return replace(answer, delay=2.1) if is_plain else answer
