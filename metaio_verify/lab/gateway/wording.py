"""What both translators need: the parts of a request to the Anthropic API, one by one."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

from metaio_verify.lab.types import ERROR_TYPES

Json: TypeAlias = dict[str, Any]

ENDED_EARLY: Final = "the upstream ended its answer early"
PDF: Final = "application/pdf"


class UntranslatableError(Exception):
    """Something for which the upstream has no words; the text says what."""


def parts(content: Any) -> list[Json]:
    """Return content as blocks, whichever of its two forms it has."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def data_url(source: Json) -> str:
    """Return where a picture or a file is, for an API that wants a URL."""
    if source.get("type") == "url":
        return str(source["url"])
    return f"data:{source['media_type']};base64,{source['data']}"


def document_text(block: Json) -> str:
    """Return a text document with what its fields say of it."""
    said = [block.get("title"), block.get("context"), block["source"].get("data")]
    return "\n".join(part for part in said if part)


def plain_text(block: Json) -> str:
    """Return the words of a block that is neither a picture nor a document.

    Raises `UntranslatableError` where there are none.
    """
    match block:
        case {"text": str(text)}:
            return text
        case {"type": "search_result", "title": title, "content": content}:
            return "\n".join([title, *(part["text"] for part in content)])
    raise UntranslatableError(f"a block of type {block['type']} cannot be translated")


def is_pdf(block: Json) -> bool:
    """Whether a document is a file that has to go up as such."""
    return bool(block["source"].get("media_type") == PDF)


def result_text(block: Json) -> str:
    """Return the words of a tool's result; that it failed can be told in words only."""
    said = [part["text"] for part in parts(block.get("content")) if part["type"] == "text"]
    text = "\n".join(said)
    return f"Error: {text}" if block.get("is_error") else text


def result_media(block: Json) -> list[Json]:
    """Return what a tool's result holds besides words."""
    return [part for part in parts(block.get("content")) if part["type"] in ("image", "document")]


def arguments(block: Json) -> str:
    """Return the input of a call as text."""
    return msgspec.json.encode(block["input"]).decode()


def given(values: Json) -> Json:
    """Return the fields that have a value."""
    return {key: value for key, value in values.items() if value is not None}


def event(name: str, **fields: Any) -> bytes:
    """Return one event of the Anthropic API."""
    data = msgspec.json.encode({"type": name, **fields})
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def envelope(status: int, text: str) -> Json:
    """Return an error of the Anthropic API."""
    kind = ERROR_TYPES.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": text}}


def own_id(id_: str) -> str:
    """Return the id of a call, as this API begins it."""
    return id_ if id_.startswith("toolu_") else f"toolu_{id_.removeprefix('call_')}"


def output_schema(body: Json) -> Any:
    """Return the JSON Schema that the answer has to fit, if there is one."""
    config = body.get("output_config") or {}
    return (config.get("format") or body.get("output_format") or {}).get("schema")


def refusal(text: Any) -> Json:
    """Return what a refusal says of itself."""
    return {"type": "refusal", "category": None, "explanation": text}


def usage(prompt: int, cached: int, output: int) -> Json:
    """Return the usage; here the cached tokens are no part of the prompt."""
    return {
        "input_tokens": prompt - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": output,
    }
