"""What a run cost, by the endpoint's own account."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.record import Cost

_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def cost_of(evidence: Collection[Evidence]) -> Cost:
    """Add up the usage of every message; an endpoint that reports none costs 0 here."""
    spent = [_usage(one.document) for one in evidence]
    return Cost(
        requests=len(evidence),
        input_tokens=sum(_count(usage, name) for usage in spent for name in _INPUT),
        output_tokens=sum(_count(usage, "output_tokens") for usage in spent),
    )


def _usage(document: Any) -> dict[str, Any]:
    usage = document.get("usage") if isinstance(document, dict) else None
    return usage if isinstance(usage, dict) else {}


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else 0
