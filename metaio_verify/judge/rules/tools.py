"""Rules about tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NotSeenError,
    UnsureError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_PREFIX = "srvtoolu_"


@rule
def server_call_ids(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The id of each call that the endpoint ran itself begins with `srvtoolu_`."""
    calls = [
        (evidence, position, block.get("id"))
        for evidence in each(answers)
        for position, block in enumerate(evidence.blocks)
        if block.get("type") == "server_tool_use"
    ]
    if not calls:
        raise NotSeenError("the endpoint ran no tool itself")
    return [
        deviation(evidence, f"{_PREFIX}…", shown(id_), f"$.content[{position}].id")
        for evidence, position, id_ in calls
        if not str(id_).startswith(_PREFIX)
    ]


@rule(required=("tool",))
def not_for_client(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer asks the client to run `tool`, which the endpoint was to run itself."""
    return [
        deviation(evidence, f"no call of {args['tool']} for the client", shown(block), "$.content")
        for evidence in each(answers)
        for block in evidence.blocks
        if block.get("type") == "tool_use" and block.get("name") == args["tool"]
    ]


@rule
def arguments_streamed(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The calls in the first probe's stream have objects as their arguments, and not empty ones.

    A model may call without any. So they were only lost where a plain call of the run has some and
    no streamed one does.
    """
    first, *rest = answers.values()
    judged = first[0]
    if not judged.succeeded:
        return [deviation(judged, "2xx", judged.outcome, "status")]
    if wrong := [one for one in _inputs(judged) if not isinstance(one, dict)]:
        return [deviation(judged, "an object", shown(wrong[0]), "input of the call")]
    if all(_inputs(judged)):
        return []
    others = [evidence for copies in rest for evidence in copies]
    if any(_some_have_arguments(one) for one in [judged, *others] if one.is_sse):
        raise UnsureError("the model gave no arguments here; those of other streamed calls came")
    if not any(_some_have_arguments(one) for one in others):
        raise UnsureError(
            "the model calls its tools without arguments, streamed or not; verify with a model "
            "that gives them (--model)"
        )
    return [deviation(judged, "arguments, as a plain call has them", "{}", "input of the call")]


def _inputs(evidence: Evidence) -> list[Any]:
    return [block.get("input") for block in evidence.blocks if block.get("type") == "tool_use"]


def _some_have_arguments(evidence: Evidence) -> bool:
    return any(_inputs(evidence))
