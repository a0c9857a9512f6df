"""A headless Chromium: what a page looks like and what it becomes when its script has run."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from pathlib import Path

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--hide-scrollbars", "--force-color-profile=srgb", "--disable-dev-shm-usage"),
)
_DARK, _LIGHT = 0, 1


def screenshot(page: Path, *, dark: bool, width: int = 500, height: int = 240) -> Path:
    """Return the picture of the top of a page."""
    picture = page.with_suffix(".dark.png" if dark else ".light.png")
    scheme = _DARK if dark else _LIGHT
    _run(
        page,
        f"--blink-settings=preferredColorScheme={scheme}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
    )
    return picture


def document(page: Path, fragment: str = "") -> str:
    """Return the document after its script has run."""
    return _run(page, "--dump-dom", fragment=fragment)


def _run(page: Path, *flags: str, fragment: str = "") -> str:
    assert CHROMIUM is not None
    profile = page.parent / f"profile-{page.stem}-{abs(hash(flags))}"
    done = subprocess.run(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri() + fragment],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    return done.stdout


def pixels(picture: Path) -> list[list[tuple[int, int, int]]]:
    """Return the rows of a PNG of eight bits a channel, as red, green and blue."""
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed, width, channels = 8, b"", 0, 3
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, chunk = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, channels = int.from_bytes(chunk[:4], "big"), {2: 3, 6: 4}[chunk[9]]
        elif kind == b"IDAT":
            packed += chunk
        at += length + 12
    raw, stride = zlib.decompress(packed), width * channels
    before, rows = bytearray(stride), []
    for start in range(0, len(raw), stride + 1):
        before = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], before, channels)
        pixel = struct.Struct(f"3B{channels - 3}x")
        rows.append([(r, g, b) for r, g, b in pixel.iter_unpack(bytes(before))])
    return rows


def _unfiltered(kind: int, line: bytes, above: bytearray, channels: int) -> bytearray:
    """Undo a line's filter, as the PNG standard defines it."""
    out = bytearray(line)
    for x, value in enumerate(line):
        left = out[x - channels] if x >= channels else 0
        up = above[x]
        corner = above[x - channels] if x >= channels else 0
        guess = {0: 0, 1: left, 2: up, 3: (left + up) // 2, 4: _paeth(left, up, corner)}[kind]
        out[x] = (value + guess) % 256
    return out


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    return min((left, up, corner), key=lambda value: abs(near - value))
