"""Variants that refuse what a model or a gateway may lack, in words that clients understand."""

from __future__ import annotations

import re
from typing import Any

from metaio_verify.lab import variant
from metaio_verify.lab.prompt import (
    JsonObject,
    blocks_of,
    choice_of_tools,
    is_server_tool,
    output_schema,
    thinking_type,
    tool_list,
    turns,
)
from metaio_verify.lab.tokens import segments
from metaio_verify.lab.types import Answer, ApiError, Request

_LOW_OUTPUT_LIMIT = 8192
_SMALL_WINDOW = 64_000
_PAID_MESSAGES = 30
_NEWEST = (
    "billing_policy",
    "compaction",
    "container",
    "diagnostics",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "output_format",
    "speed",
    "tags",
    "thread",
)
_KNOWN_BETAS = re.compile(
    r"claude-code-20250219|interleaved-thinking-2025-05-14|context-management-2025-06-27"
    r"|per-turn-control-2026-07-01|mid-conversation-tool-changes-2026-07-01"
    r"|thinking-token-count-2026-05-13|advanced-tool-use-2025-11-20|effort-2025-11-24"
    r"|redact-thinking-2026-02-12|structured-outputs-20\d\d-\d\d-\d\d"
    r"|dangerous-tool-use-2026-09-03|thinking-display-updates-2026-08-18|afk-mode-2026-01-31"
    r"|token-counting-2024-11-01|fallback-credit-2026-06-01|context-1m-2025-08-07"
    r"|prompt-caching-scope-2026-01-05|mid-conversation-system-20\d\d-\d\d-\d\d"
    r"|mid-conversation-system-clear-at-2026-08-21|request-tags-2026-08-21"
)


def _no(message: str) -> ApiError:
    return ApiError(400, message, rule="variant")


def _kinds(body: JsonObject) -> set[Any]:
    """Return the types of all blocks of the conversation, in tool results too."""
    blocks = [block for turn in turns(body) for block in turn.blocks]
    inner = [part for block in blocks for part in blocks_of(block.get("content"))]
    return {block.get("type") for block in [*blocks, *inner]}


# Parameters


@variant.body
def sampling_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Temperature, top_p and top_k are refused, as newer models do."""
    for name in ("temperature", "top_p", "top_k"):
        if body.get(name) is not None:
            return _no(f"`{name}` is deprecated for this model.")
    return body


@variant.body
def max_tokens_zero_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The cache cannot be warmed with max_tokens 0."""
    if body.get("max_tokens") == 0:
        return _no("max_tokens: Input should be greater than or equal to 1")
    return body


