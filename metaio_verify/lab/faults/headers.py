"""Faults of request and response headers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.connectivity import second_of_user
from metaio_verify.lab.types import Answer, ApiError, Request

_HEADLESS_BETAS = frozenset(
    {
        "claude-code-20250219",
        "interleaved-thinking-2025-05-14",
        "context-management-2025-06-27",
        "per-turn-control-2026-07-01",
        "mid-conversation-tool-changes-2026-07-01",
        "thinking-token-count-2026-05-13",
        "advanced-tool-use-2025-11-20",
        "effort-2025-11-24",
    }
)
_RETIRED_BETAS = frozenset(
    {
        "context-1m-2025-08-07",
        "prompt-caching-scope-2026-01-05",
        "mid-conversation-system-2026-04-07",
    }
)
_REQUESTS_PER_USER = 1


def _betas(request: Request) -> list[str]:
    """The beta values of a message."""
    value = request.header("anthropic-beta") or ""
    return [beta.strip() for beta in value.split(",") if beta.strip() and request.is_messages]


def _invalid(message: str) -> ApiError:
    return ApiError(400, message, rule="header.value")


def _with_version(request: Request, version: str) -> Request:
    others = request.without_header("anthropic-version")
    return replace(others, headers=[*others.headers, ("anthropic-version", version)])


@fault.request
def version_sent_twice(request: Request) -> Request | ApiError:
    """The gateway adds its own `anthropic-version` to the client's, which no upstream knows."""
    version = request.header("anthropic-version")
    if not (request.is_messages and version):
        return request
    return _invalid(f'anthropic-version: "{version}, 2023-06-01" is not a valid version')


@fault.request
def version_2026_10_21_refused(request: Request) -> Request | ApiError:
    """Messages are pinned to `anthropic-version: 2023-06-01`."""
    version = request.header("anthropic-version")
    if request.is_messages and version == "2026-10-21":
        return _invalid(f'anthropic-version: "{version}" is not a valid version')
    return request


@fault.request
def version_not_required(request: Request) -> Request:
    """Without `anthropic-version` the oldest version is assumed."""
    if request.header("anthropic-version") is None:
        return _with_version(request, "2023-06-01")
    return request


@fault.request
def unknown_version_accepted(request: Request) -> Request:
    """Every `anthropic-version` is taken for the oldest one."""
    if request.header("anthropic-version") in (None, "2026-10-21"):
        return request
    return _with_version(request, "2023-06-01")


@fault.refusal
def unknown_version_crashes(refusal: ApiError, _request: Request) -> ApiError:
    """An unknown `anthropic-version` is answered 500."""
    if refusal.rule == "version.unknown":
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


@fault.request
def obsolete_beta_injected(request: Request) -> Request | ApiError:
    """The gateway adds a beta value of its own to messages, which the upstream refuses."""
    if not request.is_messages:
        return request
    return _invalid("Unexpected value(s) `output-128k-2025-02-19` for the `anthropic-beta` header.")


@fault.request
def beta_list_outdated(request: Request) -> Request | ApiError:
    """Only the beta values of a headless session are known; the first other one is refused."""
    for beta in _betas(request):
        if beta not in _HEADLESS_BETAS | _RETIRED_BETAS:
            return _invalid(f"Unexpected value(s) `{beta}` for the `anthropic-beta` header.")
    return request


@fault.request
def retired_betas_refused(request: Request) -> Request | ApiError:
    """Beta values that only older clients send are refused."""
    for beta in _betas(request):
        if beta in _RETIRED_BETAS:
            return _invalid(f"Unexpected value(s) `{beta}` for the `anthropic-beta` header.")
    return request


@fault.request
def unknown_beta_refused_without_name(request: Request) -> Request | ApiError:
    """A beta value that nobody knows is refused, without saying which one it is."""
    if any("unknown" in beta for beta in _betas(request)):
        return _invalid("invalid beta flag")
    return request


@fault.request
def trace_header_refused(request: Request) -> Request | ApiError:
    """A message with a trace header is refused."""
    if request.is_messages and request.header("traceparent"):
        return _invalid("unsupported request header")
    return request


@fault.answer
def json_sent_as_text_plain(answer: Answer, request: Request) -> Answer:
    """A plain message has the content type `text/plain`."""
    if request.is_messages and answer.status == 200 and answer.stream is None:
        return answer.with_header("content-type", "text/plain; charset=utf-8")
    return answer


