"""What can be changed about the lab: one small function that acts at one stage of a request.

There are two registries of changes: faults break the contract, variants stay inside it. A change is
declared with the decorator of its stage:

    @fault.answer
    def no_request_id(answer: Answer, _request: Request) -> Answer:
        \"\"\"Answers carry no `request-id` header.\"\"\"
        return answer.with_header("request-id", None)

Its id is the function's name with dashes; the docstring's first line is its description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from metaio_verify.errors import Problem, UserError
from metaio_verify.lab.types import Answer, ApiError, Event, Piece, Request

OnRequest: TypeAlias = Callable[[Request], Request | Answer | ApiError]
OnRefusal: TypeAlias = Callable[[ApiError, Request], ApiError | Answer | None]
OnBody: TypeAlias = Callable[[dict[str, Any], Request], dict[str, Any] | ApiError]
OnMessage: TypeAlias = Callable[[dict[str, Any], Request], dict[str, Any]]
OnEvents: TypeAlias = Callable[[list[Event], Request], list[Event]]
OnWire: TypeAlias = Callable[[list[Piece], Request], list[Piece]]
OnAnswer: TypeAlias = Callable[[Answer, Request], Answer]
OnAddress: TypeAlias = Callable[[str], str]


class Stage(StrEnum):
    """Where in the life of a request a change acts."""

    REQUEST = "request"  # before anything is looked at
    REFUSAL = "refusal"  # about to refuse; None lets the request through
    BODY = "body"  # a valid body, before the model answers or its tokens are counted
    MESSAGE = "message"  # the finished message, before it is rendered plain or as a stream
    EVENTS = "events"  # the events of a stream
    WIRE = "wire"  # the bytes of a stream, as they are written
    ANSWER = "answer"  # status, header lines and body of every finished answer
    ADDRESS = "address"  # the base URL that the lab gives out
    # Of gateways (`lab.gateway`):
    FORWARD = "forward"  # a request on its way to the upstream
    SEND = "send"  # the moment in which it is sent
    RETURN = "return"  # an answer on its way back
    RELAY = "relay"  # the pieces of a stream on their way back


@dataclass(frozen=True)
class Change:
    """One thing that is different."""

    id: str
    stage: Stage
    doc: str
    function: Callable[..., Any]


_Function = TypeVar("_Function", bound=Callable[..., Any])


class Registry(dict[str, Change]):
    """Changes of one kind by id, and the decorators that declare them."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def chosen(self, ids: Iterable[str]) -> list[Change]:
        """Return the changes of these ids; raises `UserError` that names every unknown one."""
        wanted = list(ids)
        problems = []
        for identifier in (identifier for identifier in wanted if identifier not in self):
            near = get_close_matches(identifier, self, n=1)
            hint = f"did you mean {near[0]}?" if near else f"--{self.kind} list prints all of them"
            problems.append(Problem(f"there is no {self.kind} {identifier}", hint=hint))
        if problems:
            raise UserError(*problems)
        return [self[identifier] for identifier in wanted]

    def request(self, function: OnRequest) -> OnRequest:
        """Declare one that sees each request first: changes it, or answers it at once."""
        return self._declared(Stage.REQUEST, function)

    def refusal(self, function: OnRefusal) -> OnRefusal:
        """Declare one that sees each refusal: changes, replaces, or (None) lets it pass."""
        return self._declared(Stage.REFUSAL, function)

    def body(self, function: OnBody) -> OnBody:
        """Declare one that changes or refuses a valid body of messages or count_tokens."""
        return self._declared(Stage.BODY, function)

    def message(self, function: OnMessage) -> OnMessage:
        """Declare one that changes a finished message, plain and streamed."""
        return self._declared(Stage.MESSAGE, function)

    def events(self, function: OnEvents) -> OnEvents:
        """Declare one that changes the events of a stream."""
        return self._declared(Stage.EVENTS, function)

    def wire(self, function: OnWire) -> OnWire:
        """Declare one that changes the bytes, pauses and the end of a stream."""
        return self._declared(Stage.WIRE, function)

    def answer(self, function: OnAnswer) -> OnAnswer:
        """Declare one that changes any finished answer; of a stream its head and its pieces."""
        return self._declared(Stage.ANSWER, function)

    def address(self, function: OnAddress) -> OnAddress:
        """Declare one that changes the base URL that users of the lab are told."""
        return self._declared(Stage.ADDRESS, function)

    def _declared(self, stage: Stage, function: _Function) -> _Function:
        identifier = getattr(function, "__name__", "").replace("_", "-")
        doc = (function.__doc__ or "").strip().partition("\n")[0]
        if not doc or identifier in self:
            raise ValueError(
                f"the {self.kind} {identifier} needs a docstring and a name of its own"
            )
        self[identifier] = Change(identifier, stage, doc, function)
        return function


def by_stage(changes: Sequence[Change]) -> dict[Stage, list[Callable[..., Any]]]:
    """Return the functions of the changes in their order, for each stage."""
    return {stage: [one.function for one in changes if one.stage is stage] for stage in Stage}
