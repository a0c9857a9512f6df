"""The faults, by area. Importing this package completes `FAULTS`."""

from __future__ import annotations

from metaio_verify.lab.fault import FAULTS
from metaio_verify.lab.faults import (
    authentication,
    caching,
    claude_code,
    connectivity,
    content,
    counting,
    errors,
    headers,
    messages,
    mistakes,
    models,
    parameters,
    stream_blocks,
    stream_course,
    streaming,
    structured,
    thinking,
    tool_options,
    tools,
)

__all__ = [
    "FAULTS",
    "authentication",
    "caching",
    "claude_code",
    "connectivity",
    "content",
    "counting",
    "errors",
    "headers",
    "messages",
    "mistakes",
    "models",
    "parameters",
    "stream_blocks",
    "stream_course",
    "streaming",
    "structured",
    "thinking",
    "tool_options",
    "tools",
]
