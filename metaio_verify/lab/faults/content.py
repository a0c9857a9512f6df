"""Faults of images, documents and unusual blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Json, asked, blocks_of, messages_of, refused
from metaio_verify.lab.types import ApiError, Request


def _parts(body: Json, kind: str) -> Iterator[Json]:
    """Yield the blocks of this type in messages and in tool results."""
    yield from blocks_of(body, kind)
    for result in blocks_of(body, "tool_result"):
        yield from blocks_of({"messages": [result]}, kind)


def _without(kind: str, content: Any) -> Any:
    """Return content without its blocks of this type; never without anything."""
    if not isinstance(content, list):
        return content
    rest = [block for block in content if block.get("type") != kind]
    return rest or [{"type": "text", "text": "…"}]


def _left_out(kind: str, body: Json) -> Json:
    for message in messages_of(body):
        message["content"] = _without(kind, message["content"])
    return body


def _left_out_of_results(kind: str, body: Json) -> Json:
    for result in blocks_of(body, "tool_result"):
        result["content"] = _without(kind, result.get("content"))
    return body


def _kind_of(image: Json) -> str | None:
    """Return the media type, or how an image is named; None for a kind that there is not."""
    source = image["source"]
    kind = str(source.get("media_type", source.get("type")))
    return None if kind == "image/tiff" else kind


# Images


@fault.request
def image_block_crashes(request: Request) -> Request | ApiError:
    """An image in a message ends in a 500."""
    if any(map(_kind_of, blocks_of(asked(request), "image"))):
        return refused("can only concatenate str (not 'dict') to str", 500)
    return request


@fault.body
def images_left_out(body: Json, request: Request) -> Json:
    """Images do not reach the model."""
    return _left_out("image", body) if request.is_messages else body


@fault.request
def only_png_is_read(request: Request) -> Request | ApiError:
    """An image that is no PNG ends in a 500."""
    kinds = map(_kind_of, blocks_of(asked(request), "image"))
    return refused("cannot decode buffer", 500) if "image/gif" in kinds else request


@fault.request
def url_image_crashes(request: Request) -> Request | ApiError:
    """An image that is named by its URL ends in a 500."""
    if any("url" in image["source"] for image in blocks_of(asked(request), "image")):
        return refused("KeyError: 'data'", 500)
    return request


@fault.refusal
def failed_image_replaced(refusal: ApiError, _request: Request) -> ApiError | None:
    """A text takes the place of an image that could not be fetched."""
    return None if refusal.rule.endswith(".unreachable") else refusal


@fault.body
def images_in_tool_results_left_out(body: Json, _request: Request) -> Json:
    """Images in tool results do not reach the model."""
    return _left_out_of_results("image", body)


@fault.request
def cache_control_on_media_refused(request: Request) -> Request | ApiError:
    """An image or a document with `cache_control` is refused."""
    for kind in ("image", "document"):
        if any("cache_control" in block for block in blocks_of(asked(request), kind)):
            return refused(
                f"messages.0.content.0.{kind}.cache_control: Extra inputs are not permitted"
            )
    return request


# Documents


@fault.request
def document_refused_with_422(request: Request) -> Request | ApiError:
    """Documents are unknown to the gateway's own validation."""
    if any(_parts(asked(request), "document")):
        return ApiError(
            422,
            "Input tag 'document' found using 'type' does not match any of the expected tags: "
            "'text', 'image', 'tool_use', 'tool_result'",
            rule="fault",
            type="invalid_request_error",
        )
    return request


@fault.body
def documents_left_out(body: Json, request: Request) -> Json:
    """Documents in messages do not reach the model."""
    return _left_out("document", body) if request.is_messages else body


@fault.body
def documents_in_tool_results_left_out(body: Json, _request: Request) -> Json:
    """Documents in tool results do not reach the model."""
    return _left_out_of_results("document", body)


# Unusual blocks


@fault.request
def search_result_crashes(request: Request) -> Request | ApiError:
    """A search result ends in a 500."""
    if blocks_of(asked(request), "search_result"):
        return refused("no variant of enum ContentBlock found in flattened data", 500)
    return request


@fault.body
def search_results_left_out(body: Json, _request: Request) -> Json:
    """Search results do not reach the model."""
    return _left_out("search_result", body)
