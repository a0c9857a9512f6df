"""Rules about images, documents and long texts: whether they reach the model at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    NotSeenError,
    deviation,
    rule,
)
from metaio_verify.judge.usage import input_tokens
from metaio_verify.judge.values import fill
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target


@rule(probes=2, required=("shows", "more"))
def reached_model(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """What the second probe holds shows in its answer, or at least in its input tokens.

    The first probe is the control, a request without it. `shows` is a pattern that the text of an
    answer has when the model saw what it was given; `more` is how many input tokens that costs at
    the very least. An answer that does not show it accuses nobody, as the model may be unwilling:
    only when the tokens are missing, too, it was left out on the way.
    """
    (control, *_), (judged, *_) = answers.values()
    if not judged.succeeded:
        raise NotSeenError(f"`{judged.exchange.probe}` was answered {judged.outcome}")
    wanted = fill({"pattern": args["shows"]}, judged.exchange.values)["pattern"]
    if re.search(wanted, judged.text or ""):
        return []
    least, counted = input_tokens(control), input_tokens(judged)
    silent = f"the answer does not show it: {shown(judged.text)}"
    if not least or not counted:
        raise NothingToJudgeError(f"{silent}, and there are no input tokens to compare")
    if counted >= least + args["more"]:
        return []
    expected = f"at least {args['more']} more than the {least} of `{control.exchange.probe}`"
    return [
        deviation(judged, expected, f"{counted}, and {silent}", "input tokens of $.usage"),
    ]
