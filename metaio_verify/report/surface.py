"""What a terminal report is written on: its width, and whether it shows colour and Unicode."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Self, TextIO

from msgspec import Struct

NARROWEST, WIDEST, COLUMNS_OF_A_PIPE = 40, 120, 80


class Surface(Struct, frozen=True):
    """The properties of an output that a text is laid out for."""

    width: int = COLUMNS_OF_A_PIPE
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the surface of an open stream.

        `NO_COLOR` wins over `FORCE_COLOR` (https://no-color.org), both over what the stream is;
        `COLUMNS` gives the width of a pipe. Lines never grow beyond what is easy to read.
        """
        return cls(
            width=max(NARROWEST, min(_columns(stream, environment), WIDEST)),
            colour=_shows_colour(stream, environment),
            unicode=_shows_unicode(stream),
        )


def is_live(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a display on this stream can be redrawn."""
    return stream.isatty() and environment.get("TERM") != "dumb" and _understands_escapes()


def _columns(stream: TextIO, environment: Mapping[str, str]) -> int:
    if (columns := environment.get("COLUMNS", "")).isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS_OF_A_PIPE
    except (OSError, ValueError):
        return COLUMNS_OF_A_PIPE


def _shows_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in ("", "0", "false"):
        return True
    return is_live(stream, environment)


def _understands_escapes() -> bool:
    """Whether the console acts on escape sequences; old Windows consoles print them."""
    if sys.platform != "win32":
        return True
    from rich.console import detect_legacy_windows  # noqa: PLC0415 -- slow, and only needed here

    return not detect_legacy_windows()


def _shows_unicode(stream: TextIO) -> bool:
    try:
        "✓─…·≥".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
