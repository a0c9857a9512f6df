"""Faults of tool calls and their results.

What the strict lab would refuse when it comes back is done to answers that no probe sends back, as
far as that is possible, so that one defect stays one defect.
"""

from __future__ import annotations

import json
import re

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import (
    Events,
    Json,
    asked,
    block_of,
    blocks_of,
    delta_of,
    has,
    messages_of,
    refused,
    rewritten,
)
from metaio_verify.lab.types import ApiError, Request

_ID_OF_THE_LAB = re.compile(r"toolu_01[0-9a-f]{22}")
_FIELD = "Extra inputs are not permitted"


def _calls(message: Json) -> list[Json]:
    return [block for block in message["content"] if block["type"] == "tool_use"]


def _plain_calls(message: Json, request: Request) -> list[Json]:
    """Return the calls of a plain answer."""
    return [] if request.wants_stream else _calls(message)


# The call


@fault.message
def tool_call_as_text(message: Json, _request: Request) -> Json:
    """A tool call comes as markup in the text, with `end_turn`."""
    if calls := _calls(message):
        said = [{"name": call["name"], "arguments": call["input"]} for call in calls]
        text = "\n".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in said)
        message |= {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}
    return message


@fault.message
def stream_without_tool_call(message: Json, request: Request) -> Json:
    """A stream loses the tool call; only its stop reason is left."""
    if request.wants_stream:
        message["content"] = [block for block in message["content"] if block["type"] != "tool_use"]
    return message


@fault.message
def tool_call_says_end_turn(message: Json, _request: Request) -> Json:
    """An answer with a tool call says `end_turn`."""
    if _calls(message):
        message["stop_reason"] = "end_turn"
    return message


@fault.message
def text_says_tool_use(message: Json, request: Request) -> Json:
    """An answer to a tool result says `tool_use` without a tool call."""
    if blocks_of(request.json, "tool_result") and not _calls(message):
        message["stop_reason"] = "tool_use"
    return message


@fault.message
def tool_input_as_string(message: Json, request: Request) -> Json:
    """The input of a tool call is a JSON string; the plain form shows it."""
    for call in _plain_calls(message, request):
        call["input"] = json.dumps(call["input"])
    return message


@fault.message
def tool_input_as_list(message: Json, request: Request) -> Json:
    """The input of a tool call is an array; the plain form shows it."""
    for call in _plain_calls(message, request):
        call["input"] = [call["input"]]
    return message


@fault.message
def empty_text_beside_tool_call(message: Json, request: Request) -> Json:
    """A plain answer with a tool call has an empty text block, which is refused as history."""
    if not request.wants_stream and _calls(message):
        message["content"] = [{"type": "text", "text": ""}, *_calls(message)]
    return message


# Ids


@fault.message
def openai_tool_id(message: Json, _request: Request) -> Json:
    """The upstream's `call_` id is passed on."""
    for call in _calls(message):
        call["id"] = call["id"].replace("toolu_", "call_")
    return message


@fault.message
def tool_id_constant(message: Json, _request: Request) -> Json:
    """Every tool call has the same id."""
    for call in _calls(message):
        call["id"] = "toolu_01ConstantConstantConstant"
    return message


@fault.events
def tool_id_with_colon(events: Events, _request: Request) -> Events:
    """A stream that does not think starts its tool call with the id `functions.NAME:0`."""
    for event in events:
        if "id" in (call := block_of(event)) and not has("thinking", events):
            call["id"] = f"functions.{call['name']}:0"
    return events


@fault.message
def tool_id_too_long(message: Json, _request: Request) -> Json:
    """Tool ids have more than 64 characters."""
    for call in _calls(message):
        call["id"] = f"{call['id']}_{'thought' * 10}"
    return message


@fault.events
def tool_id_empty(events: Events, _request: Request) -> Events:
    """A stream that does not think starts its tool call with an empty id."""
    for event in events:
        if "id" in block_of(event) and not has("thinking", events):
            block_of(event)["id"] = ""
    return events


@fault.request
def own_tool_id_unknown(request: Request) -> Request | ApiError:
    """The table of issued tool ids is empty at the next request."""
    for block in blocks_of(asked(request), "tool_result"):
        if _ID_OF_THE_LAB.fullmatch(str(block.get("tool_use_id"))):
            return refused(f"tool result's tool id({block['tool_use_id']}) not found (2013)")
    return request


