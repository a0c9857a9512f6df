"""The model's eyes: the colour of the first pixel of a PNG image."""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import Any

_NAMES = {
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "orange": (255, 165, 0),
    "purple": (128, 0, 128),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
}
_BITS = 8
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6


def colour_of(block: dict[str, Any]) -> str | None:
    """Return the name of an image block's colour; None when it is not an eight-bit PNG."""
    source = block.get("source")
    data = source.get("data") if isinstance(source, dict) else None
    if not isinstance(data, str):
        return None
    try:
        pixel = _first_pixel(base64.b64decode(data))
    except (binascii.Error, struct.error, zlib.error, IndexError):
        return None
    if pixel is None:
        return None
    return min(_NAMES, key=lambda name: _distance(_NAMES[name], pixel))


def _first_pixel(image: bytes) -> tuple[int, int, int] | None:
    """Return red, green and blue; filters leave the first pixel of the first row as it is."""
    if not image.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    palette = packed = b""
    place = 8
    while place < len(image):
        (length,) = struct.unpack_from(">I", image, place)
        kind, data = image[place + 4 : place + 8], image[place + 8 : place + 8 + length]
        palette = data if kind == b"PLTE" else palette
        packed += data if kind == b"IDAT" else b""
        place += 12 + length
    depth, colour_type = image[24], image[25]
    row = zlib.decompressobj().decompress(packed, 8)[1:]
    if depth != _BITS:
        return None
    if colour_type == _PALETTE:
        row, colour_type = palette[3 * row[0] :], _RGB
    if colour_type in (_GREY, _GREY_ALPHA):
        return row[0], row[0], row[0]
    return (row[0], row[1], row[2]) if colour_type in (_RGB, _RGBA) else None


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
