"""Faults of single blocks: breakpoints, thinking, images, documents and the results of tools."""

from __future__ import annotations

from metaio_verify.lab.gateway import fault
from metaio_verify.lab.gateway.change import Call
from metaio_verify.lab.gateway.faults.editing import Json, blocks, drop, edited, objects

_PIXEL = (
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////"
)


def _strip(body: Json, *kinds: str) -> None:
    for block in objects(body):
        if not kinds or block.get("type") in kinds:
            block.pop("cache_control", None)


@fault.forward
def breakpoints_stripped(call: Call, _client: Call) -> Call:
    """Every `cache_control` of the system prompt and of the conversation is taken out."""

    def edit(body: Json) -> None:
        _strip(body.get("system") or {})
        _strip({"messages": body["messages"]})

    return edited(call, edit)


@fault.forward
def breakpoints_on_media_stripped(call: Call, _client: Call) -> Call:
    """`cache_control` is taken out of images and tool calls."""
    return edited(call, lambda body: _strip(body, "image", "tool_use"))


@fault.forward
def breakpoints_on_tools_stripped(call: Call, _client: Call) -> Call:
    """`cache_control` is taken out of tools."""

    def edit(body: Json) -> None:
        for tool in body.get("tools", []):
            tool.pop("cache_control", None)

    return edited(call, edit)


@fault.forward
def breakpoint_lives_dropped(call: Call, _client: Call) -> Call:
    """`ttl` is taken out of `cache_control`."""

    def edit(body: Json) -> None:
        for block in objects(body):
            if isinstance(block.get("cache_control"), dict):
                block["cache_control"].pop("ttl", None)

    return edited(call, edit)


@fault.forward
def breakpoints_moved(call: Call, _client: Call) -> Call:
    """The breakpoint of the last system block is moved to the last text of the conversation."""

    def edit(body: Json) -> None:
        texts = [block for block in blocks(body, "text") if "cache_control" not in block]
        texts[-1]["cache_control"] = body["system"][-1].pop("cache_control")

    return edited(call, edit)


@fault.forward
def breakpoint_added_to_plain_prompts(call: Call, _client: Call) -> Call:
    """A breakpoint is put on the last text of a conversation."""

    def edit(body: Json) -> None:
        content = body["messages"][-1]["content"]
        if isinstance(content, list):
            content[-1].setdefault("cache_control", {"type": "ephemeral"})

    return edited(call, edit)


@fault.forward
def signatures_dropped(call: Call, _client: Call) -> Call:
    """Thinking blocks lose their signatures."""

    def edit(body: Json) -> None:
        for block in blocks(body, "thinking"):
            block.pop("signature", None)

    return edited(call, edit)


@fault.forward
def thinking_blocks_dropped(call: Call, _client: Call) -> Call:
    """Thinking blocks are taken out of the history of a stream."""
    if not call.streams:
        return call
    return edited(call, lambda body: drop(body, lambda block: block.get("type") == "thinking"))


@fault.forward
def redacted_thinking_dropped(call: Call, _client: Call) -> Call:
    """Redacted thinking is taken out of the history."""
    return edited(
        call, lambda body: drop(body, lambda block: block.get("type") == "redacted_thinking")
    )


def _drop_in_results(body: Json, kind: str) -> None:
    for result in blocks(body, "tool_result"):
        if isinstance(result.get("content"), list):
            result["content"] = [part for part in result["content"] if part.get("type") != kind]


@fault.forward
def images_in_results_dropped(call: Call, _client: Call) -> Call:
    """Images are taken out of the results of tools."""
    return edited(call, lambda body: _drop_in_results(body, "image"))


@fault.forward
def documents_in_results_dropped(call: Call, _client: Call) -> Call:
    """Documents are taken out of the results of tools."""
    return edited(call, lambda body: _drop_in_results(body, "document"))


@fault.forward
def images_converted(call: Call, _client: Call) -> Call:
    """Images in tool results are converted to a small JPEG."""

    def edit(body: Json) -> None:
        for result in blocks(body, "tool_result"):
            for part in result["content"] if isinstance(result.get("content"), list) else []:
                if part.get("type") == "image":
                    part["source"] |= {"media_type": "image/jpeg", "data": _PIXEL}

    return edited(call, edit)


@fault.forward
def document_titles_dropped(call: Call, _client: Call) -> Call:
    """Documents lose their title and their context."""

    def edit(body: Json) -> None:
        for block in blocks(body, "document"):
            block.pop("title", None)
            block.pop("context", None)

    return edited(call, edit)


@fault.forward
def results_cut_to_first_part(call: Call, _client: Call) -> Call:
    """Of the texts of a tool's result only the first is passed on."""

    def edit(body: Json) -> None:
        for result in blocks(body, "tool_result"):
            if isinstance(result.get("content"), list):
                parts = result["content"]
                later = [part for part in parts if part.get("type") == "text"][1:]
                result["content"] = [part for part in parts if part not in later]

    return edited(call, edit)


@fault.forward
def result_errors_hidden(call: Call, _client: Call) -> Call:
    """`is_error` is dropped from the results of tools."""

    def edit(body: Json) -> None:
        for result in blocks(body, "tool_result"):
            result.pop("is_error", None)

    return edited(call, edit)


@fault.forward
def numbers_rounded(call: Call, _client: Call) -> Call:
    """The numbers of earlier calls are written with six digits."""

    def edit(body: Json) -> None:
        for block in blocks(body, "tool_use"):
            for value in objects(block["input"]):
                for key, number in value.items():
                    if isinstance(number, int | float) and not isinstance(number, bool):
                        value[key] = float(f"{number:.6g}")

    return edited(call, edit)