# Streamed arguments


@fault.events
def tool_input_only_in_start(events: Events, request: Request) -> Events:
    """The arguments of a streamed tool call stand in `content_block_start`, without deltas."""
    tool_input_in_start_too(events, request)
    return [event for event in events if delta_of(event).get("type") != "input_json_delta"]


@fault.events
def tool_input_in_start_too(events: Events, _request: Request) -> Events:
    """The arguments of a streamed tool call stand in `content_block_start` and in the deltas."""
    arguments = {
        event.data["index"]: "".join(
            delta_of(one).get("partial_json", "")
            for one in events
            if one.data.get("index") == event.data["index"]
        )
        for event in events
        if "input" in block_of(event)
    }
    for event in events:
        if "input" in block_of(event):
            block_of(event)["input"] = json.loads(arguments[event.data["index"]] or "{}")
    return events


@fault.events
def tool_arguments_lost(events: Events, _request: Request) -> Events:
    """A streamed tool call has no arguments, neither in its start nor in deltas."""
    return [event for event in events if delta_of(event).get("type") != "input_json_delta"]


# The result


def _results_of(body: Json) -> list[Json]:
    return blocks_of(body, "tool_result")


@fault.body
def tool_result_string_lost(body: Json, _request: Request) -> Json:
    """A tool result in string form does not reach the model."""
    for result in _results_of(body):
        if isinstance(result.get("content"), str):
            result["content"] = ""
    return body


@fault.body
def tool_result_blocks_lost(body: Json, _request: Request) -> Json:
    """A tool result in block form does not reach the model."""
    for result in _results_of(body):
        if isinstance(result.get("content"), list):
            result["content"] = []
    return body


@fault.request
def tool_result_blocks_refused(request: Request) -> Request | ApiError:
    """A tool result that is an array of text blocks is refused."""
    for result in _results_of(asked(request)):
        content = result.get("content")
        if isinstance(content, list) and all(part.get("type") == "text" for part in content):
            return refused("messages.2.content.0.content: Input should be a valid string")
    return request


@fault.body
def text_beside_tool_result_dropped(body: Json, _request: Request) -> Json:
    """Text in a message that holds a tool result does not reach the model."""
    for message in body["messages"]:
        results = _results_of({"messages": [message]})
        message["content"] = results or message["content"]
    return body


@fault.request
def text_beside_tool_result_refused(request: Request) -> Request | ApiError:
    """Text behind a tool result is refused in the upstream's words."""
    for message in messages_of(asked(request)):
        body = {"messages": [message]}
        if _results_of(body) and blocks_of(body, "text"):
            return refused(
                "Messages with role 'tool' must be a response to a preceding message with "
                "'tool_calls'"
            )
    return request


@fault.request
def is_error_refused(request: Request) -> Request | ApiError:
    """A tool result with `is_error` true is refused."""
    if any(result.get("is_error") is True for result in _results_of(asked(request))):
        return refused(f"messages.2.content.0.tool_result.is_error: {_FIELD}")
    return request


@fault.request
def empty_tool_result_dropped(request: Request) -> Request:
    """A tool result without content is dropped, so its call is unanswered."""
    body = asked(request)
    if all(result.get("content") for result in _results_of(body)):
        return request
    for message in body["messages"]:
        results = [one for one in _results_of({"messages": [message]}) if not one.get("content")]
        if results:
            rest = [block for block in message["content"] if block not in results]
            message["content"] = rest or [{"type": "text", "text": "Go on."}]
    return rewritten(request, body)


@fault.request
def cache_control_on_result_refused(request: Request) -> Request | ApiError:
    """A tool result with `cache_control` is refused."""
    if any("cache_control" in result for result in _results_of(asked(request))):
        return refused(f"messages.2.content.0.tool_result.cache_control: {_FIELD}")
    return request


@fault.request
def image_in_tool_result_crashes(request: Request) -> Request | ApiError:
    """An image in a tool result ends in a 500."""
    for result in _results_of(asked(request)):
        content = result.get("content")
        if isinstance(content, list) and any(part.get("type") == "image" for part in content):
            return refused("'list' object has no attribute 'strip'", 500)
    return request
