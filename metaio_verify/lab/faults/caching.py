"""Faults of prompt caching."""

from __future__ import annotations

from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Events, Json, asked, blocks_of, refused
from metaio_verify.lab.types import ApiError, Request

_EXTRA = "Extra inputs are not permitted"


def _system(body: Json) -> list[Json]:
    """Return the blocks of a system prompt in array form."""
    system = body.get("system")
    return [one for one in system if isinstance(one, dict)] if isinstance(system, list) else []


def _marker(block: Json) -> Json:
    marker = block.get("cache_control")
    return marker if isinstance(marker, dict) else {}


# What is accepted


@fault.request
def cache_control_on_call_refused(request: Request) -> Request | ApiError:
    """A tool call with `cache_control` is refused."""
    if any(map(_marker, blocks_of(asked(request), "tool_use"))):
        return refused(f"messages.1.content.0.tool_use.cache_control: {_EXTRA}")
    return request


@fault.request
def hour_lifetime_refused(request: Request) -> Request | ApiError:
    """A breakpoint with `ttl` is refused."""
    if any("ttl" in _marker(block) for block in _system(asked(request))):
        return refused(f"system.1.cache_control.ephemeral.ttl: {_EXTRA}")
    return request


@fault.request
def cache_scope_refused(request: Request) -> Request | ApiError:
    """A breakpoint with `scope` is refused."""
    if any("scope" in _marker(block) for block in _system(asked(request))):
        return refused(f"system.1.cache_control.ephemeral.scope: {_EXTRA}")
    return request


@fault.refusal
def five_breakpoints_accepted(refusal: ApiError, _request: Request) -> ApiError | None:
    """Any number of breakpoints is accepted."""
    return None if refusal.rule == "cache_control.count" else refusal


# What is cached


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unmarked(item) for key, item in value.items() if key != "cache_control"}
    return [_unmarked(item) for item in value] if isinstance(value, list) else value


@fault.body
def breakpoints_dropped(body: Json, _request: Request) -> Json:
    """The gateway drops all breakpoints, so nothing is cached."""
    return {key: _unmarked(item) for key, item in body.items() if key != "cache_control"}


@fault.body
def cache_never_hit(body: Json, request: Request) -> Json:
    """The gateway puts a counter before the prompt, so no prefix is ever the same."""
    number = request.memory["requests"] = request.memory.get("requests", 0) + 1
    for block in _system(body)[:1]:
        block["text"] = f"{number}: {block['text']}"
    return body


@fault.body
def hour_lifetime_shortened(body: Json, _request: Request) -> Json:
    """Every breakpoint lives five minutes, whatever was asked for."""
    for block in [*_system(body), *(body.get("tools") or [])]:
        _marker(block).pop("ttl", None)
    return body


# What is reported


@fault.message
def cache_fields_zero(message: Json, _request: Request) -> Json:
    """Usage says of every prompt that nothing was cached."""
    usage = message["usage"]
    usage["input_tokens"] += usage["cache_creation_input_tokens"] + usage["cache_read_input_tokens"]
    usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    usage["cache_creation"] = dict.fromkeys(usage["cache_creation"], 0)
    return message


@fault.message
def cached_tokens_counted_twice(message: Json, _request: Request) -> Json:
    """`input_tokens` includes what was read from the cache, as OpenAI counts."""
    usage = message["usage"]
    usage["input_tokens"] += usage["cache_read_input_tokens"]
    return message


@fault.message
def cache_creation_does_not_add_up(message: Json, _request: Request) -> Json:
    """`cache_creation` says nothing about what lives five minutes."""
    usage = message["usage"]
    usage["cache_creation"] = {
        "ephemeral_5m_input_tokens": 0,
        "ephemeral_1h_input_tokens": usage["cache_creation"]["ephemeral_1h_input_tokens"],
    }
    return message


@fault.message
def cache_written_unasked(message: Json, request: Request) -> Json:
    """The gateway sets breakpoints of its own, so each prompt is written to the cache."""
    if b"cache_control" in request.body:
        return message
    usage = message["usage"]
    written, usage["input_tokens"] = usage["input_tokens"] - 1, 1
    usage["cache_creation_input_tokens"] += written
    usage["cache_creation"]["ephemeral_1h_input_tokens"] += written
    return message


@fault.events
def message_start_without_cache(events: Events, _request: Request) -> Events:
    """The cache fields of `message_start` are 0; the last usage has them."""
    usage = events[0].data["message"]["usage"]
    usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return events
