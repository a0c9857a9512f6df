"""Faults of what a gateway makes of the prompt: system, texts, tools and parameters."""

from __future__ import annotations

import unicodedata

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call
from metaio_verify.lab.gateway.faults.editing import Json, blocks, edited, objects, texts

_KNOWN_FIELDS = frozenset(
    {
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)
_LONGEST_DESCRIPTION = 40
_MOST_TOKENS = 4096


# Fields


@fault.forward
def body_allow_listed(call: Call, _client: Call) -> Call:
    """Only known fields of the body are passed on."""

    def edit(body: Json) -> None:
        for key in body.keys() - _KNOWN_FIELDS:
            del body[key]

    return edited(call, edit)


@fault.forward
def block_fields_allow_listed(call: Call, _client: Call) -> Call:
    """Only known fields of text blocks are passed on."""

    def edit(body: Json) -> None:
        for block in blocks(body, "text"):
            for key in block.keys() - {"type", "text", "cache_control", "citations"}:
                del block[key]

    return edited(call, edit)


@fault.forward
def context_management_dropped(call: Call, _client: Call) -> Call:
    """`context_management` is dropped."""
    return edited(call, lambda body: body.pop("context_management", None) and None)


# The system prompt


@fault.forward
def system_joined(call: Call, _client: Call) -> Call:
    """The blocks of the system prompt become one, under the last breakpoint."""

    def edit(body: Json) -> None:
        system = body.get("system")
        if isinstance(system, list) and len(system) > 1:
            body["system"] = [{**system[-1], "text": "\n".join(one["text"] for one in system)}]

    return edited(call, edit)


@fault.forward
def system_reordered(call: Call, _client: Call) -> Call:
    """Blocks of the system prompt with a breakpoint are moved to the front."""

    def edit(body: Json) -> None:
        if isinstance(body.get("system"), list):
            body["system"].sort(key=lambda block: "cache_control" not in block)

    return edited(call, edit)


@fault.forward
def attribution_line_dropped(call: Call, _client: Call) -> Call:
    """The attribution line of Claude Code is taken out of the system prompt."""

    def edit(body: Json) -> None:
        if isinstance(body.get("system"), list):
            body["system"] = [
                block
                for block in body["system"]
                if not block["text"].startswith("x-anthropic-billing-header")
            ]

    return edited(call, edit)


# What nobody sent


@fault.forward
def policy_prepended(call: Call, _client: Call) -> Call:
    """A policy of the operator is put before each system prompt."""

    def edit(body: Json) -> None:
        policy = [{"type": "text", "text": "Follow the rules of our company."}]
        system = body.get("system") or []
        body["system"] = [*policy, *system] if isinstance(system, list) else system

    return edited(call, edit) if call.path.endswith("/messages") else call


@fault.forward
def reminder_appended(call: Call, _client: Call) -> Call:
    """A reminder is appended to the last message of a stream."""

    def edit(body: Json) -> None:
        content = body["messages"][-1]["content"]
        if isinstance(content, list):
            content.append({"type": "text", "text": "Remember to be brief."})

    return edited(call, edit) if call.streams else call


@fault.forward
def tool_added(call: Call, _client: Call) -> Call:
    """A search tool is added where there are tools."""

    def edit(body: Json) -> None:
        if body.get("tools"):
            schema = {"type": "object", "properties": {}}
            body["tools"].append({"name": "gateway_search", "input_schema": schema})

    return edited(call, edit) if call.path.endswith("/messages") else call


# Texts


@fault.forward
def text_normalised(call: Call, _client: Call) -> Call:
    """Text is normalised to NFC."""
    return edited(call, lambda body: texts(body, lambda text: unicodedata.normalize("NFC", text)))


@fault.forward
def emoji_replaced(call: Call, _client: Call) -> Call:
    """Characters beyond the first 65,536 become question marks."""
    return edited(
        call,
        lambda body: texts(body, lambda text: "".join(c if c <= "\uffff" else "?" for c in text)),
    )


@fault.forward
def markup_escaped(call: Call, _client: Call) -> Call:
    """`<` and `>` are escaped as in HTML."""

    def escape(text: str) -> str:
        return text.replace("<", "&lt;").replace(">", "&gt;")

    return edited(call, lambda body: texts(body, escape))


@fault.forward
def texts_trimmed(call: Call, _client: Call) -> Call:
    """White space around a text is taken off."""
    return edited(call, lambda body: texts(body, str.strip))


@fault.forward
def early_turns_dropped(call: Call, _client: Call) -> Call:
    """Of a conversation with calls the text of the first question is dropped."""

    def edit(body: Json) -> None:
        if len(body["messages"]) > 2 and isinstance(body["messages"][0]["content"], list):
            first = body["messages"][0]["content"]
            first[:] = [block for block in first if block["type"] != "text"]

    return edited(call, edit)


@fault.forward
def system_role_becomes_user(call: Call, _client: Call) -> Call:
    """A system message inside the conversation is sent as the user's."""

    def edit(body: Json) -> None:
        for message in body["messages"]:
            if message["role"] == "system":
                message["role"] = "user"

    return edited(call, edit)


@fault.forward
def text_beside_results_dropped(call: Call, _client: Call) -> Call:
    """Text after tool results is dropped where it stands between the results and the end."""

    def edit(body: Json) -> None:
        if any(True for _ in blocks(body, "tool_result")):
            spoken = body["messages"][1]["content"]
            spoken[:] = [block for block in spoken if block["type"] != "text"]

    return edited(call, edit)


# Tools and parameters


@fault.forward
def schemas_simplified(call: Call, _client: Call) -> Call:
    """`$schema`, `anyOf` and `additionalProperties` are taken out of the schemas of tools."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            for schema in objects(tool["input_schema"]):
                for key in ("$schema", "anyOf", "additionalProperties"):
                    schema.pop(key, None)

    return edited(call, edit)


@fault.forward
def descriptions_cut(call: Call, _client: Call) -> Call:
    """The description of a tool is cut."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            if "description" in tool:
                tool["description"] = tool["description"][:_LONGEST_DESCRIPTION]

    return edited(call, edit)


@fault.forward
def tool_fields_dropped(call: Call, _client: Call) -> Call:
    """The optional fields of tools are dropped."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            for key in ("defer_loading", "strict", "input_examples"):
                tool.pop(key, None)

    return edited(call, edit)


@fault.forward
def max_tokens_capped(call: Call, _client: Call) -> Call:
    """`max_tokens` is capped at 4096."""

    def edit(body: Json) -> None:
        if isinstance(body.get("max_tokens"), int):
            body["max_tokens"] = min(body["max_tokens"], _MOST_TOKENS)

    return edited(call, edit)


@fault.forward
def temperature_rescaled(call: Call, _client: Call) -> Call:
    """`temperature` is doubled, as for an API whose scale ends at 2."""

    def edit(body: Json) -> None:
        if "temperature" in body:
            body["temperature"] *= 2

    return edited(call, edit)


@fault.forward
def stops_stripped(call: Call, _client: Call) -> Call:
    """`stop_sequences` is dropped."""
    return edited(call, lambda body: body.pop("stop_sequences", None) and None)


@fault.forward
def tool_choice_dropped(call: Call, _client: Call) -> Call:
    """`tool_choice` is dropped in streams."""
    if not call.streams:
        return call
    return edited(call, lambda body: body.pop("tool_choice", None) and None)


@fault.forward
def streams_go_to_another_model(call: Call, _client: Call) -> Call:
    """Streams are sent to a smaller model."""
    if not call.streams:
        return call
    return edited(call, lambda body: body.update(model=f"{body['model']}-mini"))


@fault.forward
def count_of_less(call: Call, _client: Call) -> Call:
    """A count is asked for without the tools."""
    if not call.path.endswith("/count_tokens"):
        return call
    return edited(call, lambda body: body.pop("tools", None) and None)
