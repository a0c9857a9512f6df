"""The faults, by area. Importing this package completes `FAULTS`."""

from __future__ import annotations

from metaio_verify.lab.fault import FAULTS
from metaio_verify.lab.faults import (
    authentication,
    claude_code,
    connectivity,
    counting,
    errors,
    headers,
    messages,
    models,
    stream_blocks,
    streaming,
    tools,
)

__all__ = [
    "FAULTS",
    "authentication",
    "claude_code",
    "connectivity",
    "counting",
    "errors",
    "headers",
    "messages",
    "models",
    "stream_blocks",
    "streaming",
    "tools",
]
