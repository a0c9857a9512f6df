"""Signatures of thinking blocks: made by the lab, checked when a block comes back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import Enum, auto

_DIGEST = 32


class Seal(Enum):
    """What became of a thinking block between answer and replay."""

    GENUINE = auto()
    MODIFIED = auto()
    FORGED = auto()


def sign(text: str, key: str, *, shown: bool) -> str:
    """Return the signature of a thinking text; `shown` tells whether the client gets the text."""
    payload = bytes([shown]) + hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return base64.b64encode(payload + _mac(payload, key)).decode()


def verify(text: str, signature: str, key: str) -> Seal:
    """Return whether a block is as it was made; a text that was not shown comes back empty."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return Seal.FORGED
    payload, mac = raw[: 1 + _DIGEST], raw[1 + _DIGEST :]
    if not hmac.compare_digest(mac, _mac(payload, key)):
        return Seal.FORGED
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    hidden = payload[:1] == b"\0" and not text
    return Seal.GENUINE if hidden or payload[1:] == digest else Seal.MODIFIED


def _mac(payload: bytes, key: str) -> bytes:
    return hmac.digest(b"thinking " + key.encode(), payload, "sha256")
