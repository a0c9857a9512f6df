"""Rules that tell a lost instruction from an unwilling model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, UnsureError, deviation, rule
from metaio_verify.judge.usage import input_tokens
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target


@rule(optional=("arrival", "tokens-suffice", "accepted", "excused", "control"))
def token_as_control(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A model that repeats its token for the first probe repeats it for the others, too.

    The first probe is the control: it asks in the plainest way, or in another form of the same
    (`control` says which). A model that does not obey even there says nothing about the others, and
    neither does an answer that was refused, that ended at `max_tokens` or with another tool call,
    or that has no text at all: an empty answer is legal.

    With `arrival`, a number of input tokens for each probe, silence alone accuses nobody: whoever
    obeys the plain sentence may still fail the other one. Then what was asked has to be missing
    from the input tokens as well, which have to exceed those of the control by that number.

    With `tokens-suffice`, a model that repeats nothing is not needed: that is for requirements of
    which acceptance is the most part. Tokens that are missing accuse nobody then.

    With `accepted` every refusal is a deviation, with `excused`, a pattern, one whose body it does
    not match.
    """
    control, *others = (copies[0] for copies in answers.values())
    arrival: Mapping[str, int] | None = args.get("arrival")
    silent = [one for one in others if not _repeats_token(one)]
    refused = [one for one in others if not one.succeeded and _accuses(one, args)]
    found = [deviation(one, "2xx", one.outcome, "status") for one in refused]
    if not silent:
        return []
    if not _repeats_token(control):
        if found or (args.get("tokens-suffice") and _all_arrived(silent, control, arrival or {})):
            return found
        raise UnsureError(_unable(control, args))
    spoken = [one for one in silent if one.succeeded and not _says_nothing(one)]
    if arrival is None:
        lost = [(one, shown(one.text)) for one in spoken]
    else:
        asked = [(one, arrival.get(one.exchange.probe, 0)) for one in spoken]
        lost = [
            (one, f"{shown(one.text)}, and only {_counts(one, control)}")
            for one, least in asked
            if _is_missing(one, control, least)
        ]
    found += [
        deviation(one, f"{_token(one)}, as the model repeats it elsewhere", actual, "text")
        for one, actual in lost
    ]
    if not found:
        raise UnsureError(f"`{silent[0].exchange.probe}` {_end(silent[0], control)}")
    return found


def _unable(control: Evidence, args: Mapping[str, Any]) -> str:
    """Say why nothing can be told, and what the user can do about it."""
    how = args.get("control", "when it is asked plainly")
    if not control.succeeded:
        probe = control.exchange.probe
        return f"`{probe}`, which the others are held against, was answered {control.outcome}"
    return (
        f"the model does not repeat a token even {how}: {shown(control.text)}; "
        "verify with a model that follows instructions (--model)"
    )


def _all_arrived(silent: Sequence[Evidence], control: Evidence, arrival: Mapping[str, int]) -> bool:
    """Whether the input tokens show that all of this reached a model that says nothing of it."""
    known = input_tokens(control) if control.succeeded else 0
    return known > 0 and all(
        one.succeeded
        and (least := arrival.get(one.exchange.probe, 0)) > 0
        and input_tokens(one) >= known + least
        for one in silent
    )


def _accuses(evidence: Evidence, args: Mapping[str, Any]) -> bool:
    """Whether a refusal is about what the check is about."""
    if args.get("accepted"):
        return True
    excused = args.get("excused")
    return excused is not None and re.search(excused, evidence.body_text) is None


def _is_missing(evidence: Evidence, control: Evidence, least: int) -> bool:
    """Whether the input tokens show that what was asked did not reach the model."""
    known, counted = input_tokens(control), input_tokens(evidence)
    return bool(known and counted) and counted < known + least


def _counts(evidence: Evidence, control: Evidence) -> str:
    return (
        f"{input_tokens(evidence)} input tokens, where `{control.exchange.probe}` has "
        f"{input_tokens(control)}"
    )


_ENDS = {
    "max_tokens": "used up max_tokens",
    "refusal": "was refused by the model",
    "tool_use": "was answered with a tool call",
}
"""Stop reasons with which an answer is no answer to what was asked."""


def _says_nothing(evidence: Evidence) -> bool:
    return evidence.text == "" or str(evidence.value("stop_reason")) in _ENDS


def _end(evidence: Evidence, control: Evidence) -> str:
    """Return what an answer without the token was instead."""
    if not evidence.succeeded:
        return f"was answered {evidence.outcome}"
    if end := _ENDS.get(str(evidence.value("stop_reason"))):
        return end
    if evidence.text == "":
        return "was answered without text"
    said = f"was answered {shown(evidence.text)}"
    if not (input_tokens(control) and input_tokens(evidence)):
        return f"{said}, and there are no input tokens that tell whether it arrived"
    return f"{said}, though its input tokens ({_counts(evidence, control)}) show that it arrived"


def _token(evidence: Evidence) -> str:
    return evidence.exchange.values.get("token", "a token")


def _repeats_token(evidence: Evidence) -> bool:
    return evidence.succeeded and _token(evidence) in (evidence.text or "")