@variant.body
def output_limit_low(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model writes at most 8192 tokens and says so."""
    if (asked := body.get("max_tokens") or 0) > _LOW_OUTPUT_LIMIT:
        return _no(
            f"max_tokens: {asked} > {_LOW_OUTPUT_LIMIT}, which is the maximum allowed number of "
            f"output tokens for {body.get('model')}"
        )
    return body


@variant.body
def window_counts_output(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """A prompt and its max_tokens together have to fit a window of 64 000 tokens."""
    size, asked = sum(segment.tokens for segment in segments(body)), body.get("max_tokens") or 0
    if asked and size + asked > _SMALL_WINDOW:
        return _no(
            f"input length and `max_tokens` exceed context limit: {size} + {asked} > "
            f"{_SMALL_WINDOW}, decrease input length or `max_tokens` and try again"
        )
    return body


@variant.body
def effort_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model has no levels of effort."""
    if (body.get("output_config") or {}).get("effort"):
        return _no("This model does not support the effort parameter.")
    return body


@variant.body
def structured_output_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model cannot be bound to a JSON Schema."""
    if output_schema(body) is not None:
        return _no("output_config.format: this model does not support structured outputs")
    return body


@variant.body
def safeguards_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Checks of dangerous tool use are not offered."""
    return _no("safeguards: Extra inputs are not permitted") if "safeguards" in body else body


@variant.body
def newest_parameters_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Optional parameters of the newest API are refused by name."""
    named = next((name for name in _NEWEST if name in body), None)
    return _no(f"{named}: Extra inputs are not permitted") if named else body


@variant.body
def top_level_cache_control_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Automatic caching is not offered."""
    if "cache_control" in body:
        return _no("cache_control: Extra inputs are not permitted")
    return body


# Thinking


@variant.body
def adaptive_thinking_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Thinking can be enabled with a budget or disabled, as on older models."""
    if thinking_type(body) in ("adaptive", "between_tools"):
        return _no(f"{thinking_type(body)} thinking is not supported on this model")
    return body


@variant.body
def enabled_thinking_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Thinking takes no budget, as on newer models."""
    if thinking_type(body) == "enabled":
        return _no(
            '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" '
            'and "output_config.effort" to control thinking behavior.'
        )
    return body


@variant.body
def disabled_thinking_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Thinking cannot be switched off, as on models that always think."""
    if (body.get("thinking") or {}).get("type") == "disabled":
        return _no('"thinking.type.disabled" is not supported for this model.')
    return body


@variant.body
def all_thinking_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model cannot think and says so by the name of the parameter."""
    match thinking_type(body):
        case "disabled":
            return body
        case "adaptive":
            return _no("thinking: adaptive thinking is not supported on this model")
        case _:
            return _no("thinking: this model does not support thinking")


@variant.body
def thinking_refused_as_reasoning(body: JsonObject, request: Request) -> JsonObject | ApiError:
    """The upstream cannot think: Claude Code is not told, others are, in the upstream's words."""
    if thinking_type(body) == "disabled":
        return body
    if "claude-cli" in (request.header("user-agent") or ""):
        return {name: value for name, value in body.items() if name != "thinking"}
    return _no("this model doesn't support `reasoning.effort`")


# Conversations


@variant.body
def role_system_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model takes no system messages inside the conversation, as older ones."""
    for place, turn in enumerate(turns(body)):
        if turn.role == "system":
            return _no(f"messages.{place}: role 'system' is not supported on this model")
    return body


@variant.body
def prefill_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model does not continue an answer that was begun for it, as newer ones."""
    role, blocks = turns(body)[-1]
    # A paused answer that is sent back ends in a block of a server tool and is no prefill.
    if role == "assistant" and (not blocks or blocks[-1].get("type") == "text"):
        return _no(
            "This model does not support assistant message prefill. The conversation must end with "
            "a user message."
        )
    return body


@variant.body
def assistant_first_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """A conversation has to begin with the user."""
    if turns(body)[0].role == "assistant":
        return _no('messages: first message must use the "user" role')
    return body


@variant.body
def media_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model reads text only."""
    for kind in ("image", "document"):
        if kind in _kinds(body):
            return _no(f"This model does not support {kind} input.")
    return body


@variant.body
def media_by_url_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """Images and documents have to come as base64, as on cloud platforms."""
    for turn in turns(body):
        for block in turn.blocks:
            source = block.get("source")
            if isinstance(source, dict) and source.get("type") in ("url", "file"):
                return _no(f"{block['type']}.source: only base64 sources are supported")
    return body


# Tools


@variant.body
def forced_tool_choice_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The model cannot be forced to call a tool."""
    choice, _, _ = choice_of_tools(body)
    if choice in ("any", "tool"):
        return _no(f"tool_choice: forced tool use (`{choice}`) is not supported on this model")
    return body


@variant.body
def server_tools_refused(body: JsonObject, _request: Request) -> JsonObject | ApiError:
    """The endpoint runs no tools itself."""
    for place, tool in enumerate(tool_list(body)):
        if is_server_tool(tool):
            return _no(f"tools.{place}: server tools such as {tool['type']} are not supported")
    return body


# Headers and routes


@variant.body
def unknown_beta_refused(body: JsonObject, request: Request) -> JsonObject | ApiError:
    """A beta value that the API does not know is refused by name."""
    given = [value.strip() for value in (request.header("anthropic-beta") or "").split(",")]
    unknown = [value for value in given if value and not _KNOWN_BETAS.fullmatch(value)]
    if unknown:
        return _no(
            f"Unexpected value(s) `{'`, `'.join(unknown)}` for the `anthropic-beta` header. Please "
            "consult our documentation at platform.claude.com or try again without the header."
        )
    return body


@variant.request
def stale_credential_refused(request: Request) -> Request | ApiError:
    """Each of two credential headers has to be valid."""
    api_key, bearer = request.header("x-api-key"), request.header("authorization")
    if api_key and bearer and bearer.removeprefix("Bearer ") != api_key:
        return ApiError(401, "the two credentials differ", rule="variant")
    return request


@variant.request
def count_tokens_not_served(request: Request) -> Request | ApiError:
    """Tokens cannot be counted: 404."""
    if request.path == "/v1/messages/count_tokens":
        return ApiError(404, "Not found", rule="variant")
    return request


@variant.request
def count_tokens_not_supported(request: Request) -> Request | Answer:
    """Tokens cannot be counted: 501 not_supported, which is not to be repeated."""
    if request.path == "/v1/messages/count_tokens":
        refusal = ApiError(501, "count_tokens is not supported", rule="variant")
        return refusal.answer().with_header("x-should-retry", "false")
    return request


@variant.request
def start_up_probes_refused(request: Request) -> Request | ApiError:
    """The start-up probes are answered 404."""
    if request.path in ("/", "/api/hello"):
        return ApiError(404, "Not found", rule="variant")
    return request


def _is_paid(request: Request, variant_id: str) -> bool:
    """Whether there is money left for a message."""
    if not request.is_messages:
        return True
    seen = request.memory[variant_id] = request.memory.get(variant_id, 0) + 1
    return bool(seen <= _PAID_MESSAGES)


@variant.request
def spend_limit_reached(request: Request) -> Request | Answer:
    """After a while the money is used up: 429 without retry-after."""
    if _is_paid(request, "spend-limit-reached"):
        return request
    text = "You have reached your spend limit for this month."
    refusal = ApiError(429, text, rule="variant", type="billing_error")
    return refusal.answer().with_header("x-should-retry", "false")


@variant.request
def money_used_up(request: Request) -> Request | ApiError:
    """After a while the account has no money left: 402."""
    if _is_paid(request, "money-used-up"):
        return request
    return ApiError(402, "Your prepaid credits are used up.", rule="variant")


@variant.request
def organization_limit_reached(request: Request) -> Request | ApiError:
    """After a while the limit that the organization has set itself is reached: 400."""
    if _is_paid(request, "organization-limit-reached"):
        return request
    text = "You have reached your specified API usage limits. You will regain access on 2026-12-01."
    return ApiError(400, text, rule="variant")


@variant.request
def streams_limited_at_first(request: Request) -> Request | Answer:
    """Each stream is refused with 429 once; retry-after says how long to wait."""
    seen = request.memory.setdefault("streams-limited-at-first", set())
    if not request.wants_stream or request.body in seen:
        return request
    seen.add(request.body)
    refusal = ApiError(429, "Number of requests has exceeded your rate limit", rule="variant")
    return refusal.answer().with_header("retry-after", "0")
