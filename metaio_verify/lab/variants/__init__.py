"""The variants, by what they concern. Importing this package completes `VARIANTS`."""

from __future__ import annotations

from metaio_verify.lab.variant import VARIANTS
from metaio_verify.lab.variants import (
    leniency,
    messages,
    models,
    moods,
    refusals,
    streams,
    transport,
)

__all__ = [
    "VARIANTS",
    "leniency",
    "messages",
    "models",
    "moods",
    "refusals",
    "streams",
    "transport",
]
