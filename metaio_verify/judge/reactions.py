"""How five clients react to each defect of a stream, as measured in November 2026.

The clients were given streams with one defect each: Claude Code 2.1.330, and the streaming helpers
of the Python SDK 2.12.0 and 0.121.0 and of the TypeScript SDK 1.12.0 and 0.128.0. A defect that no
client was given stands in no row; what it does is said by the check that finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.streaming import is_for_load
from metaio_verify.judge.violation import Violation
from metaio_verify.record import Exchange, Reach

CLIENTS = (
    "claude-code",
    "anthropic-sdk-python>=2",
    "anthropic-sdk-python<2",
    "anthropic-sdk-typescript>=1",
    "anthropic-sdk-typescript<1",
)
"""Those that were measured, by the names that checks use under `breaks`."""


class Reaction(NamedTuple):
    """What a client's user gets."""

    reach: Reach
    sees: str = ""


class Defect(NamedTuple):
    """One row of the measurements."""

    name: str
    kind: Violation | None
    """The violation that goes with it; none when the answer is no stream, or an error in one."""
    shows: Callable[[Evidence], bool]
    reactions: tuple[Reaction, ...]
    """One for each of `CLIENTS`."""


def defects(evidence: Evidence) -> list[Defect]:
    """Return the measured defects that an answer shows; none for what is no streamed answer."""
    exchange = evidence.exchange
    if not evidence.succeeded or exchange.aborted or not asks_for_stream(exchange):
        return []
    return [defect for defect in DEFECTS if defect.shows(evidence)]


def asks_for_stream(exchange: Exchange) -> bool:
    """Tell whether a request asked for a stream."""
    try:
        body = msgspec.json.decode(exchange.request.body)
    except msgspec.DecodeError:
        return False
    return isinstance(body, dict) and body.get("stream") is True


# What a user gets

_OK = Reaction(Reach.WORKS)
_AGAIN = Reaction(
    Reach.FALLBACK, "each turn is asked for a second time, without streaming: twice the cost"
)
_EMPTY = Reaction(Reach.BREAKS, "an empty answer, after a second request")
_FAILS = Reaction(
    Reach.BREAKS, '"Server error mid-response" behind the answer, after three more requests'
)
_LOST = Reaction(
    Reach.BREAKS, '"Connection lost mid-response" behind the answer, after three more requests'
)
_NO_INPUT = Reaction(Reach.BREAKS, "tools are called with {} instead of their arguments")
_BAD_INPUT = Reaction(Reach.BREAKS, "each tool call ends in an InputValidationError")
_CUT = Reaction(Reach.BREAKS, "a truncated answer looks complete; no error is raised")
_TEXT_LOST = Reaction(Reach.BREAKS, "the text is lost; no error is raised")
_GLUED = Reaction(Reach.BREAKS, "the texts of two blocks are glued together")
_SECOND_ONLY = Reaction(Reach.BREAKS, "only the last of several blocks is shown")


def _raises(error: str) -> Reaction:
    return Reaction(Reach.BREAKS, f"streaming raises {error}")


def _throws(error: str) -> Reaction:
    return Reaction(Reach.BREAKS, f"streaming throws {error}")


_ASSERTION, _ATTRIBUTE = _raises("AssertionError"), _raises("AttributeError")
_INDEX, _TYPE = _raises("IndexError"), _throws("AnthropicError: Cannot read properties of …")
_API_STATUS, _API = _raises("APIStatusError"), _throws("APIError")
_NO_CHUNKS = _throws("AnthropicError: request ended without sending any chunks")
_NO_MESSAGE = _throws("AnthropicError: stream ended without producing a Message")
_ORDER = "Unexpected event order"


# How a defect shows


def _has(kind: Violation) -> Callable[[Evidence], bool]:
    return lambda evidence: str(kind) in evidence.violations_by_kind


def _events(evidence: Evidence, kind: str) -> Iterator[dict[str, Any]]:
    return (
        data
        for _, data in evidence.event_data
        if isinstance(data, dict) and data.get("type") == kind
    )


def _unnamed(evidence: Evidence) -> bool:
    """Pings without a name hurt nobody."""
    found = evidence.violations_by_kind.get(str(Violation.UNNAMED_EVENT), [])
    return any(one.expected != "event: ping" for one in found)


def _ended(evidence: Evidence) -> bool:
    """The stream ended behind a finished block, but before the message was finished."""
    return _has(Violation.CUT_SHORT)(evidence) and any(_events(evidence, "content_block_stop"))


def _failures(evidence: Evidence) -> list[bool]:
    """Return, for each error of the endpoint itself, whether a block was finished before."""
    finished, found = False, []
    for _, data in evidence.event_data:
        kind = data.get("type") if isinstance(data, dict) else None
        finished = finished or kind == "content_block_stop"
        if kind == "error" and not is_for_load(data.get("error")):
            found.append(finished)
    return found


def _fails_early(evidence: Evidence) -> bool:
    return False in _failures(evidence)


def _fails_late(evidence: Evidence) -> bool:
    return True in _failures(evidence)


def _cut(evidence: Evidence) -> bool:
    """The stream ended within its first block."""
    return _has(Violation.CUT_SHORT)(evidence) and not _ended(evidence)


def _no_start_usage(evidence: Evidence) -> bool:
    messages = (event.get("message") for event in _events(evidence, "message_start"))
    return any(isinstance(one, dict) and not isinstance(one.get("usage"), dict) for one in messages)


def _no_delta_usage(evidence: Evidence) -> bool:
    found = _events(evidence, "message_delta")
    return any(not isinstance(event.get("usage"), dict) for event in found)


def _null_content(evidence: Evidence) -> bool:
    messages = (event.get("message") for event in _events(evidence, "message_start"))
    return any(isinstance(one, dict) and one.get("content", ...) is None for one in messages)


