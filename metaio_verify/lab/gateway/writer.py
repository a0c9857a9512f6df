"""What both translators write: a stream of the Anthropic API."""

from __future__ import annotations

from collections.abc import Iterator

from metaio_verify.lab import tokens
from metaio_verify.lab.gateway.stops import StopWatch
from metaio_verify.lab.gateway.wording import Json, event, usage


class Writer:
    """Writes a stream of the Anthropic API block by block; one block is open at a time."""

    def __init__(self, asked: Json) -> None:
        self._model = asked.get("model")
        # The upstream tells what a prompt cost at the end, and clients want it at the beginning.
        self._prompt = sum(segment.tokens for segment in tokens.segments(asked))
        self._watch = StopWatch(asked.get("stop_sequences") or ())
        self._index = -1
        self._open = ""
        self._begun = False

    def begin(self, id_: str) -> Iterator[bytes]:
        """Give the beginning, once."""
        if self._begun:
            return
        self._begun = True
        message: Json = {
            "id": f"msg_{id_}",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(self._prompt, 0, 0),
        }
        yield event("message_start", message=message)

    def add(self, name: str, block: Json, delta: Json | None = None) -> Iterator[bytes]:
        """Give a delta, and before it the block that it belongs to, if that is a new one."""
        if name != self._open:
            if name != "text":
                yield from self._held()
                if self._watch.met is not None:
                    return
            yield from self.close()
            self._index += 1
            self._open = name
            yield event("content_block_start", index=self._index, content_block=block)
        if delta is not None:
            yield event("content_block_delta", index=self._index, delta=delta)

    def text(self, text: str) -> Iterator[bytes]:
        """Give a piece of text, as far as it stands before a stop sequence."""
        if passed := self._watch.passed(text):
            yield from self._text(passed)

    def _held(self) -> Iterator[bytes]:
        if held := self._watch.rest():
            yield from self._text(held)

    def _text(self, text: str) -> Iterator[bytes]:
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
        yield from self._held()
        yield from self.close()
        if self._watch.met is not None:
            stop_reason = "stop_sequence"
        delta: Json = {"stop_reason": stop_reason, "stop_sequence": self._watch.met}
        if details is not None:
            delta |= {"stop_details": details}
        yield event("message_delta", delta=delta, usage=usage)
        yield event("message_stop")


def _block(kind: str) -> Json:
    return {"type": kind, kind: ""}
