"""The lab's models and their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metaio_verify.lab.shape import Problems
from metaio_verify.lab.types import Request

MAX_OUTPUT_TOKENS = 128_000
_DEFAULT_LIMIT = 20
_MAX_LIMIT = 1000
_YES = {"supported": True}
_NO = {"supported": False}
_CAPABILITIES = {
    "batch": _NO,
    "citations": _NO,
    "code_execution": _NO,
    "context_management": {
        "supported": True,
        "clear_thinking_20251015": _YES,
        "clear_tool_uses_20250919": _YES,
        "compact_20260112": _NO,
    },
    "effort": {
        "supported": True,
        "low": _YES,
        "medium": _YES,
        "high": _YES,
        "xhigh": _YES,
        "max": _YES,
    },
    "image_input": _YES,
    "pdf_input": _YES,
    "server_tools": {"supported": False, "code_execution": _NO, "web_search": _NO},
    "structured_outputs": _YES,
    "thinking": {
        "supported": True,
        "types": {"adaptive": _YES, "between_tools": _YES, "disabled": _YES, "enabled": _YES},
    },
}


@dataclass(frozen=True)
class Model:
    """One model of the lab."""

    id: str
    name: str
    created_at: str
    max_input_tokens: int = 1_000_000
    lifecycle: str = "active"
    deprecated_at: str | None = None
    retires_at: str | None = None

    def entry(self) -> dict[str, Any]:
        """Return the model as the Models API shows it."""
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.name,
            "created_at": self.created_at,
            "max_input_tokens": self.max_input_tokens,
            "max_tokens": MAX_OUTPUT_TOKENS,
            "capabilities": _CAPABILITIES,
            "lifecycle": self.lifecycle,
            "deprecated_at": self.deprecated_at,
            "retires_at": self.retires_at,
            "line": None,
        }


MODELS = (
    Model("claude-lab-3", "Claude Lab 3", "2026-10-01T00:00:00Z"),
    Model("claude-lab-2", "Claude Lab 2", "2026-04-01T00:00:00Z"),
    Model(
        "claude-lab-1",
        "Claude Lab 1",
        "2025-10-01T00:00:00Z",
        max_input_tokens=200_000,
        lifecycle="deprecated",
        deprecated_at="2026-10-01T00:00:00Z",
        retires_at="2027-10-01T00:00:00Z",
    ),
)
"""Newest first, as the API lists them."""


def page(models: tuple[Model, ...], request: Request, problems: Problems) -> dict[str, Any]:
    """Return one page of the list; what is wrong with the query goes to `problems`."""
    limit = _limit(request.query.get("limit"), problems)
    stages = request.query.get("lifecycle[]") or request.query.get("lifecycle")
    listed = [model for model in models if not stages or model.lifecycle in stages.split(",")]
    after, before = request.query.get("after_id"), request.query.get("before_id")
    places = {model.id: place for place, model in enumerate(listed)}
    for name, cursor in (("after_id", after), ("before_id", before)):
        if cursor and cursor not in places:
            problems.add(name, "unknown", f"no model has the id '{cursor}'")
    start, stop = places.get(after or "", -1) + 1, places.get(before or "", len(listed))
    if before:
        chosen, more = listed[max(start, stop - limit) : stop], stop - limit > start
    else:
        chosen, more = listed[start : start + limit], start + limit < len(listed)
    return {
        "data": [model.entry() for model in chosen],
        "has_more": more,
        "first_id": chosen[0].id if chosen else None,
        "last_id": chosen[-1].id if chosen else None,
    }


def _limit(given: str | None, problems: Problems) -> int:
    if given is None:
        return _DEFAULT_LIMIT
    try:
        limit = int(given)
    except ValueError:
        problems.add("limit", "type", "Input should be a valid integer")
        return _DEFAULT_LIMIT
    if limit < 1:
        problems.add("limit", "range", "Input should be greater than or equal to 1")
    elif limit > _MAX_LIMIT:
        problems.add("limit", "range", f"Input should be less than or equal to {_MAX_LIMIT}")
    return min(max(limit, 1), _MAX_LIMIT)
