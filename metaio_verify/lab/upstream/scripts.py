"""What the upstream can play, in the words of the Anthropic API; each dialect translates it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

ANSWER: Final = "Received {token}. Grüße, 漢字 🙂, e\u0301, and  two spaces."
"""The text of the plain script; its code points must come back as they are."""


STOP: Final = "METAIO-STOP"


class Ending(StrEnum):
    """How a stream goes on after its third delta."""

    WHOLE = "whole"
    ERROR = "error"  # with an error event
    CUT = "cut"  # with a dropped connection
    EARLY = "early"  # with nothing: the answer is over, and does not say so


@dataclass(frozen=True)
class Failure:
    """An error of the upstream."""

    status: int
    type: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Script:
    """One answer."""

    content: tuple[JsonObject, ...] = ()
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    goes_on: str = ""
    """What follows for an upstream that was not told of the stop sequence."""
    stop_details: JsonObject | None = None
    failure: Failure | None = None
    """Instead of a message; with `ending`, what the error in the stream says."""
    ending: Ending = Ending.WHOLE
    pause: float = 0.0
    """Seconds before each delta of a stream."""
    pings: int = 0
    """So many pings stand before the fifth delta, each after a pause of its own."""
    grown: bool = False
    """Whether it holds events and fields that are newer than every gateway."""
    usage: JsonObject = field(
        default_factory=lambda: {
            "input_tokens": 211,
            "cache_creation_input_tokens": 37,
            "cache_read_input_tokens": 53,
            "output_tokens": 41,
        }
    )

    def unstopped(self) -> Script:
        """Return the script for an upstream that was not told where to stop."""
        if not self.goes_on:
            return self
        (block,) = self.content
        content = {**block, "text": block["text"] + self.goes_on}
        return replace(self, content=(content,), stop_reason="end_turn", stop_sequence=None)

    def message(self, token: str, model: Any) -> JsonObject:
        """Return the message that it stands for."""
        own = token.removeprefix("VERIFY-")
        return {
            "id": f"msg_01MetaioVerify{own}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [_filled(block, token) for block in self.content],
            "stop_reason": self.stop_reason,
            "stop_sequence": self.stop_sequence,
            "stop_details": _filled(self.stop_details, token),
            "usage": dict(self.usage),
        }


def _filled(value: Any, token: str) -> Any:
    match value:
        case str():
            return value.replace("{token}", token)
        case dict():
            return {key: _filled(item, token) for key, item in value.items()}
        case list():
            return [_filled(item, token) for item in value]
    return value


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


_THOUGHT: Final = {
    "type": "thinking",
    "thinking": "Both cities are asked for, so two calls are needed.",
    "signature": "c2lnbmF0dXJlIG9mIG1ldGFpby12ZXJpZnkg{token}",
}
_CALLS: Final = (
    {
        "type": "tool_use",
        "id": "toolu_01MetaioVerifyParis",
        "name": "get_weather",
        "input": {
            "city": "Paris",
            "note": '{token} é "quoted" \\ 🙂',
            "days": [1, 2.5, None, True],
        },
    },
    {
        "type": "tool_use",
        "id": "toolu_01MetaioVerifyOslo",
        "name": "get_weather",
        "input": {"city": "Oslo", "nested": {"deep": [{"er": {}}]}},
    },
)
_WORDS: Final = (
    "One after the other these words arrive {token} as they are written down by someone."
)
_OVERLOADED: Final = Failure(529, "overloaded_error", "Overloaded by metaio-verify {token}")

SCRIPTS: Final[dict[str, Script]] = {
    "text": Script((_text(ANSWER),)),
    "tools": Script((_text("I ask for both."), *_CALLS), "tool_use"),
    "thoughtful-tools": Script((_THOUGHT, _text("I ask for both."), *_CALLS), "tool_use"),
    "reasoning": Script((_THOUGHT, _text(ANSWER))),
    "max-tokens": Script((_text("This is cut {token}"),), "max_tokens"),
    "stop-sequence": Script(
        (_text("This stops {token} "),), "stop_sequence", STOP, f"{STOP} and goes on beyond it."
    ),
    "refusal": Script(
        (),
        "refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": "Refused {token}."},
    ),
    "no-text": Script(()),
    "grown": Script((_text(ANSWER),), grown=True),
    "slow": Script((_text(_WORDS),), pause=0.4, pings=3),
    "endless": Script((_text(" ".join(["endless {token}"] * 20)),), pause=0.25),
    "error-midway": Script((_text(_WORDS),), failure=_OVERLOADED, ending=Ending.ERROR),
    "cut-midway": Script((_text(_WORDS),), ending=Ending.CUT),
    "ends-early": Script((_text(_WORDS),), ending=Ending.EARLY),
    "error-400": Script(
        failure=Failure(
            400,
            "invalid_request_error",
            "prompt is too long: 218849 tokens > 200000 maximum ({token})",
        )
    ),
    "error-404": Script(failure=Failure(404, "not_found_error", "model: metaio-verify {token}")),
    "error-413": Script(
        failure=Failure(
            413, "request_too_large", "Request exceeds the maximum allowed number of bytes. {token}"
        )
    ),
    "error-429": Script(
        failure=Failure(
            429,
            "rate_limit_error",
            "This request would exceed the rate limit of {token}.",
            (("retry-after", "2"), ("x-should-retry", "true")),
        )
    ),
    "error-500": Script(failure=Failure(500, "api_error", "Internal server error {token}")),
    "error-529": Script(failure=_OVERLOADED),
}
