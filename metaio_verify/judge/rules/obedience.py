"""Rules that tell a lost instruction from an unwilling model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, NothingToJudgeError, deviation, rule
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target


@rule
def token_as_control(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A model that repeats its token for the first probe repeats it for the others, too.

    The first probe is the control: it asks in the plainest way. A model that does not obey even
    there says nothing about the others, and neither does an answer that was refused, that ended
    at `max_tokens` without the token, or that has no text at all: an empty answer is legal.
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


def _says_nothing(evidence: Evidence) -> bool:
    return evidence.text == "" or evidence.value("stop_reason") == "max_tokens"


def _end(evidence: Evidence) -> str:
    """Return what an answer without the token was instead."""
    if not evidence.succeeded:
        return f"was answered {evidence.outcome}"
    if evidence.value("stop_reason") == "max_tokens":
        return "used up max_tokens"
    return "was answered without text"


def _token(evidence: Evidence) -> str:
    return evidence.exchange.values.get("token", "a token")


def _repeats_token(evidence: Evidence) -> bool:
    return evidence.succeeded and _token(evidence) in (evidence.text or "")
