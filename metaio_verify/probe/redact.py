"""Taking the credential out of everything, before it enters the run record."""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus

from metaio_verify.record import REDACTED

_SHORTEST_DISTINCT_KEY = 8
"""Shorter keys (`none`, `test`) occur in ordinary text and are only taken out as whole words."""

Chunks = Sequence[tuple[float, int]]


class Redactor:
    """Replaces a secret, in every form it may take, by `[redacted]`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        patterns = [pattern for secret in secrets for pattern in _patterns(secret)]
        self._pattern = re.compile(b"|".join(patterns) or rb"(?!)")
        self._marker = REDACTED.encode()

    def text(self, value: str) -> str:
        """The text without the secret."""
        raw = value.encode("utf-8", "surrogateescape")
        return self._pattern.sub(self._marker, raw).decode("utf-8", "surrogateescape")

    def found_in(self, value: str) -> bool:
        """Whether the text holds the secret."""
        return self._pattern.search(value.encode("utf-8", "surrogateescape")) is not None

    def body(self, body: bytes, chunks: Chunks) -> tuple[bytes, list[tuple[float, int]], bool]:
        """A body without the secret, its arrival times adapted, and whether the secret was there.

        A secret that was split over two chunks counts to the chunk that completed it.
        """
        spans = [match.span() for match in self._pattern.finditer(body)]
        if not spans:
            return body, list(chunks), False
        clean = self._pattern.sub(self._marker, body)
        ends = [end for _, end in spans]
        growth = [0]
        for start, end in spans:
            growth.append(growth[-1] + len(self._marker) - (end - start))
        adapted, offset, written = [], 0, 0
        for at, length in chunks:
            offset += length
            passed = bisect_left(ends, offset + 1)
            cut = spans[passed][0] if passed < len(spans) else offset
            position = min(offset, cut) + growth[passed]
            adapted.append((at, position - written))
            written = position
        return clean, adapted, True


def _patterns(secret: str) -> list[bytes]:
    """Regular expressions for the forms in which a server may repeat a secret."""
    plain = secret.encode()
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    found = [re.escape(form.encode()) for form in sorted(forms, key=len, reverse=True)]
    if len(secret) < _SHORTEST_DISTINCT_KEY:
        return [rb"(?<![\w-])" + form + rb"(?![\w-])" for form in found]
    return found + _base64_patterns(plain)


def _base64_patterns(plain: bytes) -> list[bytes]:
    """The part of a base64 text that only the secret decides, at each of the three alignments."""
    patterns = []
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + plain)
        first = -(-lead * 8 // 6)
        last = (lead + len(plain)) * 8 // 6
        core = encoded[first:last]
        patterns += [re.escape(core), re.escape(core.translate(bytes.maketrans(b"+/", b"-_")))]
    return list(dict.fromkeys(patterns))
