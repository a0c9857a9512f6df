"""Faults of structured output."""

from __future__ import annotations

from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.faults.editing import Json, asked, refused, rewritten
from metaio_verify.lab.types import ApiError, Request


def _format(body: Json) -> Any:
    """Return the format that `output_config` demands; none when there is none."""
    config = body.get("output_config")
    return config.get("format") if isinstance(config, dict) else None


def _is_structured(request: Request) -> bool:
    body = asked(request)
    return bool(_format(body) or body.get("output_format"))


@fault.request
def structured_output_crashes(request: Request) -> Request | ApiError:
    """A JSON Schema for an answer that is not streamed ends in a 500."""
    if _format(asked(request)) and not request.wants_stream:
        return refused("unexpected keyword argument 'output_config'", 500)
    return request


@fault.body
def output_format_ignored(body: Json, _request: Request) -> Json:
    """The schema of `output_config.format` does not reach the model."""
    if _format(body):
        del body["output_config"]["format"]
    return body


@fault.body
def stream_without_output_format(body: Json, request: Request) -> Json:
    """The schema of `output_config.format` is applied to plain answers only."""
    if request.wants_stream and _format(body):
        del body["output_config"]["format"]
    return body


@fault.request
def older_output_format_ignored(request: Request) -> Request:
    """The older field `output_format` has no effect."""
    body = asked(request)
    if "output_format" not in body:
        return request
    return rewritten(request, {name: body[name] for name in body if name != "output_format"})


@fault.message
def structured_output_fenced(message: Json, request: Request) -> Json:
    """Structured output stands in a Markdown fence."""
    for block in message["content"]:
        if _is_structured(request) and block["type"] == "text":
            block["text"] = f"```json\n{block['text']}\n```"
    return message


@fault.message
def structured_output_of_wrong_types(message: Json, request: Request) -> Json:
    """Numbers in structured output are written as strings."""
    for block in message["content"]:
        if _is_structured(request) and block["type"] == "text":
            block["text"] = block["text"].replace(":1", ':"1"')
    return message


@fault.request
def strict_enumeration_crashes(request: Request) -> Request | ApiError:
    """A tool with `strict` whose schema has an enumeration ends in a 500."""
    tools = asked(request).get("tools") or []
    if any(tool.get("strict") and "enum" in str(tool) for tool in tools):
        return refused("grammar error: enum", 500)
    return request


@fault.message
def strict_ignored(message: Json, request: Request) -> Json:
    """The schema of a strict tool is not enforced: numbers come as strings."""
    if any(tool.get("strict") for tool in asked(request).get("tools") or []):
        for block in message["content"]:
            if block["type"] == "tool_use":
                block["input"] = {name: str(value) for name, value in block["input"].items()}
    return message


@fault.refusal
def unsupported_schema_accepted(refusal: ApiError, request: Request) -> ApiError | None:
    """A schema for the answer that cannot be enforced is accepted."""
    is_schema = refusal.rule.startswith("output_config.format.schema")
    return None if is_schema and request.is_messages else refusal
