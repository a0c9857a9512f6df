"""Rules that tell a lost instruction from an unwilling model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    UnsureError,
    deviation,
    rule,
)
from metaio_verify.judge.values import fill
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target


@rule
def token_as_control(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A model that repeats its token for the first probe repeats it for the others, too.

    The first probe is the control: it asks in the plainest way. A model that does not obey even
    there says nothing about the others, and neither does an answer that was refused, that ended
    at `max_tokens` or with another tool call, or that has no text at all: an empty answer is legal.
    """
    control, *others = (copies[0] for copies in answers.values())
    if not _repeats_token(control):
        raise NothingToJudgeError(
            "the model does not repeat a token even when it is asked plainly: "
            f"{shown(control.text) if control.succeeded else control.outcome}"
        )
    silent = [one for one in others if not _repeats_token(one)]
    lost = [one for one in silent if one.succeeded and not _says_nothing(one)]
    if silent and not lost:
        raise NothingToJudgeError(f"`{silent[0].exchange.probe}` {_end(silent[0])}")
    return [
        deviation(one, f"{_token(one)}, as the model repeats it elsewhere", shown(one.text), "text")
        for one in lost
    ]


@rule(probes=2, required=("pattern",))
def text_as_control(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Where the text of the first probe fits `pattern`, the text of the second one fits it, too.

    A model that does not write it in a plain answer says nothing about a stream, and neither does
    a stream that was cut, or that has no text at all.
    """
    (control, *_), (judged, *_) = answers.values()
    if not judged.succeeded:
        raise NothingToJudgeError(f"`{judged.exchange.probe}` was answered {judged.outcome}")
    if _fits(judged, args):
        return []
    if not _fits(control, args):
        raise UnsureError(f"the plain answer is not exact either: {shown(control.text)}")
    if judged.value("stop_reason") in _ENDS:
        raise UnsureError(f"`{judged.exchange.probe}` {_end(judged)}")
    expected = f"the text as it is in the plain answer, each character once: {shown(control.text)}"
    return [deviation(judged, expected, shown(judged.text), "text")]


def _fits(evidence: Evidence, args: Mapping[str, Any]) -> bool:
    pattern = fill({"pattern": args["pattern"]}, evidence.exchange.values)["pattern"]
    return evidence.succeeded and re.search(pattern, evidence.text or "") is not None


_ENDS = {
    "max_tokens": "used up max_tokens",
    "refusal": "was refused by the model",
    "tool_use": "was answered with a tool call",
}
"""Stop reasons with which an answer is no answer to what was asked."""


def _says_nothing(evidence: Evidence) -> bool:
    return evidence.text == "" or evidence.value("stop_reason") in _ENDS


def _end(evidence: Evidence) -> str:
    """Return what an answer without the token was instead."""
    if not evidence.succeeded:
        return f"was answered {evidence.outcome}"
    return _ENDS.get(str(evidence.value("stop_reason")), "was answered without text")


def _token(evidence: Evidence) -> str:
    return evidence.exchange.values.get("token", "a token")


def _repeats_token(evidence: Evidence) -> bool:
    return evidence.succeeded and _token(evidence) in (evidence.text or "")
