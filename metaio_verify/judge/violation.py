"""The names of everything that can be wrong with a stream, as check files use them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Violation(StrEnum):
    """One way to break the grammar of a stream. One defect gives one kind."""

    # The events themselves
    UNNAMED_EVENT = "unnamed-event"
    NAME_MISMATCH = "name-mismatch"
    BAD_DATA = "bad-data"
    EMPTY_DATA = "empty-data"
    BAD_CHARACTER = "bad-character"
    DONE_SENTINEL = "done-sentinel"
    NAMED_DONE_SENTINEL = "named-done-sentinel"
    BAD_PING = "bad-ping"
    UNKNOWN_EVENT = "unknown-event"
    # The beginning
    EMPTY_STREAM = "empty-stream"
    NO_MESSAGE_START = "no-message-start"
    REPEATED_MESSAGE_START = "repeated-message-start"
    MESSAGE_START_SHAPE = "message-start-shape"
    MESSAGE_START_USAGE = "message-start-usage"
    MESSAGE_START_COUNTS = "message-start-counts"
    # The blocks
    BLOCK_START_SHAPE = "block-start-shape"
    BLOCK_START_NOT_EMPTY = "block-start-not-empty"
    BAD_INDEX = "bad-index"
    BLOCK_OVERLAP = "block-overlap"
    BLOCK_NOT_CLOSED = "block-not-closed"
    STOP_WITHOUT_START = "stop-without-start"
    DELTA_WITHOUT_START = "delta-without-start"
    DELTA_MISMATCH = "delta-mismatch"
    DELTA_SHAPE = "delta-shape"
    CUMULATIVE_TEXT = "cumulative-text"
    # The arguments of tool calls
    BAD_TOOL_JSON = "bad-tool-json"
    NO_TOOL_DELTA = "no-tool-delta"
    TOOL_INPUT_IN_START = "tool-input-in-start"
    # The end
    NO_MESSAGE_DELTA = "no-message-delta"
    NO_STOP_REASON = "no-stop-reason"
    STOP_REASON_LOST = "stop-reason-lost"
    EARLY_STOP_REASON = "early-stop-reason"
    EARLY_MESSAGE_DELTA = "early-message-delta"
    DELTA_WITHOUT_USAGE = "delta-without-usage"
    USAGE_DECREASES = "usage-decreases"
    NO_MESSAGE_STOP = "no-message-stop"
    REPEATED_MESSAGE_STOP = "repeated-message-stop"
    AFTER_MESSAGE_STOP = "after-message-stop"
    UNFINISHED_BODY = "unfinished-body"
    CUT_SHORT = "cut-short"
    # Errors within a stream
    ERROR_EVENT_SHAPE = "error-event-shape"
    AFTER_ERROR = "after-error"

    @property
    def meaning(self) -> str:
        """One line for catalogues."""
        return _MEANINGS[self]


class StreamViolation(Struct, frozen=True):
    """One place where a stream breaks the grammar."""

    kind: Violation
    event: int
    """The number of the event, from 1; 0 when the stream has none."""
    expected: str
    actual: str


_V = Violation
_MEANINGS = {
    _V.UNNAMED_EVENT: "an event has no `event:` line",
    _V.NAME_MISMATCH: "the `event:` line differs from `type` in the data",
    _V.BAD_DATA: "the data of an event is not a JSON object",
    _V.EMPTY_DATA: "an event has no data",
    _V.BAD_CHARACTER: "an event holds invalid UTF-8, half a surrogate pair or U+FFFD",
    _V.DONE_SENTINEL: "`[DONE]` was sent as an event without a name",
    _V.NAMED_DONE_SENTINEL: "`[DONE]` was sent as a named event",
    _V.BAD_PING: 'a ping is not {"type": "ping"}',
    _V.UNKNOWN_EVENT: "an event, block or delta of an unknown type; legal, worth knowing",
    _V.EMPTY_STREAM: "the body ended properly but holds no event of a message",
    _V.NO_MESSAGE_START: "the first event of the message is not message_start",
    _V.REPEATED_MESSAGE_START: "message_start came more than once",
    _V.MESSAGE_START_SHAPE: (
        "message_start lacks a field or has a wrong one: id, type, role, model, content [], "
        "stop_reason null, stop_sequence null"
    ),
    _V.MESSAGE_START_USAGE: "message_start has no usage, or one that is no object",
    _V.MESSAGE_START_COUNTS: "the usage of message_start lacks input_tokens or output_tokens",
    _V.BLOCK_START_SHAPE: "content_block_start lacks a field that its block type needs",
    _V.BLOCK_START_NOT_EMPTY: "a text or thinking block starts with content in it",
    _V.BAD_INDEX: "block indexes do not count 0, 1, 2, …",
    _V.BLOCK_OVERLAP: "a block starts while another one is still being sent",
    _V.BLOCK_NOT_CLOSED: "a block has no content_block_stop",
    _V.STOP_WITHOUT_START: "content_block_stop for a block that is not open",
    _V.DELTA_WITHOUT_START: "content_block_delta for a block that is not open",
    _V.DELTA_MISMATCH: "the delta does not belong into a block of this type",
    _V.DELTA_SHAPE: "content_block_delta lacks its payload",
    _V.CUMULATIVE_TEXT: "each text delta repeats the whole text so far",
    _V.BAD_TOOL_JSON: "the arguments of a tool call do not add up to a JSON object",
    _V.NO_TOOL_DELTA: "the arguments of a tool call came in its start only",
    _V.TOOL_INPUT_IN_START: "the arguments of a tool call came in its start and in deltas",
    _V.NO_MESSAGE_DELTA: "message_stop came without any message_delta",
    _V.NO_STOP_REASON: "no message_delta has a stop_reason",
    _V.STOP_REASON_LOST: "a later message_delta takes the stop_reason back",
    _V.EARLY_STOP_REASON: "a stop_reason came before the last block was complete",
    _V.EARLY_MESSAGE_DELTA: "message_delta came before the last block was complete",
    _V.DELTA_WITHOUT_USAGE: "message_delta has no usage with output_tokens",
    _V.USAGE_DECREASES: "output_tokens is lower than in an earlier event: not cumulative",
    _V.NO_MESSAGE_STOP: "the stream is complete but for message_stop",
    _V.REPEATED_MESSAGE_STOP: "message_stop came more than once",
    _V.AFTER_MESSAGE_STOP: "an event of the message came after message_stop",
    _V.UNFINISHED_BODY: "message_stop came, but then the body was not ended",
    _V.CUT_SHORT: "the stream ended within the message, without message_stop or error",
    _V.ERROR_EVENT_SHAPE: "an error lacks `event: error`, error.type or error.message",
    _V.AFTER_ERROR: "an event came after error, which must be the last one",
}
