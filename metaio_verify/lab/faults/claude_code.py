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
