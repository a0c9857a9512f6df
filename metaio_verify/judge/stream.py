"""The grammar of a message stream, as a state machine that reports and recovers.

    stream   := message_start  block*  message_delta+  message_stop
    block    := content_block_start(i)  content_block_delta(i)*  content_block_stop(i)
    failure  := any prefix  error      (then the end of the stream)

Blocks count i = 0, 1, 2, … and one is open at a time. Pings, comments and events of unknown types
may stand anywhere. After a violation the machine goes on as if the event had been what it most
likely stood for, so that one defect gives one kind and each kind can be judged by its own check.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, TypeGuard

from metaio_verify.judge.blocks import Blocks
from metaio_verify.judge.envelope import read
from metaio_verify.judge.sse import RawEvent, SseStream
from metaio_verify.judge.violation import StreamViolation, Violation
from metaio_verify.judge.wording import shown
from metaio_verify.record import Failure

_CUTTING_REASONS = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""With these a tool call may end in the middle of its arguments."""


def violations(
    stream: SseStream, ended: Failure | None, *, aborted: bool = False
) -> list[StreamViolation]:
    """Return every violation, in the order of the events.

    Args:
        stream: the parsed body
        ended: why the body could not be read to its proper end, if it could not
        aborted: whether the reader left; then nothing is asked of the end

    """
    grammar = _Grammar()
    for event, document in zip(stream.events, stream.documents, strict=True):
        grammar.feed(event, document)
    if not aborted:
        grammar.finish(stream, ended)
    return sorted(grammar.found, key=lambda violation: violation.event)


class _Phase(Enum):
    """How far the message has come."""

    EMPTY = auto()
    OPEN = auto()
    STOPPED = auto()
    FAILED = auto()


