"""Reports: one module per format, each a pure function of the run record."""

from __future__ import annotations

from metaio_verify.report.formats import (
    FORMATS,
    Format,
    Output,
    deliver,
    emit,
    pages,
    parse_target,
    prepare,
    tell_places,
)

__all__ = [
    "FORMATS",
    "Format",
    "Output",
    "deliver",
    "emit",
    "pages",
    "parse_target",
    "prepare",
    "tell_places",
]
