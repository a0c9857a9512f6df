"""Deliberate defects: each fault is one small function that changes one thing on the wire.

A fault is declared with the decorator of the stage that it acts in, in a module of `faults/`:

    @fault.answer
    def no_request_id(answer: Answer, _request: Request) -> Answer:
        \"\"\"Answers carry no `request-id` header.\"\"\"
        return answer.with_header("request-id", None)

Its id is the function's name with dashes; the docstring's first line is its description.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from metaio_verify.lab.types import Answer, ApiError, Event, Piece, Request

RequestFault: TypeAlias = Callable[[Request], Request | Answer | ApiError]
RefusalFault: TypeAlias = Callable[[ApiError, Request], ApiError | Answer | None]
BodyFault: TypeAlias = Callable[[dict[str, Any], Request], dict[str, Any]]
MessageFault: TypeAlias = Callable[[dict[str, Any], Request], dict[str, Any]]
EventsFault: TypeAlias = Callable[[list[Event], Request], list[Event]]
WireFault: TypeAlias = Callable[[list[Piece], Request], list[Piece]]
AnswerFault: TypeAlias = Callable[[Answer, Request], Answer]
AddressFault: TypeAlias = Callable[[str], str]


class Stage(StrEnum):
    """Where in the life of a request a fault acts."""

    REQUEST = "request"  # before anything is looked at
    REFUSAL = "refusal"  # about to refuse; None lets the request through
    BODY = "body"  # a valid body, before the model answers or its tokens are counted
    MESSAGE = "message"  # the finished message, before it is rendered plain or as a stream
    EVENTS = "events"  # the events of a stream
    WIRE = "wire"  # the bytes of a stream, as they are written
    ANSWER = "answer"  # status, header lines and body of every finished answer
    ADDRESS = "address"  # the base URL that the lab gives out


@dataclass(frozen=True)
class Fault:
    """One deliberate defect."""

    id: str
    stage: Stage
    doc: str
    function: Callable[..., Any]


FAULTS: dict[str, Fault] = {}
"""Id → fault. Complete once `metaio_verify.lab.faults` is imported; take it from there."""

_AnyFault = TypeVar("_AnyFault", bound=Callable[..., Any])


def _register(stage: Stage, function: _AnyFault) -> _AnyFault:
    name = getattr(function, "__name__", "")
    doc = (function.__doc__ or "").strip().partition("\n")[0]
    identifier = name.replace("_", "-")
    if not doc or identifier in FAULTS:
        raise ValueError(f"the fault {identifier} needs a docstring and a name of its own")
    FAULTS[identifier] = Fault(identifier, stage, doc, function)
    return function


def request(function: RequestFault) -> RequestFault:
    """Declare a fault that sees each request first: changes it, or answers it at once."""
    return _register(Stage.REQUEST, function)


def refusal(function: RefusalFault) -> RefusalFault:
    """Declare a fault that sees each refusal: changes it, replaces it, or (None) lets it pass."""
    return _register(Stage.REFUSAL, function)


def body(function: BodyFault) -> BodyFault:
    """Declare a fault that changes a valid body of messages or count_tokens."""
    return _register(Stage.BODY, function)


def message(function: MessageFault) -> MessageFault:
    """Declare a fault that changes a finished message, plain and streamed."""
    return _register(Stage.MESSAGE, function)


def events(function: EventsFault) -> EventsFault:
    """Declare a fault that changes the events of a stream."""
    return _register(Stage.EVENTS, function)


def wire(function: WireFault) -> WireFault:
    """Declare a fault that changes the bytes, pauses and the end of a stream."""
    return _register(Stage.WIRE, function)


def answer(function: AnswerFault) -> AnswerFault:
    """Declare a fault that changes any finished answer; of a stream its head and its pieces."""
    return _register(Stage.ANSWER, function)


def address(function: AddressFault) -> AddressFault:
    """Declare a fault that changes the base URL that users of the lab are told."""
    return _register(Stage.ADDRESS, function)
