"""Faults of a translating gateway on the way up: what it overlooks in the client's request.

They act on the client's words, before the translator: so each is the same for every API that the
upstream may speak.
"""

from __future__ import annotations

from collections.abc import Iterator

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call
from metaio_verify.lab.gateway.faults.editing import Json, blocks, edited

_CUT = 50


def _contents(body: Json, role: str) -> list[list[Json]]:
    """Return the contents of a role's messages that are lists of blocks."""
    contents = (one["content"] for one in body["messages"] if one["role"] == role)
    return [content for content in contents if isinstance(content, list)]


def _results(body: Json) -> Iterator[tuple[Json, list[Json]]]:
    """Give the results of tools that have several parts, with these."""
    for block in blocks(body, "tool_result"):
        if isinstance(block.get("content"), list):
            yield block, block["content"]


@fault.forward
def translated_system_cut(call: Call, _client: Call) -> Call:
    """Of the system prompt only the first two blocks go up."""

    def edit(body: Json) -> None:
        if isinstance(body.get("system"), list):
            del body["system"][2:]

    return edited(call, edit)


@fault.forward
def translated_text_beside_results_lost(call: Call, _client: Call) -> Call:
    """A user message with tool results loses its text."""

    def edit(body: Json) -> None:
        for content in _contents(body, "user"):
            if any(block["type"] == "tool_result" for block in content):
                content[:] = [block for block in content if block["type"] != "text"]

    return edited(call, edit)


@fault.forward
def translated_roles_mixed(call: Call, _client: Call) -> Call:
    """Words that the model said beside a call go up as the user's."""

    def edit(body: Json) -> None:
        messages = body["messages"]
        for content in _contents(body, "assistant"):
            said = [block for block in content if block["type"] == "text"]
            content[:] = [block for block in content if block not in said]
            place = next(n for n, one in enumerate(messages) if one["content"] is content)
            messages.insert(place, {"role": "user", "content": said})

    return edited(call, edit)


@fault.forward
def translated_blocks_cut_to_first(call: Call, _client: Call) -> Call:
    """Of several texts of a first message only the first goes up whole."""

    def edit(body: Json) -> None:
        for content in _contents(body, "user")[:1]:
            if len(content) > 1 and all(block["type"] == "text" for block in content):
                # The mark, without which the upstream would not know the request, stays.
                content[1:] = [{"type": "text", "text": content[-1]["text"][:_CUT]}]

    return edited(call, edit)


@fault.forward
def translated_arguments_lost(call: Call, _client: Call) -> Call:
    """The arguments of earlier calls go up as `{}`."""

    def edit(body: Json) -> None:
        for block in blocks(body, "tool_use"):
            block["input"] = {}

    return edited(call, edit)


@fault.forward
def translated_results_cut(call: Call, _client: Call) -> Call:
    """Of a tool's result only the first text goes up."""

    def edit(body: Json) -> None:
        for _, content in _results(body):
            later = [part for part in content if part["type"] == "text"][1:]
            content[:] = [part for part in content if part not in later]

    return edited(call, edit)


@fault.forward
def translated_failures_lost(call: Call, _client: Call) -> Call:
    """A failed result goes up without its words."""

    def edit(body: Json) -> None:
        for block in blocks(body, "tool_result"):
            if block.get("is_error"):
                block["content"] = ""

    return edited(call, edit)


@fault.forward
def translated_failures_untold(call: Call, _client: Call) -> Call:
    """The words of a failed result go up like those of any other."""

    def edit(body: Json) -> None:
        for block in blocks(body, "tool_result"):
            block.pop("is_error", None)

    return edited(call, edit)


@fault.forward
def translated_descriptions_lost(call: Call, _client: Call) -> Call:
    """Tools go up without their descriptions."""

    def edit(body: Json) -> None:
        for tool in body["tools"]:
            tool.pop("description", None)

    return edited(call, edit)


@fault.forward
def translated_parameters_emptied(call: Call, _client: Call) -> Call:
    """Tools whose schema names its dialect go up without parameters."""

    def edit(body: Json) -> None:
        for tool in body["tools"]:
            if "$schema" in tool["input_schema"]:
                tool["input_schema"] = {"type": "object", "properties": {}}

    return edited(call, edit)


def _without(call: Call, kind: str) -> Call:
    """Take one kind of block out of what the user says himself."""

    def edit(body: Json) -> None:
        for content in _contents(body, "user"):
            content[:] = [block for block in content if block["type"] != kind]

    return edited(call, edit)


@fault.forward
def translated_images_lost(call: Call, _client: Call) -> Call:
    """The user's images do not go up."""
    return _without(call, "image")


@fault.forward
def translated_documents_lost(call: Call, _client: Call) -> Call:
    """The user's documents do not go up."""
    return _without(call, "document")


@fault.forward
def translated_result_media_lost(call: Call, _client: Call) -> Call:
    """The images and documents of tool results do not go up."""

    def edit(body: Json) -> None:
        for _, content in _results(body):
            content[:] = [part for part in content if part["type"] == "text"]

    return edited(call, edit)


def _dropped(call: Call, name: str) -> Call:
    return edited(call, lambda body: body.pop(name, None) and None)


@fault.forward
def translated_limit_lost(call: Call, _client: Call) -> Call:
    """`max_tokens` does not go up."""
    return _dropped(call, "max_tokens")


@fault.forward
def translated_stops_lost(call: Call, _client: Call) -> Call:
    """`stop_sequences` does not go up."""
    return _dropped(call, "stop_sequences")


@fault.forward
def translated_sampling_lost(call: Call, _client: Call) -> Call:
    """`temperature` does not go up."""
    return _dropped(call, "temperature")


@fault.forward
def translated_one_call_lost(call: Call, _client: Call) -> Call:
    """`disable_parallel_tool_use` does not go up."""

    def edit(body: Json) -> None:
        body["tool_choice"].pop("disable_parallel_tool_use", None)

    return edited(call, edit)


@fault.send
def translated_stream_usage_lost(call: Call, _client: Call) -> list[Call]:
    """Streams are not asked for their usage."""
    return [_dropped(call, "stream_options")]
