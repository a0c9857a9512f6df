"""What the usage of an answer says about its input."""

from __future__ import annotations

from typing import Final

from metaio_verify.judge.evidence import Evidence

READ: Final = "cache_read_input_tokens"
WRITTEN: Final = "cache_creation_input_tokens"
UNCACHED: Final = "input_tokens"


def tokens(evidence: Evidence, name: str, *path: str) -> int:
    """Return one count of `usage`; 0 when there is none."""
    value = evidence.value("usage", name, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def input_tokens(evidence: Evidence) -> int:
    """Return all input tokens of an answer: uncached, written to the cache and read from it."""
    return sum(tokens(evidence, name) for name in (UNCACHED, WRITTEN, READ))