def _indexes(evidence: Evidence) -> list[Any]:
    return [event.get("index") for event in _events(evidence, "content_block_start")]


def _first_index(evidence: Evidence) -> bool:
    return _has(Violation.BAD_INDEX)(evidence) and _indexes(evidence)[:1] not in ([], [0])


def _same_index(evidence: Evidence) -> bool:
    found = [index for index in _indexes(evidence) if isinstance(index, int)]
    return _has(Violation.BAD_INDEX)(evidence) and len(set(found)) < len(found)


def _no_stream(evidence: Evidence) -> bool:
    return not evidence.is_sse


_V = Violation
DEFECTS = (
    Defect(
        "no event: lines",
        _V.UNNAMED_EVENT,
        _unnamed,
        (_AGAIN, _ASSERTION, _ASSERTION, _NO_CHUNKS, _NO_CHUNKS),
    ),
    Defect(
        "unnamed [DONE]",
        _V.DONE_SENTINEL,
        _has(_V.DONE_SENTINEL),
        (_OK, _OK, _OK, _OK, _OK),
    ),
    Defect(
        "named [DONE]",
        _V.NAMED_DONE_SENTINEL,
        _has(_V.NAMED_DONE_SENTINEL),
        (
            _OK,
            _raises("JSONDecodeError after the whole answer"),
            _OK,
            _throws("a JSON error after the whole answer"),
            _OK,
        ),
    ),
    Defect(
        "ends without message_delta and message_stop",
        _V.CUT_SHORT,
        _ended,
        (_LOST, _CUT, _CUT, _NO_MESSAGE, _NO_MESSAGE),
    ),
    Defect(
        "cut in the first block",
        _V.CUT_SHORT,
        _cut,
        (_AGAIN, _CUT, _CUT, _NO_MESSAGE, _NO_MESSAGE),
    ),
    Defect(
        "an error within the first block",
        None,
        _fails_early,
        (_AGAIN, _API_STATUS, _API_STATUS, _API, _API),
    ),
    Defect(
        "an error behind a finished block",
        None,
        _fails_late,
        (_FAILS, _API_STATUS, _API_STATUS, _API, _API),
    ),
    Defect(
        "no message_stop",
        _V.NO_MESSAGE_STOP,
        _has(_V.NO_MESSAGE_STOP),
        (_OK, _OK, _OK, _NO_MESSAGE, _NO_MESSAGE),
    ),
    Defect(
        "no message_delta",
        _V.NO_MESSAGE_DELTA,
        _has(_V.NO_MESSAGE_DELTA),
        (_OK, _OK, _OK, _OK, _OK),
    ),
    Defect(
        "message_start without usage",
        _V.MESSAGE_START_USAGE,
        _no_start_usage,
        (_OK, _ATTRIBUTE, _ATTRIBUTE, _TYPE, _TYPE),
    ),
    Defect(
        "message_delta without usage",
        _V.DELTA_WITHOUT_USAGE,
        _no_delta_usage,
        (_OK, _ATTRIBUTE, _ATTRIBUTE, _TYPE, _TYPE),
    ),
    Defect(
        "the first index is not 0",
        _V.BAD_INDEX,
        _first_index,
        (_OK, _INDEX, _INDEX, _TEXT_LOST, _TEXT_LOST),
    ),
    Defect(
        "the same index twice",
        _V.BAD_INDEX,
        _same_index,
        (_SECOND_ONLY, _GLUED, _GLUED, _GLUED, _GLUED),
    ),
    Defect(
        "no content_block_start",
        _V.DELTA_WITHOUT_START,
        _has(_V.DELTA_WITHOUT_START),
        (_AGAIN, _INDEX, _INDEX, _TYPE, _TYPE),
    ),
    Defect(
        "no content_block_stop",
        _V.BLOCK_NOT_CLOSED,
        _has(_V.BLOCK_NOT_CLOSED),
        (_EMPTY, _OK, _OK, _OK, _OK),
    ),
    Defect(
        "no message_start",
        _V.NO_MESSAGE_START,
        _has(_V.NO_MESSAGE_START),
        (
            _AGAIN,
            _ASSERTION,
            _raises(f"RuntimeError: {_ORDER}"),
            _NO_CHUNKS,
            _throws(f"AnthropicError: {_ORDER}"),
        ),
    ),
    Defect(
        "message.content is null",
        _V.MESSAGE_START_SHAPE,
        _null_content,
        (_OK, _ATTRIBUTE, _ATTRIBUTE, _TYPE, _TYPE),
    ),
    Defect(
        "a delta of another kind of block",
        _V.DELTA_MISMATCH,
        _has(_V.DELTA_MISMATCH),
        (_AGAIN, _OK, _OK, _OK, _OK),
    ),
    Defect(
        "no stream but a document",
        None,
        _no_stream,
        (_AGAIN, _ASSERTION, _ASSERTION, _NO_CHUNKS, _NO_CHUNKS),
    ),
    Defect(
        "a stream without events",
        _V.EMPTY_STREAM,
        _has(_V.EMPTY_STREAM),
        (_AGAIN, _ASSERTION, _ASSERTION, _NO_CHUNKS, _NO_CHUNKS),
    ),
    Defect(
        "tool input only in content_block_start",
        _V.NO_TOOL_DELTA,
        _has(_V.NO_TOOL_DELTA),
        (_NO_INPUT, _OK, _OK, _OK, _OK),
    ),
    Defect(
        "tool input that is no JSON object",
        _V.BAD_TOOL_JSON,
        _has(_V.BAD_TOOL_JSON),
        (_BAD_INPUT, _NO_INPUT, _NO_INPUT, _NO_INPUT, _NO_INPUT),
    ),
)