@fault.answer
def no_request_id(answer: Answer, _request: Request) -> Answer:
    """Answers carry no `request-id` header."""
    return answer.with_header("request-id", None)


@fault.answer
def request_id_missing_on_streams(answer: Answer, _request: Request) -> Answer:
    """Streams carry no `request-id` header."""
    return answer if answer.stream is None else answer.with_header("request-id", None)


@fault.answer
def request_id_constant(answer: Answer, _request: Request) -> Answer:
    """Every answer has the same `request-id`, in the header and in error bodies."""
    constant = "req_011ConstantConstantConst"
    if isinstance(answer.json, dict) and "request_id" in answer.json:
        answer = answer.with_json({**answer.json, "request_id": constant})
    return answer.with_header("request-id", constant)


@fault.answer
def request_id_differs_in_body(answer: Answer, _request: Request) -> Answer:
    """The `request_id` of an error body is the upstream's, not that of the header."""
    if isinstance(answer.json, dict) and "request_id" in answer.json:
        return answer.with_json({**answer.json, "request_id": "req_011UpstreamUpstreamUpst"})
    return answer


@fault.request
def rate_limit_without_retry_after(request: Request) -> Request | ApiError:
    """The second message of a named user is refused with 429, and nothing says how long to wait."""
    user = _plain_user(request.json)
    if not (request.is_messages and user):
        return request
    seen: dict[str, int] = request.memory.setdefault("rate-limit-without-retry-after", {})
    seen[user] = seen.get(user, 0) + 1
    if seen[user] > _REQUESTS_PER_USER:
        return ApiError(429, "Too many requests of this user", rule="rate.limit")
    return request


def _plain_user(body: Any) -> str | None:
    """The user of a message; none for the JSON documents that Claude Code puts there."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    return user if isinstance(user, str) and not user.startswith("{") else None


@fault.message
def answers_cached(message: dict[str, Any], request: Request) -> dict[str, Any]:
    """A request that was seen before gets the message that was made for it then."""
    cache: dict[bytes, dict[str, Any]] = request.memory.setdefault("answers-cached", {})
    return dict(cache.setdefault(request.body, message))


@fault.answer
def stream_cacheable(answer: Answer, _request: Request) -> Answer:
    """Streams may be kept by caches for a minute."""
    if answer.stream is None:
        return answer
    return answer.with_header("cache-control", "public, max-age=60")


@fault.request
def beta_lines_refused(request: Request) -> Request | ApiError:
    """A message with several lines of `anthropic-beta` is refused."""
    lines = [name for name, _ in request.headers if name == "anthropic-beta"]
    if request.is_messages and len(lines) > 1:
        return _invalid("duplicate header anthropic-beta")
    return request


@fault.request
def charset_refused(request: Request) -> Request | Answer:
    """A content type with a charset is refused with 415."""
    if "charset" in (request.header("content-type") or ""):
        return Answer.of_json({"detail": "Unsupported Media Type"}, 415)
    return request


@fault.request
def text_plain_crashes(request: Request) -> Request | ApiError:
    """A body that is labelled `text/plain` is answered 500."""
    if request.header("content-type") == "text/plain":
        return ApiError(500, "Internal server error", rule="header.crash")
    return request


@fault.answer
def rate_limit_headers_unreadable(answer: Answer, request: Request) -> Answer:
    """Messages say in words how many requests are allowed, and in seconds when."""
    if not request.is_messages:
        return answer
    limited = answer.with_header("anthropic-ratelimit-requests-limit", "60/min")
    return limited.with_header("anthropic-ratelimit-requests-reset", "12s")


@fault.answer
def shared_quota_shown(answer: Answer, request: Request) -> Answer:
    """Messages show how much of the operator's own account is used up."""
    if not request.is_messages:
        return answer
    return answer.with_header("anthropic-ratelimit-unified-status", "allowed_warning")


@fault.answer
def organization_changes(answer: Answer, request: Request) -> Answer:
    """Messages come from one of two organizations, by turns."""
    if not request.is_messages:
        return answer
    turn = request.memory.get("organization-changes", 0)
    request.memory["organization-changes"] = turn + 1
    return answer.with_header("anthropic-organization-id", f"organization-{turn % 2}")


@fault.request
def quota_answered_403(request: Request) -> Request | ApiError:
    """The second tiny message of a user is refused with 403, because the quota is used up."""
    if second_of_user(request, "quota-answered-403"):
        return ApiError(403, "用户额度不足: the quota of this user is used up", rule="rate.quota")
    return request
