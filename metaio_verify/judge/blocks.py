"""The part of the stream grammar that is about content blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import Struct, field

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.violation import Violation
from metaio_verify.judge.wording import quote, short, shown

Report: TypeAlias = Callable[[Violation, int, str, str], None]
"""Takes the kind, the number of the event, what was expected and what came."""

_PAYLOADS = {
    "text_delta": ("text", {"text"}),
    "input_json_delta": ("partial_json", {"tool_use", "server_tool_use", "mcp_tool_use"}),
    "thinking_delta": ("thinking", {"thinking"}),
    "signature_delta": ("signature", {"thinking"}),
    "citations_delta": ("citation", {"text"}),
    "compaction_delta": ("content", {"compaction"}),
}
"""Delta type → its payload, and the block types that it belongs into."""

_TEXTS = {"text", "partial_json", "thinking", "signature"}
"""Payloads that are strings."""

_TOOLS = {"tool_use", "server_tool_use", "mcp_tool_use"}
_STREAMED = _TOOLS | {"text", "thinking", "compaction"}
_KNOWN = _STREAMED | {"redacted_thinking", "fallback", "container_upload"}

_CUMULATIVE = 3
"""So many deltas in a row, each beginning with the one before, are no accident."""


class _Block(Struct):
    """A block that is being sent."""

    index: int
    start: int
    position: int
    """The index that it should have; its deltas may say that one."""
    kind: str | None = None
    """None: it could not be read, or it was never started; every delta fits."""
    implicit: bool = False
    """Opened by a delta because its start is missing."""
    full_start: bool = False
    """Its start held the arguments of a tool call."""
    overlapped_at: int = 0
    """The event at which another block was started meanwhile."""
    arguments: list[str] = field(default_factory=list)
    text: str = ""
    repeats: int = 0


class Blocks:
    """The state of all blocks of one message."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._open: dict[int, _Block] = {}
        self._fresh: list[_Block] = []
        """Those that were opened since the last start."""
        self._closed: set[int] = set()
        self._next = 0
        self._unparsed: list[tuple[int, str]] = []
        """The event that closed a tool call whose arguments are no object, and the reason."""

    def feed(self, kind: str, number: int, data: dict[str, Any] | None) -> bool:
        """Take an event of a block; tell whether it belongs to a block that is really there."""
        match kind:
            case "content_block_start":
                self._start(number, data)
                return True
            case "content_block_delta":
                return data is not None and self._delta(number, data)
            case _:
                return self._stop(number, data)

    def finish(self, number: int, *, cut: bool) -> None:
        """Judge what is still open at the end.

        Args:
            number: the event by which every block had to be closed
            cut: whether the message was legally cut, so that arguments may be incomplete

        """
        for block in list(self._open.values()):
            if not block.implicit:
                expected = f"content_block_stop for block {block.index}"
                self._report(Violation.BLOCK_NOT_CLOSED, number, expected, "none")
            self._close(block, number)
        if not cut:
            for event, reason in self._unparsed:
                self._report(
                    Violation.BAD_TOOL_JSON, event, "partial_json adds up to an object", reason
                )

    def _start(self, number: int, data: dict[str, Any] | None) -> None:
        self._overlap(number)
        expected = self._next
        index = expected if data is None else self._index(number, data, expected)
        if index is None:
            index = expected
        elif index != expected:
            actual = f"index {short(str(index))}"
            self._report(Violation.BAD_INDEX, number, f"index {expected}", actual)
        self._next = index + 1
        block = self._open[index] = _Block(index, number, position=expected)
        self._fresh.append(block)
        if data is None:
            return
        content = data.get("content_block")
        kind = content.get("type") if isinstance(content, dict) else None
        if not isinstance(content, dict) or not isinstance(kind, str):
            actual = shown(content) if "content_block" in data else "no content_block"
            self._report(
                Violation.BLOCK_START_SHAPE,
                number,
                "content_block is an object with a type",
                actual,
            )
            return
        block.kind = kind
        block.full_start = kind == "tool_use" and _is_filled(content.get("input"))
        if kind not in _KNOWN and not kind.endswith("_tool_result"):
            actual = f"block {shown(kind)}"
            self._report(Violation.UNKNOWN_EVENT, number, "a documented block type", actual)
        self._start_fields(number, kind, content)

    def _overlap(self, number: int) -> None:
        """Mark the blocks that are open while another one starts."""
        for block in self._fresh:
            if self._open.get(block.index) is block:
                if block.implicit:
                    self._close(block, number)
                else:
                    block.overlapped_at = number
        self._fresh.clear()

    def _start_fields(self, number: int, kind: str, content: dict[str, Any]) -> None:
        """Report what the start of a block lacks, and text that should come in deltas."""
        wanted: list[tuple[str, type, str]] = []
        if kind in ("text", "thinking"):
            wanted.append((kind, str, "a string"))
        if kind == "thinking":
            wanted.append(("signature", str, "a string"))
        if kind in _TOOLS:
            wanted += [
                ("id", str, "a string"),
                ("name", str, "a string"),
                ("input", dict, "an object"),
            ]
        for key, required, words in wanted:
            value = content.get(key)
            if not isinstance(value, required):
                actual = shown(value) if key in content else f"no {key}"
                self._report(
                    Violation.BLOCK_START_SHAPE,
                    number,
                    f"content_block.{key} of a {kind} block is {words}",
                    actual,
                )
            elif key == kind and value:
                self._report(
                    Violation.BLOCK_START_NOT_EMPTY,
                    number,
                    f'content_block.{key} is ""',
                    shown(value),
                )

    def _delta(self, number: int, data: dict[str, Any]) -> bool:
        block = self._addressed(number, data)
        if block is None:
            return False
        delta = data.get("delta")
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(kind, str):
            actual = shown(delta) if "delta" in data else "no delta"
            self._report(Violation.DELTA_SHAPE, number, "delta is an object with a type", actual)
        elif kind not in _PAYLOADS:
            expected = "a documented delta type"
            self._report(Violation.UNKNOWN_EVENT, number, expected, f"delta {shown(kind)}")
        else:
            self._payload(number, block, kind, delta)
        return not block.implicit

    def _addressed(self, number: int, data: dict[str, Any]) -> _Block | None:
        """Find the block of a delta; one whose start is missing is opened without it."""
        index = self._index(number, data, None)
        if index is None:
            return self._only_one()
        block = self._find(index)
        if block is not None:
            self._confirm_overlap(block)
            return block
        state = "closed" if index in self._closed else "never started"
        self._report(
            Violation.DELTA_WITHOUT_START,
            number,
            "a delta for an open block",
            f"block {short(str(index))} is {state}",
        )
        if index in self._closed:
            return None
        if index == self._next and not self._open:
            self._next += 1
        block = self._open[index] = _Block(index, number, position=index, implicit=True)
        self._fresh.append(block)
        return block

    def _payload(self, number: int, block: _Block, kind: str, delta: dict[str, Any]) -> None:
        key, fitting = _PAYLOADS[kind]
        if block.kind in _STREAMED and block.kind not in fitting:
            self._report(
                Violation.DELTA_MISMATCH, number, f"a delta for a {block.kind} block", kind
            )
            return
        payload = delta.get(key)
        if key in _TEXTS and not isinstance(payload, str):
            actual = shown(payload) if key in delta else f"no {key}"
            self._report(Violation.DELTA_SHAPE, number, f"delta.{key} is a string", actual)
        elif key == "partial_json":
            block.arguments.append(str(payload))
        elif key == "text" and payload:
            self._text(number, block, str(payload))

    def _text(self, number: int, block: _Block, text: str) -> None:
        longer = len(text) > len(block.text) and text.startswith(block.text)
        block.repeats = block.repeats + 1 if longer else 1
        block.text = text
        if block.repeats == _CUMULATIVE:
            self._report(Violation.CUMULATIVE_TEXT, number, "only the new characters", shown(text))

    def _stop(self, number: int, data: dict[str, Any] | None) -> bool:
        index = None if data is None else self._index(number, data, None)
        block = self._only_one() if index is None else self._find(index)
        if index is not None and block is None:
            actual = f"block {short(str(index))} is not open"
            self._report(Violation.STOP_WITHOUT_START, number, "a stop for an open block", actual)
            # An index that never was is a slip; without this its block would count as not closed.
            block = self._only_one() if index not in self._closed else None
        if block is None:
            return False
        self._confirm_overlap(block)
        self._close(block, number)
        return not block.implicit

    def _close(self, block: _Block, number: int) -> None:
        del self._open[block.index]
        self._closed.add(block.index)
        arguments = "".join(block.arguments)
        if block.full_start and arguments:
            self._report(
                Violation.TOOL_INPUT_IN_START, block.start, "input {}", "arguments, then deltas too"
            )
        elif block.full_start:
            self._report(
                Violation.NO_TOOL_DELTA,
                block.start,
                "input {} and then input_json_delta",
                "all arguments in content_block_start",
            )
        if arguments and (reason := _no_object(arguments)):
            self._unparsed.append((number, reason))

    def _index(self, number: int, data: dict[str, Any], expected: int | None) -> int | None:
        index = data.get("index")
        if isinstance(index, int) and not isinstance(index, bool):
            return index
        words = "an integer as index" if expected is None else f"index {expected}"
        actual = f"index {shown(index)}" if "index" in data else "no index"
        self._report(Violation.BAD_INDEX, number, words, actual)
        return None

    def _find(self, index: int) -> _Block | None:
        block = self._open.get(index)
        if block is None and (only := self._only_one()) is not None and only.position == index:
            return only
        return block

    def _only_one(self) -> _Block | None:
        return next(iter(self._open.values())) if len(self._open) == 1 else None

    def _confirm_overlap(self, block: _Block) -> None:
        """Report the overlap of a block that goes on after another one was started."""
        if block.overlapped_at:
            expected = f"content_block_stop for block {block.index} first"
            self._report(
                Violation.BLOCK_OVERLAP, block.overlapped_at, expected, "content_block_start"
            )
            block.overlapped_at = 0


def _is_filled(value: Any) -> bool:
    return isinstance(value, dict) and value != {}


def _no_object(arguments: str) -> str:
    """Say why concatenated arguments are no JSON object; empty when they are one."""
    try:
        value = decode(arguments)
    except NotJSONError as error:
        return short(f"{quote(arguments)}: {error}")
    return "" if isinstance(value, dict) else shown(value)
