"""The faults of gateways, by what they are about. Importing this package completes the registry."""

from __future__ import annotations

from metaio_verify.lab.gateway.fault import GATEWAY_FAULTS
from metaio_verify.lab.gateway.faults import (
    answers,
    blocks,
    headers,
    prompts,
    streams,
    translated,
    translation,
)

__all__ = [
    "GATEWAY_FAULTS",
    "answers",
    "blocks",
    "headers",
    "prompts",
    "streams",
    "translated",
    "translation",
]
