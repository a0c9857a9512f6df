"""Rules about tool calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.rules.registry import Answers, NotSeenError, deviation, each, rule
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
