"""The message that a stream adds up to, so that the rules for a plain answer serve a streamed one.

It is put together as the accumulators of the SDKs do it, but without raising: what is missing or
wrong is the business of the grammar (`stream.py`), and a reader of the message sees what a
patient client would see.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.sse import SseStream

_APPENDED = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "compaction_delta": "content",
    "input_json_delta": "partial_json",
}
"""Delta type → its payload, which is appended to what came before."""

_BLOCK_OF = {
    "text_delta": "text",
    "citations_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "input_json_delta": "tool_use",
    "compaction_delta": "compaction",
}
"""Delta type → the block that is assumed when its start is missing."""

_OF_EVENT = {"type", "delta", "usage"}
"""Fields of message_delta that are not fields of the message."""


def rebuild(stream: SseStream) -> dict[str, Any] | None:
    """Return the message, or none when no event of a message came."""
    builder = _Builder()
    for document in stream.documents:
        if isinstance(document, dict):
            builder.feed(document)
    return builder.message()


class _Block(Struct):
    """A block and the pieces that are joined when the stream is over."""

    content: dict[str, Any]
    pieces: dict[str, list[str]] = field(default_factory=dict)

    def finished(self) -> dict[str, Any]:
        """Return the block with everything that came for it."""
        for key, pieces in self.pieces.items():
            joined = "".join(pieces)
            if key != "partial_json":
                before = self.content.get(key)
                self.content[key] = (before if isinstance(before, str) else "") + joined
            elif joined:
                self._take_input(joined)
        return self.content

    def _take_input(self, text: str) -> None:
        try:
            self.content["input"] = decode(text)
        except NotJSONError:
            # The SDKs go on with what they had, too.
            self.content.setdefault("input", {})


class _Builder:
    """What has come of the message so far."""

    def __init__(self) -> None:
        self._message: dict[str, Any] | None = None
        self._started = False
        self._blocks: list[_Block] = []
        self._by_index: dict[Any, _Block] = {}

    def message(self) -> dict[str, Any] | None:
        """Return the message as far as it came."""
        if self._message is None:
            return None
        content = self._message.get("content")
        kept = content if isinstance(content, list) else []
        blocks = [block.finished() for block in self._blocks]
        if blocks or isinstance(content, list):
            self._message["content"] = [*kept, *blocks]
        return self._message

    def feed(self, event: dict[str, Any]) -> None:
        """Take the data of the next event; everything that is not understood is passed over."""
        match event.get("type"):
            case "message_start" if not self._started:
                self._start(event)
            case "content_block_start":
                self._open(event)
            case "content_block_delta":
                self._extend(event)
            case "message_delta":
                self._finish(event)

    def _known(self) -> dict[str, Any]:
        if self._message is None:
            self._message = {}
        return self._message

    def _start(self, event: dict[str, Any]) -> None:
        message = event.get("message")
        if isinstance(message, dict):
            self._started = True
            late = self._message or {}
            usage = {**_fields(message.get("usage")), **_fields(late.get("usage"))}
            self._message = {**message, **late, **({"usage": usage} if usage else {})}

    def _open(self, event: dict[str, Any]) -> None:
        block = event.get("content_block")
        self._known()
        self._add(event.get("index"), dict(block) if isinstance(block, dict) else {})

    def _add(self, index: Any, content: dict[str, Any]) -> _Block:
        block = _Block(content)
        self._blocks.append(block)
        if isinstance(index, int):
            self._by_index[index] = block
        return block

    def _extend(self, event: dict[str, Any]) -> None:
        delta = event.get("delta")
        index = event.get("index")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(kind, str) or kind not in _BLOCK_OF:
            return
        self._known()
        block = self._by_index.get(index) if isinstance(index, int) else None
        if block is None:
            block = self._add(index, {"type": _BLOCK_OF[kind]})
        if kind in _APPENDED:
            key = _APPENDED[kind]
            piece = delta.get(key)
            if isinstance(piece, str):
                block.pieces.setdefault(key, []).append(piece)
        elif kind == "signature_delta":
            block.content["signature"] = delta.get("signature")
        else:
            before = block.content.get("citations")
            citations = before if isinstance(before, list) else []
            citations.append(delta.get("citation"))
            block.content["citations"] = citations

    def _finish(self, event: dict[str, Any]) -> None:
        message = self._known()
        for key, value in _fields(event.get("delta")).items():
            if value is not None or key not in message:
                message[key] = value
        usage = event.get("usage")
        if isinstance(usage, dict):
            known = {key: value for key, value in usage.items() if value is not None}
            message["usage"] = {**_fields(message.get("usage")), **known}
        for key, value in event.items():
            if key not in _OF_EVENT:
                message[key] = value


def _fields(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