class _Grammar:
    """The state machine. Of an event that could not be read (data `None`) nothing is asked."""

    def __init__(self) -> None:
        self.found: list[StreamViolation] = []
        self._phase = _Phase.EMPTY
        self._message_started = False
        self._blocks = Blocks(self._report)
        self._output_tokens = 0
        self._deltas: list[tuple[int, Any]] = []
        """Number and stop_reason of each message_delta since the last event of a block."""
        self._reasons: list[Any] = []
        """The stop_reason of every message_delta; `...` when it could not be read."""
        self._stop = 0

    def _report(self, kind: Violation, event: int, expected: str, actual: str) -> None:
        self.found.append(StreamViolation(kind, event, expected, actual))

    def feed(self, event: RawEvent, document: Any) -> None:
        """Take the next event."""
        reading = read(event, document, self._report)
        if reading is not None:
            self._step(reading.kind, event.number, reading.data)

    def _step(self, kind: str, number: int, data: dict[str, Any] | None) -> None:
        match self._phase:
            case _Phase.STOPPED:
                again = kind == "message_stop"
                after = Violation.REPEATED_MESSAGE_STOP if again else Violation.AFTER_MESSAGE_STOP
                self._report(after, number, "nothing after message_stop", kind)
                return
            case _Phase.FAILED:
                self._report(Violation.AFTER_ERROR, number, "nothing after error", kind)
                return
            case _Phase.EMPTY if kind not in ("message_start", "error"):
                self._report(Violation.NO_MESSAGE_START, number, "message_start", kind)
        self._phase = _Phase.OPEN
        match kind:
            case "message_start":
                self._message_start(number, data)
            case "message_delta":
                self._message_delta(number, data)
            case "message_stop":
                self._phase = _Phase.STOPPED
                self._stop = number
            case "error":
                self._phase = _Phase.FAILED
                self._error(number, data)
            case _:
                if self._blocks.feed(kind, number, data):
                    self._deltas_were_early(kind)

    def _message_start(self, number: int, data: dict[str, Any] | None) -> None:
        if self._message_started:
            self._report(
                Violation.REPEATED_MESSAGE_START, number, "one message_start", "another one"
            )
            return
        self._message_started = True
        if data is None:
            return
        message = data.get("message")
        if not isinstance(message, dict):
            actual = shown(message) if "message" in data else "no message"
            self._report(Violation.MESSAGE_START_SHAPE, number, "message is an object", actual)
            return
        for expected, key, holds in _start_fields(message):
            if not holds:
                actual = shown(message[key]) if key in message else f"no {key}"
                self._report(
                    Violation.MESSAGE_START_SHAPE, number, f"message.{key} is {expected}", actual
                )
        if (reason := message.get("stop_reason")) is not None:
            self._report(
                Violation.EARLY_STOP_REASON,
                number,
                "message.stop_reason is null",
                shown(reason),
            )
        self._start_usage(number, message)

    def _start_usage(self, number: int, message: dict[str, Any]) -> None:
        usage = message.get("usage")
        if not isinstance(usage, dict):
            actual = shown(usage) if "usage" in message else "no usage"
            self._report(
                Violation.MESSAGE_START_USAGE, number, "message.usage is an object", actual
            )
            return
        for key in ("input_tokens", "output_tokens"):
            if not _is_count(usage.get(key)):
                actual = shown(usage[key]) if key in usage else f"no {key}"
                self._report(
                    Violation.MESSAGE_START_COUNTS, number, f"usage.{key} is an integer", actual
                )
        if _is_count(tokens := usage.get("output_tokens")):
            self._output_tokens = tokens

    def _message_delta(self, number: int, data: dict[str, Any] | None) -> None:
        if data is None:
            self._deltas.append((number, ...))
            self._reasons.append(...)
            return
        delta = data.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if not isinstance(reason, str) or not reason:
            reason = None
        self._deltas.append((number, reason))
        self._reasons.append(reason)
        usage = data.get("usage")
        tokens = usage.get("output_tokens") if isinstance(usage, dict) else None
        if not _is_count(tokens):
            actual = shown(usage) if "usage" in data else "no usage"
            self._report(
                Violation.DELTA_WITHOUT_USAGE, number, "usage.output_tokens is an integer", actual
            )
            return
        if tokens < self._output_tokens:
            self._report(
                Violation.USAGE_DECREASES,
                number,
                f"usage.output_tokens is at least {self._output_tokens}",
                str(tokens),
            )
        self._output_tokens = tokens

    def _deltas_were_early(self, kind: str) -> None:
        """Report message_deltas after which an event of a block came."""
        for number, reason in self._deltas:
            early = Violation.EARLY_MESSAGE_DELTA if reason is None else Violation.EARLY_STOP_REASON
            self._report(early, number, "message_delta after the last block", f"then {kind}")
        self._deltas.clear()

    def _error(self, number: int, data: dict[str, Any] | None) -> None:
        if data is None:
            return
        error = data.get("error")
        for key in ("type", "message"):
            if not isinstance(error, dict) or not isinstance(error.get(key), str):
                self._report(
                    Violation.ERROR_EVENT_SHAPE,
                    number,
                    f"error.{key} is a string",
                    shown(data),
                )
                return

    def finish(self, stream: SseStream, ended: Failure | None) -> None:
        """Judge what only the end of the body can show."""
        last = len(stream.events)
        if self._phase is _Phase.FAILED:
            return
        if self._phase is _Phase.EMPTY:
            self._nothing_came(stream, ended)
            return
        if self._phase is _Phase.OPEN:
            tail = ", the last event is not followed by an empty line" if stream.tail else ""
            if ended is not None or all(reason is None for reason in self._reasons):
                actual = ended.detail if ended is not None else f"the body ended{tail}"
                self._report(Violation.CUT_SHORT, last, "message_stop", actual)
                return
            self._report(Violation.NO_MESSAGE_STOP, last, "message_stop", f"the body ended{tail}")
        elif ended is not None:
            self._report(Violation.UNFINISHED_BODY, self._stop, "the end of the body", ended.detail)
        self._judge_reasons()
        cutting = self._reasons[-1:] and self._reasons[-1] in _CUTTING_REASONS
        self._blocks.finish(self._deltas[0][0] if self._deltas else last, cut=bool(cutting))

    def _nothing_came(self, stream: SseStream, ended: Failure | None) -> None:
        if ended is not None:
            self._report(Violation.CUT_SHORT, len(stream.events), "message_start", ended.detail)
        elif all(violation.kind is Violation.UNKNOWN_EVENT for violation in self.found):
            self._report(Violation.EMPTY_STREAM, len(stream.events), "message_start", "no message")
        else:
            self._report(Violation.NO_MESSAGE_START, 1, "message_start", "no event of a message")

    def _judge_reasons(self) -> None:
        if not self._reasons:
            self._report(
                Violation.NO_MESSAGE_DELTA, self._stop, "message_delta", "message_stop without it"
            )
        elif self._reasons[-1] is not None:
            return
        elif all(reason is None for reason in self._reasons):
            self._report(
                Violation.NO_STOP_REASON, self._stop, "a stop_reason in message_delta", "none"
            )
        else:
            last = self._deltas[-1][0] if self._deltas else self._stop
            self._report(
                Violation.STOP_REASON_LOST, last, "the last message_delta has stop_reason", "null"
            )


def _start_fields(message: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return what message_start must say: the words for it, the key, and whether it holds."""
    absent: dict[str, Any] = {}
    return [
        ("a string", "id", isinstance(message.get("id"), str) and message["id"] != ""),
        ('"message"', "type", message.get("type") == "message"),
        ('"assistant"', "role", message.get("role") == "assistant"),
        ("a string", "model", isinstance(message.get("model"), str) and message["model"] != ""),
        ("[]", "content", message.get("content") == []),
        ("null", "stop_reason", "stop_reason" in message),
        ("null", "stop_sequence", message.get("stop_sequence", absent) is None),
    ]


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
