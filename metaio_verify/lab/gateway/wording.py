"""What both translators need: the parts of a request to the Anthropic API, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import msgspec

from metaio_verify.lab.types import ERROR_TYPES

Json: TypeAlias = dict[str, Any]

ENDED_EARLY: Final = "the upstream ended its answer early"
PDF: Final = "application/pdf"


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


class Writer:
    """Writes a stream of the Anthropic API block by block; one block is open at a time."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._index = -1
        self._open = ""
        self._begun = False

    def begin(self, id_: str) -> Iterator[bytes]:
        """Give the beginning, once."""
        if self._begun:
            return
        self._begun = True
        message = {
            "id": f"msg_{id_}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        yield event("message_start", message=message)

    def add(self, name: str, block: Json, delta: Json | None = None) -> Iterator[bytes]:
        """Give a delta, and before it the block that it belongs to, if that is a new one."""
        if name != self._open:
            yield from self.close()
            self._index += 1
            self._open = name
            yield event("content_block_start", index=self._index, content_block=block)
        if delta is not None:
            yield event("content_block_delta", index=self._index, delta=delta)

    def text(self, text: str) -> Iterator[bytes]:
        """Give a piece of text."""
        yield from self.add("text", _block("text"), {"type": "text_delta", "text": text})

    def thought(self, text: str) -> Iterator[bytes]:
        """Give a piece of thinking."""
        delta = {"type": "thinking_delta", "thinking": text}
        yield from self.add("thinking", {**_block("thinking"), "signature": ""}, delta)

    def call(self, id_: str, name: str) -> Iterator[bytes]:
        """Give the beginning of a call."""
        yield from self.add(id_, {"type": "tool_use", "id": id_, "name": name, "input": {}})

    def argument(self, id_: str, text: str) -> Iterator[bytes]:
        """Give a piece of the arguments of the call that is open."""
        yield from self.add(id_, {}, {"type": "input_json_delta", "partial_json": text})

    def close(self) -> Iterator[bytes]:
        """Give the end of the open block, if there is one."""
        if self._open:
            self._open = ""
            yield event("content_block_stop", index=self._index)

    def end(self, stop_reason: str, usage: Json, details: Json | None = None) -> Iterator[bytes]:
        """Give the end of the message."""
        yield from self.close()
        delta: Json = {"stop_reason": stop_reason, "stop_sequence": None}
        if details is not None:
            delta |= {"stop_details": details}
        yield event("message_delta", delta=delta, usage=usage)
        yield event("message_stop")


def _block(kind: str) -> Json:
    return {"type": kind, kind: ""}


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
