"""Faults of what Claude Code needs on top."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import (
    Events,
    Json,
    asked,
    block_of,
    blocks_of,
    copy,
    delta_of,
    refused,
    rewritten,
)
from metaio_verify.lab.types import ApiError, Event, Request

_FIELD = "Extra inputs are not permitted"
_FEW_BREAKPOINTS = 2
_MANY_TOOLS = 10


def _tools(request: Request) -> list[Json]:
    tools = asked(request).get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def _objects(value: Any) -> Iterator[Json]:
    """Yield each JSON object in a value, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


# Fields of the request


@fault.request
def output_config_refused(request: Request) -> Request | ApiError:
    """The field `output_config` is refused, as Bedrock bridges do."""
    if "output_config" in asked(request):
        return refused(f"output_config: {_FIELD}")
    return request


@fault.request
def context_management_refused(request: Request) -> Request | ApiError:
    """The field `context_management` is refused."""
    if "context_management" in asked(request):
        return refused(f"context_management: {_FIELD}")
    return request


@fault.request
def adaptive_thinking_refused(request: Request) -> Request | ApiError:
    """Thinking can be enabled or disabled, not adaptive."""
    thinking = asked(request).get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") == "adaptive":
        return refused(
            "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected "
            "tags: 'disabled', 'enabled'"
        )
    return request


@fault.request
def breakpoints_added(request: Request) -> Request | ApiError:
    """The gateway adds cache breakpoints of its own, beyond the four that are allowed."""
    markers = sum("cache_control" in part for part in _objects(asked(request)))
    if markers > _FEW_BREAKPOINTS:
        return refused(
            "A maximum of 4 blocks with cache_control may be provided. "
            f"Found {markers + _FEW_BREAKPOINTS}."
        )
    return request


# Tools


@fault.request
def defer_loading_refused(request: Request) -> Request | ApiError:
    """A tool with `defer_loading` is refused."""
    for place, tool in enumerate(_tools(request)):
        if "defer_loading" in tool:
            return refused(f"tools.{place}.custom.defer_loading: {_FIELD}")
    return request


@fault.request
def schema_keywords_refused(request: Request) -> Request | ApiError:
    """Schemas of tools go unchanged to a backend that does not know `$schema`."""
    for place, tool in enumerate(_tools(request)):
        if "$schema" in (tool.get("input_schema") or {}):
            return refused(
                'Invalid JSON payload received. Unknown name "$schema" at '
                f"'tools[0].function_declarations[{place}].parameters': Cannot find field."
            )
    return request


@fault.request
def untyped_property_crashes(request: Request) -> Request | ApiError:
    """A property of a tool without a single type ends in a 500 of the chat template."""
    for tool in _tools(request):
        properties = (tool.get("input_schema") or {}).get("properties") or {}
        if any(not isinstance(one.get("type"), str) for one in properties.values()):
            return refused("template: :108:130: executing: error calling index $prop.Type 0", 500)
    return request


@fault.events
def stream_of_many_tools_fails(events: Events, request: Request) -> Events:
    """With ten or more tools a stream begins well and ends in an error of the upstream."""
    if len(_tools(request)) < _MANY_TOOLS:
        return events
    error = {"type": "api_error", "message": "upstream: no body"}
    return [*events[:2], Event("error", {"type": "error", "error": error})]


# Thinking


@fault.events
def thinking_without_signature(events: Events, _request: Request) -> Events:
    """Thinking blocks are streamed without a `signature_delta`."""
    return [event for event in events if delta_of(event).get("type") != "signature_delta"]


@fault.events
def thinking_and_signature_apart(events: Events, _request: Request) -> Events:
    """The signature of a thinking block comes in a block of its own."""
    result: Events = []
    shift = 0
    for event in events:
        if delta_of(event).get("type") == "signature_delta":
            index = event.data["index"] + shift
            result.append(
                Event("content_block_stop", {"type": "content_block_stop", "index": index})
            )
            start = next(one for one in events if block_of(one).get("type") == "thinking")
            shift += 1
            result.append(copy(start, index=index + 1))
        moved = {"index": event.data["index"] + shift} if "index" in event.data else {}
        result.append(copy(event, **moved) if moved else event)
    return result


@fault.request
def thinking_in_history_refused(request: Request) -> Request | ApiError:
    """Thinking blocks are not known in the history."""
    if blocks_of(asked(request), "thinking"):
        return refused(
            "messages.2.content.0: Input tag 'thinking' found using 'type' does not match any of "
            "the expected tags: 'text', 'tool_use'"
        )
    return request


@fault.request
def signatures_cut_on_the_way(request: Request) -> Request:
    """The proxy writes the history anew and shortens the signatures of thinking blocks."""
    body = asked(request)
    for block in (blocks := blocks_of(body, "thinking")):
        block["signature"] = str(block.get("signature"))[:64]
    return rewritten(request, body) if blocks else request


# What Claude Code asks beside the turns


@fault.request
def plain_form_of_claude_code_refused(request: Request) -> Request | ApiError:
    """Context editing is served in streams only."""
    body = asked(request)
    if "context_management" in body and _tools(request) and body.get("stream") is not True:
        return refused("Streaming is required for this request")
    return request


@fault.message
def safeguards_ignored(message: Json, _request: Request) -> Json:
    """The field `safeguards` is dropped on the way, and nobody is told."""
    return {key: value for key, value in message.items() if key != "safeguard_results"}


@fault.request
def safeguards_refused_without_a_name(request: Request) -> Request | ApiError:
    """The field `safeguards` is refused, but the refusal does not say so."""
    return refused("Bad request") if "safeguards" in asked(request) else request


@fault.request
def empty_tools_refused(request: Request) -> Request | ApiError:
    """An empty list of tools is refused, as OpenAI does."""
    if asked(request).get("tools") == []:
        return refused("Invalid 'tools': empty array. Expected an array with minimum length 1.")
    return request


@fault.message
def server_tool_becomes_a_function(message: Json, request: Request) -> Json:
    """A server tool is given to the model as a function, so that the client has to run it."""
    names = [tool.get("name") for tool in _tools(request) if "input_schema" not in tool]
    if not names:
        return message
    call = {"type": "tool_use", "id": "toolu_01Search", "name": names[0], "input": {"query": "x"}}
    return {**message, "content": [call], "stop_reason": "tool_use"}


@fault.request
def server_tool_crashes(request: Request) -> Request | ApiError:
    """A tool without a schema ends in a 500."""
    if any("input_schema" not in tool and "type" in tool for tool in _tools(request)):
        return refused("'NoneType' object has no attribute 'get'", 500)
    return request


@fault.request
def sub_agents_refused(request: Request) -> Request | ApiError:
    """Requests of sub-agents are refused for their attribution."""
    system = asked(request).get("system")
    if isinstance(system, list) and any("cc_is_subagent" in str(block) for block in system):
        return refused("Unknown agent")
    return request


@fault.request
def equal_counts_conflict(request: Request) -> Request | ApiError:
    """A count of Claude Code that was asked for before is refused as a repetition."""
    betas = request.header("anthropic-beta") or ""
    if request.path != "/v1/messages/count_tokens" or "token-counting" not in betas:
        return request
    seen = request.memory.setdefault("counts", set())
    if request.body in seen:
        return refused("This request is being processed already", 409)
    seen.add(request.body)
    return request
