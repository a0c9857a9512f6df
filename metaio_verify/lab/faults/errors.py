"""Faults of validation and of error answers."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from metaio_verify.lab import fault
from metaio_verify.lab.types import Answer, ApiError, Event, Request

_KNOWN_ROLES = ("user", "assistant", "system")


def _is_about_body(refusal: ApiError, request: Request) -> bool:
    """Whether a message is refused because of what stands in its body."""
    subject = refusal.rule.partition(".")[0]
    return (
        request.is_messages
        and refusal.status == 400
        and subject in ("body", "model", "messages", "max_tokens")
    )


def crash(refusal: ApiError, request: Request, *rules: str) -> ApiError:
    """A 500 in place of a message's refusal for one of these rules."""
    if request.is_messages and refusal.rule in rules:
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


def with_body(request: Request, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Request:
    """A message with another body; what is no JSON object stays as it is."""
    if not (request.is_messages and isinstance(request.json, dict)):
        return request
    return replace(request, body=msgspec.json.encode(change(request.json)))


def _reworded(refusal: ApiError, message: str) -> ApiError:
    return ApiError(refusal.status, message, rule=refusal.rule, type=refusal.type)


# --- mistakes that are accepted -----------------------------------------------------------------


@fault.refusal
def accepts_missing_max_tokens(refusal: ApiError, _request: Request) -> ApiError | None:
    """A body without `max_tokens` is answered 200."""
    return None if refusal.rule == "max_tokens.missing" else refusal


@fault.request
def missing_model_accepted(request: Request) -> Request:
    """A message without a model is answered by a default model."""
    return with_body(request, lambda body: {"model": "claude-lab-3", **body})


@fault.request
def missing_messages_accepted(request: Request) -> Request:
    """A message without `messages` is answered as if it greeted."""
    greeting = [{"role": "user", "content": "Hello."}]
    return with_body(request, lambda body: {"messages": greeting, **body})


@fault.request
def empty_messages_accepted(request: Request) -> Request:
    """A message with empty `messages` is answered as if it greeted."""
    greeting = [{"role": "user", "content": "Hello."}]
    return with_body(
        request,
        lambda body: {**body, "messages": greeting} if body.get("messages") == [] else body,
    )


@fault.request
def unknown_role_accepted(request: Request) -> Request:
    """Messages of an unknown role are left out."""

    def known_only(body: dict[str, Any]) -> dict[str, Any]:
        messages = body.get("messages")
        if not isinstance(messages, list) or all(map(_has_known_role, messages)):
            return body
        return {**body, "messages": [{"role": "user", "content": "Hello."}]}

    return with_body(request, known_only)


def _has_known_role(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") in _KNOWN_ROLES


@fault.request
def negative_max_tokens_accepted(request: Request) -> Request:
    """A negative `max_tokens` means that there is no limit."""

    def unlimited(body: dict[str, Any]) -> dict[str, Any]:
        limit = body.get("max_tokens")
        return {**body, "max_tokens": 16} if isinstance(limit, int) and limit < 0 else body

    return with_body(request, unlimited)


@fault.refusal
def unknown_model_answered_by_another(refusal: ApiError, request: Request) -> ApiError | None:
    """A message to an unknown model is answered by a default model."""
    return None if request.is_messages and refusal.rule == "model.unknown" else refusal


# --- mistakes that crash ------------------------------------------------------------------------


@fault.refusal
def missing_model_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message without a model is answered 500."""
    return crash(refusal, request, "model.missing")


@fault.refusal
def missing_messages_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message without `messages` is answered 500."""
    return crash(refusal, request, "messages.missing")


@fault.refusal
def missing_max_tokens_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message without `max_tokens` is answered 500."""
    return crash(refusal, request, "max_tokens.missing")


@fault.refusal
def empty_messages_crash(refusal: ApiError, request: Request) -> ApiError:
    """A message with empty `messages` is answered 500."""
    return crash(refusal, request, "messages.empty")


@fault.refusal
def messages_as_string_crash(refusal: ApiError, request: Request) -> ApiError:
    """A message whose `messages` are a string is answered 500."""
    return crash(refusal, request, "messages.type")


@fault.refusal
def unknown_role_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message of an unknown role is answered 500."""
    return crash(refusal, request, "messages.role.value")


@fault.refusal
def max_tokens_as_word_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message whose `max_tokens` is a word is answered 500."""
    return crash(refusal, request, "max_tokens.type")


@fault.refusal
def truncated_json_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A body that is no JSON is answered 500."""
    return crash(refusal, request, "body.syntax")


@fault.refusal
def empty_body_crashes(refusal: ApiError, request: Request) -> ApiError:
    """An empty body is answered 500."""
    return crash(refusal, request, "body.empty")


@fault.refusal
def unknown_model_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A message to an unknown model is answered 502, because the upstream refused it."""
    if request.is_messages and refusal.rule == "model.unknown":
        return ApiError(502, "Bad gateway", rule=refusal.rule, type="api_error")
    return refusal


# --- statuses -----------------------------------------------------------------------------------


@fault.refusal
def bodies_refused_with_422(refusal: ApiError, request: Request) -> ApiError:
    """A body that is no JSON is answered 422."""
    if request.is_messages and refusal.rule in ("body.syntax", "body.empty"):
        return ApiError(422, refusal.message, rule=refusal.rule, type=refusal.type)
    return refusal


@fault.refusal
def upstream_error_in_200(refusal: ApiError, request: Request) -> ApiError | Answer:
    """The error for an unknown model comes with status 200."""
    if request.is_messages and refusal.rule == "model.unknown":
        return replace(refusal.answer(), status=200)
    return refusal


@fault.refusal
def stream_error_in_200(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A mistake in a stream request is an event in a stream with status 200."""
    if not (request.wants_stream and _is_about_body(refusal, request)):
        return refusal
    event = Event("error", refusal.answer().json)
    return Answer(200, [("content-type", "text/event-stream")], stream=[event.encode()])


# --- envelope, type and text --------------------------------------------------------------------


@fault.refusal
def error_body_empty(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A 400 has no body."""
    return Answer(400, []) if _is_about_body(refusal, request) else refusal


@fault.refusal
def error_as_detail(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A 400 has the shape of a web framework."""
    if not _is_about_body(refusal, request):
        return refusal
    return Answer.of_json({"detail": [{"loc": ["body"], "msg": refusal.message}]}, 400)


@fault.refusal
def error_in_openai_shape(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A 400 has OpenAI's envelope, without the outer `type`."""
    if not _is_about_body(refusal, request):
        return refusal
    error = {"message": refusal.message, "type": refusal.type, "param": None, "code": "400"}
    return Answer.of_json({"error": error}, 400)


@fault.refusal
def error_message_compressed(refusal: ApiError, request: Request) -> ApiError:
    """The message of a 400 is the upstream's body, still compressed."""
    if not _is_about_body(refusal, request):
        return refusal
    raw = gzip.compress(refusal.message.encode(), mtime=0)
    return _reworded(refusal, raw.decode(errors="replace"))


@fault.refusal
def error_message_vague(refusal: ApiError, request: Request) -> ApiError:
    """The message of a 400 does not say what is wrong."""
    return _reworded(refusal, "Bad request.") if _is_about_body(refusal, request) else refusal


@fault.refusal
def error_type_of_the_framework(refusal: ApiError, request: Request) -> ApiError:
    """The type of a 400 is the name of the status."""
    if not _is_about_body(refusal, request):
        return refusal
    return ApiError(400, refusal.message, rule=refusal.rule, type="Bad Request")


@fault.refusal
def unknown_model_with_class_name(refusal: ApiError, request: Request) -> ApiError:
    """The type of the error for an unknown model is the class name of an exception."""
    if request.is_messages and refusal.rule == "model.unknown":
        return ApiError(404, refusal.message, rule=refusal.rule, type="NotFoundError")
    return refusal


@fault.refusal
def traceback_in_error(refusal: ApiError, request: Request) -> ApiError:
    """The message of a 400 ends with the server's traceback."""
    if not _is_about_body(refusal, request):
        return refusal
    trace = 'Traceback (most recent call last):\n  File "/srv/gateway/app.py", line 118, in relay'
    return _reworded(refusal, f"{refusal.message}\n{trace}")


@fault.refusal
def upstream_key_in_error(refusal: ApiError, request: Request) -> ApiError:
    """The message of a 400 quotes the upstream's URL with the operator's key."""
    if not _is_about_body(refusal, request):
        return refusal
    url = "https://upstream.example.com/v1/messages?key=sk-proj-A1b2C3d4E5f6G7h8I9j0"
    return _reworded(refusal, f"{refusal.message} (POST {url})")


@fault.request
def context_length_in_other_words(request: Request) -> Request | ApiError:
    """A long body is refused with a sentence about the context length of the model."""
    if request.is_messages and _LONG_PADDING in request.body:
        text = "This model's maximum context length is 8192 tokens, the input has 9000."
        return ApiError(400, text, rule="prompt.too-long")
    return request


_LONG_PADDING = b" " * 50_000


@fault.refusal
def error_details_as_text(refusal: ApiError, request: Request) -> ApiError | Answer:
    """The details of a 400 are a sentence."""
    if not (request.is_messages and refusal.rule == "messages.missing"):
        return refusal
    answer = refusal.answer()
    error = {**answer.json["error"], "details": refusal.message}
    return answer.with_json({**answer.json, "error": error})
