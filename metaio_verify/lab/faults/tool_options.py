"""Faults of what is said about tools: schemas, fields and number, `tool_choice`, histories."""

from __future__ import annotations

import json
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import (
    Events,
    Json,
    asked,
    block_of,
    blocks_of,
    messages_of,
    refused,
)
from metaio_verify.lab.message import new_id
from metaio_verify.lab.types import ApiError, Piece, Request

_MANY = 30
_LONGEST_DESCRIPTION = 9216
_LONG_ARGUMENTS = 20
"""Fragments of arguments that take a while to write."""
_BURST_AFTER = 2.5


def _tools(body: Json) -> list[Json]:
    tools = body.get("tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def _choice(body: Json) -> Json:
    choice = body.get("tool_choice")
    return choice if isinstance(choice, dict) else {}


def _calls(message: Json) -> list[Json]:
    return [block for block in message["content"] if block["type"] == "tool_use"]


# Schemas and number


@fault.request
def nested_schema_crashes(request: Request) -> Request | ApiError:
    """A tool with an object inside an object inside its input ends in a 500."""

    def depth(schema: Any) -> int:
        properties = schema.get("properties") if isinstance(schema, dict) else None
        return 1 + max(map(depth, properties.values()), default=0) if properties else 0

    if any(depth(tool.get("input_schema")) > 2 for tool in _tools(asked(request))):
        return refused("AttributeError: 'dict' object has no attribute 'type'", 500)
    return request


@fault.request
def many_tools_lose_the_message(request: Request) -> Request | ApiError:
    """With 30 tools and more the messages are lost in translation."""
    if len(_tools(asked(request))) >= _MANY:
        return refused("Improperly formed request.")
    return request


@fault.body
def tool_descriptions_cut(body: Json, _request: Request) -> Json:
    """Descriptions of tools are cut after 9216 characters."""
    for tool in _tools(body):
        if isinstance(tool.get("description"), str):
            tool["description"] = tool["description"][:_LONGEST_DESCRIPTION]
    return body


# tool_choice


@fault.body
def tool_choice_any_ignored(body: Json, _request: Request) -> Json:
    """`tool_choice` any does not reach the model."""
    if _choice(body).get("type") == "any":
        del body["tool_choice"]
    return body


@fault.message
def forced_call_with_words(message: Json, request: Request) -> Json:
    """Before a call that `tool_choice` any demands stand words of the model."""
    if not (isinstance(request.json, dict) and _choice(request.json).get("type") == "any"):
        return message
    words = {"type": "text", "text": "I use a tool."}
    return {**message, "content": [words, *message["content"]]}


@fault.body
def tool_choice_tool_ignored(body: Json, _request: Request) -> Json:
    """`tool_choice` tool reaches the model without the name."""
    if _choice(body).get("type") == "tool":
        body["tool_choice"] |= {"type": "any"}
    return body


@fault.body
def tool_choice_none_ignored(body: Json, _request: Request) -> Json:
    """`tool_choice` none does not reach the model."""
    if _choice(body).get("type") == "none":
        del body["tool_choice"]
    return body


@fault.request
def tool_choice_none_refused(request: Request) -> Request | ApiError:
    """`tool_choice` none is refused in the upstream's words."""
    if _choice(asked(request)).get("type") == "none":
        return refused("tool_choice.disable_parallel_tool_use: Extra inputs are not permitted")
    return request


@fault.message
def parallel_switch_ignored(message: Json, request: Request) -> Json:
    """A model makes two calls where only one is allowed."""
    calls = _calls(message)
    if calls and _choice(asked(request)).get("disable_parallel_tool_use"):
        message["content"].append({**calls[0], "id": new_id("toolu")})
    return message


# Several calls in one turn


@fault.events
def parallel_ids_equal(events: Events, _request: Request) -> Events:
    """The calls of one streamed turn share an id."""
    starts = [event for event in events if block_of(event).get("type") == "tool_use"]
    for event in starts:
        block_of(event)["id"] = block_of(starts[0])["id"]
    return events


@fault.request
def second_result_dropped(request: Request) -> Request | ApiError:
    """Of several results in one message only the first is passed on."""
    results = blocks_of(asked(request), "tool_result")
    if len(results) > 1 and len(blocks_of(asked(request), "tool_use")) == len(results):
        call = results[1].get("tool_use_id")
        return refused(
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{call}"
        )
    return request


@fault.request
def caller_refused(request: Request) -> Request | ApiError:
    """The field `caller` of a tool call is refused."""
    if any("caller" in block for block in blocks_of(asked(request), "tool_use")):
        return refused("messages.1.content.2.tool_use.caller: Extra inputs are not permitted")
    return request


# Histories


@fault.refusal
def tool_results_unchecked(refusal: ApiError, _request: Request) -> ApiError | None:
    """Calls and results need not belong together."""
    return None if refusal.rule in ("tool_use.unanswered", "tool_result.orphan") else refusal


# Fields of tools


@fault.request
def tool_type_refused(request: Request) -> Request | ApiError:
    """A tool with the type `custom` is passed on as it is and refused."""
    if any(tool.get("type") == "custom" for tool in _tools(asked(request))):
        return refused("Invalid value: 'custom'. Supported values are: 'function'.")
    return request


@fault.request
def tool_examples_crash(request: Request) -> Request | ApiError:
    """A tool with `input_examples` ends in a 500."""
    if any("input_examples" in tool for tool in _tools(asked(request))):
        return refused("got an unexpected keyword argument 'input_examples'", 500)
    return request


@fault.request
def eager_streaming_crashes(request: Request) -> Request | ApiError:
    """A tool with `eager_input_streaming` ends in a 500."""
    if any("eager_input_streaming" in tool for tool in _tools(asked(request))):
        return refused("got an unexpected keyword argument 'eager_input_streaming'", 500)
    return request


@fault.wire
def tool_arguments_in_a_burst(pieces: list[Piece], _request: Request) -> list[Piece]:
    """Long arguments of a tool call are held back until they are complete."""
    places = [place for place, piece in enumerate(pieces) if _is_argument(piece)]
    if len(places) < _LONG_ARGUMENTS:
        return pieces
    rest = b"".join(piece for piece in pieces[places[0] :] if isinstance(piece, bytes))
    return [*pieces[: places[0]], _BURST_AFTER, rest]


def _is_argument(piece: Piece) -> bool:
    return isinstance(piece, bytes) and b"input_json_delta" in piece


@fault.request
def tool_reference_refused(request: Request) -> Request | ApiError:
    """A deferred tool is dropped on the way, so a reference to it finds nothing."""
    if '"tool_reference"' in json.dumps(blocks_of(asked(request), "tool_result")):
        return refused("Tool reference 'find_station' not found in available tools")
    return request


# Server tools


@fault.message
def server_call_with_client_id(message: Json, request: Request) -> Json:
    """A search that the endpoint ran has an id of the upstream."""
    if any(tool.get("type") == "bash_20250124" for tool in _tools(asked(request))):
        search = {"type": "server_tool_use", "id": "call_7f3a", "name": "web_search"}
        found = {"type": "web_search_tool_result", "tool_use_id": "call_7f3a", "content": []}
        message["content"] = [{**search, "input": {"query": "Everest"}}, found, *message["content"]]
    return message


@fault.request
def paused_turn_crashes(request: Request) -> Request | ApiError:
    """A conversation that ends with a server tool's result ends in a 500."""
    last = messages_of(asked(request))[-1:]
    ends_with_search = blocks_of({"messages": last}, "web_search_tool_result")
    if ends_with_search and last[0].get("role") == "assistant":
        return refused("KeyError: 'web_search_tool_result'", 500)
    return request
