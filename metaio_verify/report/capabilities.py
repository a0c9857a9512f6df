"""What each model can do, as its answers proved; a model's name decides nothing."""

from __future__ import annotations

from msgspec import Struct

from metaio_verify.record import RunRecord
from metaio_verify.report.text import safe

_ORDER = (
    *("full-claude-code-request", "role-system", "effort"),
    *("adaptive-thinking", "enabled-thinking", "disabled-thinking"),
    *("forced-tool-choice", "parallel-tools", "server-tools"),
    *("structured-output", "sampling-parameters", "prompt-caching"),
    *("vision", "documents", "count-tokens", "model-list"),
)
"""The order of the table; what is not in it comes last."""
_NAMES = {
    "full-claude-code-request": "Claude Code's full request",
    "role-system": "system messages in the conversation",
    "effort": "effort levels",
    "enabled-thinking": "thinking with a budget",
    "disabled-thinking": "thinking switched off",
    "documents": "PDF documents",
    "vision": "images",
    "model-list": "model discovery",
    "count-tokens": "token counts",
}


class Row(Struct, frozen=True):
    """One capability."""

    name: str
    """As a person calls it."""
    models: dict[str, bool | None]
    """Model → whether it has it; none when that was not learnt."""


def rows(record: RunRecord) -> list[Row]:
    """Return the table: each capability that was learnt of any model."""
    shared = record.capabilities.get("", {})
    models = record.target.models
    known = {model: {**shared, **record.capabilities.get(model, {})} for model in models}
    learnt = list(dict.fromkeys(name for found in known.values() for name in found))
    learnt.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return [
        Row(called(name), {model: known[model].get(name) for model in models}) for name in learnt
    ]


def called(capability: str) -> str:
    """Return a capability as a person calls it."""
    return _NAMES.get(capability, safe(capability).replace("-", " "))
