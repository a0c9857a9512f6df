"""Taking the credential out of everything, before it enters the run record.

A key is taken out wherever it occurs, in whatever way it is written. The exception are keys that
are too short to be told from ordinary text: local servers take `x`, `none` or `sk-1`. Replacing
those everywhere would destroy the evidence and hide nothing, so they are taken out where they
stand as a credential: in a header that carries one, behind `Bearer`, and behind the name of a
field, a variable or a parameter for keys.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote_plus

import msgspec

from metaio_verify.record import REDACTED, RunRecord

_SHORTEST_DISTINCT_KEY = 8
"""Shorter keys occur in ordinary text and are only taken out where they stand as a credential."""
_LABEL = (
    rb"(?:\b(?:bearer|basic)\s+"
    rb"|(?:\bkey|api[ _-]?key|token|secret|password|credential|authorization)\\?[\"'`]?"
    rb"\s*[:=]?\s*\\?[\"'`]?(?:bearer\s+)?)"
)
"""What stands before a credential."""
_CARRIERS = re.compile(r"api-?key|authorization|credential|token|secret", re.IGNORECASE)
"""Names of headers that carry one."""
_SHORTEST_SPLIT_KEY = 24
"""Of keys from this length on, parts are taken out too: an answer may be cut, or tear the key."""
_PART = 16
"""So many characters of a key give too much of it away; its usual beginnings are shorter."""
_BLOCK = _PART // 2
_MARKER = REDACTED.encode()
_ESCAPES = re.compile(rb"[\\%&]")

S = TypeVar("S", str, bytes)
Chunks = Sequence[tuple[float, int]]


class Edit(NamedTuple):
    """Bytes to put in place of others."""

    start: int
    end: int
    new: bytes


class Redactor:
    """Replaces secrets, in every form they may take, by `[redacted]`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        given = [secret for secret in secrets if secret]
        known = [secret for secret in given if len(secret) >= _SHORTEST_DISTINCT_KEY]
        self._short = frozenset(given).difference(known)
        self._labelled = re.compile(_either(sorted(self._short), _labelled_patterns), re.IGNORECASE)
        self._plain = re.compile(_either(known, _plain_patterns), re.IGNORECASE)
        self._encoded = re.compile(_either(known, _encoded_patterns))
        self._escaped = re.compile(_either(known, _escaped_patterns), re.IGNORECASE)
        self._parted = [s.encode() for s in known if len(s) >= _SHORTEST_SPLIT_KEY]
        self._blocks = re.compile(_either(self._parted, _blocks))

    def text(self, value: str) -> str:
        """The text without the secret."""
        return self._bytes(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def header(self, name: str, value: str) -> str:
        """The value of a header without the secret; a short one may be the whole value."""
        if value.strip() in self._short and _CARRIERS.search(name):
            return REDACTED
        return self.text(value)

    def _bytes(self, value: bytes) -> bytes:
        return splice(value, [Edit(start, end, _MARKER) for start, end in self.spans(value)])

    def found_in(self, value: str) -> bool:
        """Whether the text holds the secret."""
        return bool(self.spans(value.encode("utf-8", "surrogatepass")))

    def body(self, body: bytes, chunks: Chunks) -> tuple[bytes, list[tuple[float, int]], bool]:
        """A body without the secret, its arrival times adapted, and whether the secret was there.

        A secret that was split over two chunks counts to the chunk that completed it.
        """
        edits = [Edit(start, end, _MARKER) for start, end in self.spans(body)]
        return splice(body, edits), resized(chunks, edits), bool(edits)

    def spans(self, text: bytes) -> list[tuple[int, int]]:
        """Where the secret stands, in order; overlapping places are one."""
        found = [match.span() for match in self._plain.finditer(text)]
        found += [match.span() for match in self._encoded.finditer(text)]
        if _ESCAPES.search(text):
            found += [match.span() for match in self._escaped.finditer(text)]
        found += self._parts(text)
        if self._short:
            # The key stands in the one group that took part.
            found += [match.span(match.lastindex or 0) for match in self._labelled.finditer(text)]
        return _merged(found)

    def _parts(self, text: bytes) -> list[tuple[int, int]]:
        """Places that hold a long part of a secret: each holds one whole block of it."""
        found: list[tuple[int, int]] = []
        end = 0
        for match in self._blocks.finditer(text):
            if match.start() < end:
                continue
            for secret in self._parted:
                at = secret.find(match[0])
                if at < 0:
                    continue
                before = _common(reversed(text[: match.start()][-at:]), reversed(secret[:at]), at)
                rest = secret[at + _BLOCK :]
                after = _common(text[match.end() :][: len(rest)], rest, len(rest))
                if before + _BLOCK + after >= _PART:
                    end = match.end() + after
                    found.append((match.start() - before, end))
                    break
        return found


def without_secrets(record: RunRecord, redactor: Redactor) -> RunRecord:
    """The record with a last look at what was put together from answers and from user input.

    Exchanges are clean when they are made.
    """
    frame = msgspec.structs.replace(record, exchanges=[])
    if not redactor.spans(msgspec.json.encode(frame)):
        return record
    clean = msgspec.convert(_cleaned(msgspec.to_builtins(frame), redactor), RunRecord)
    return msgspec.structs.replace(clean, exchanges=record.exchanges)


def _cleaned(value: Any, redactor: Redactor) -> Any:
    match value:
        case str():
            return redactor.text(value)
        case dict():
            return {redactor.text(key): _cleaned(item, redactor) for key, item in value.items()}
        case list() | tuple():
            return [_cleaned(item, redactor) for item in value]
    return value


def splice(body: bytes, edits: Sequence[Edit]) -> bytes:
    """The body with edits made; they are in order and do not overlap."""
    pieces, end = [], 0
    for edit in edits:
        pieces += [body[end : edit.start], edit.new]
        end = edit.end
    return b"".join([*pieces, body[end:]]) if edits else body


def resized(chunks: Chunks, edits: Sequence[Edit]) -> list[tuple[float, int]]:
    """The lengths of the pieces of a body after edits; what was put in counts to the last piece."""
    if not edits:
        return list(chunks)
    ends = [edit.end for edit in edits]
    growth = [0]
    for edit in edits:
        growth.append(growth[-1] + len(edit.new) - (edit.end - edit.start))
    adapted, offset, written = [], 0, 0
    for at, length in chunks:
        offset += length
        passed = bisect_right(ends, offset)
        cut = edits[passed].start if passed < len(edits) else offset
        position = min(offset, cut) + growth[passed]
        adapted.append((at, position - written))
        written = position
    return adapted


def _common(one: Iterable[int], other: Iterable[int], most: int) -> int:
    """How many leading bytes are the same."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b or count == most:
            break
        count += 1
    return count


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _either(secrets: Iterable[S], patterns: Callable[[S], list[bytes]]) -> bytes:
    found = [pattern for secret in secrets for pattern in patterns(secret)]
    return b"|".join(dict.fromkeys(found)) or rb"(?!)"


def _plain_patterns(secret: str) -> list[bytes]:
    return [re.escape(form.encode()) for form in dict.fromkeys([secret, quote_plus(secret)])]


def _labelled_patterns(secret: str) -> list[bytes]:
    """A short key behind what announces a credential."""
    return [_LABEL + rb"(" + form + rb")(?![\w-])" for form in _plain_patterns(secret)]


def _escaped_patterns(secret: str) -> list[bytes]:
    """Each character as JSON, URLs, HTML or a shell may write it; in one text also mixed."""
    return [b"".join(map(_sign_pattern, secret))]


def _sign_pattern(sign: str) -> bytes:
    code = f"{ord(sign):02x}"
    forms = [
        r"\\{0,4}" + re.escape(sign),
        "%" + code,
        r"\\{1,4}(?:u00|x)" + code,
        "&#x0{0,4}" + code + ";",
        f"&#0{{0,4}}{ord(sign)};",
        *([_NAMED[sign]] if sign in _NAMED else []),
    ]
    return f"(?:{'|'.join(forms)})".encode()


_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


def _encoded_patterns(secret: str) -> list[bytes]:
    """Base64 and hexadecimal."""
    plain = secret.encode()
    return [*_base64_patterns(plain), plain.hex().encode(), plain.hex().upper().encode()]


def _base64_patterns(plain: bytes) -> list[bytes]:
    """The part of a base64 text that only the secret decides, at each of the three alignments."""
    patterns = []
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + plain)
        first = -(-lead * 8 // 6)
        last = (lead + len(plain)) * 8 // 6
        core = encoded[first:last]
        # JSON and URLs escape its signs, too.
        escaped = re.escape(core).replace(rb"\+", rb"(?:[+-]|%2[Bb]|\\u002[bB])")
        patterns.append(escaped.replace(b"/", rb"(?:\\?/|_|%2[Ff])"))
    return list(dict.fromkeys(patterns))


def _blocks(secret: bytes) -> list[bytes]:
    """Blocks of which every part of `_PART` bytes holds at least one."""
    return [
        re.escape(secret[at : at + _BLOCK]) for at in range(0, len(secret) - _BLOCK + 1, _BLOCK)
    ]
