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
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote_plus

import msgspec

from metaio_verify.probe.escaped import ESCAPE, Escaped
from metaio_verify.record import REDACTED, RunRecord

_SHORTEST_DISTINCT_KEY = 8
"""Shorter keys occur in ordinary text and are only taken out where they stand as a credential."""
_LABEL = (
    rb"(?:\b(?:bearer|basic)\s{1,20}"
    rb"|(?:\bkey|api[ _-]?key|token|secret|password|credential|authorization)\\?[\"'`]?"
    rb"\s{0,20}[:=]?\s{0,20}\\?[\"'`]?(?:bearer\s{1,20})?)"
)
"""What stands before a credential. Spaces are counted, as a server may send millions of them."""
_CARRIERS = re.compile(r"api-?key|authorization|credential|token|secret", re.IGNORECASE)
"""Names of headers that carry one."""
_SHORTEST_SPLIT_KEY = 24
"""Of keys from this length on, parts are taken out too: an answer may be cut, or tear the key."""
_PART = 16
"""So many characters of a key give too much of it away; its usual beginnings are shorter."""
_BLOCK = _PART // 2
_MARKER = REDACTED.encode()
_SHORT_TEXT = 200
_REMEMBERED = 1024
"""So many short texts are remembered with what came of them."""

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
        self._short_text = lru_cache(_REMEMBERED)(self._text)
        self._labelled = re.compile(_either(sorted(self._short), _labelled_patterns), re.IGNORECASE)
        self._plain = re.compile(_either(known, _plain_patterns), re.IGNORECASE)
        self._encoded = re.compile(_either(known, _encoded_patterns))
        self._escaped = [Escaped(secret) for secret in known]
        self._parted = [s.encode() for s in known if len(s) >= _SHORTEST_SPLIT_KEY]
        self._blocks = re.compile(_either(self._parted, lambda s: list(map(re.escape, _cut(s)))))
        # Looking for a literal is many times faster than a search by a pattern.
        self._plain_signs = [form.lower() for secret in known for form in _plain_forms(secret)]
        self._encoded_signs = [sign for secret in known for sign in _encoded_signs(secret)]
        self._part_signs = [block for secret in self._parted for block in _cut(secret)]

    def text(self, value: str) -> str:
        """The text without the secret."""
        # The names and the values of headers come again and again.
        return self._short_text(value) if len(value) <= _SHORT_TEXT else self._text(value)

    def _text(self, value: str) -> str:
        return self._bytes(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def headers(self, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Header lines without the secret."""
        # One look at all of them is enough for nearly every answer.
        if not self._short and not self.found_in("\n".join(chain.from_iterable(lines))):
            return list(lines)
        return [(self.text(name), self.header(name, value)) for name, value in lines]

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
        found: list[tuple[int, int]] = []
        if _holds(text.lower(), self._plain_signs):
            found += [match.span() for match in self._plain.finditer(text)]
        if _holds(text, self._encoded_signs):
            found += [match.span() for match in self._encoded.finditer(text)]
        if ESCAPE.search(text):
            found += [span for escaped in self._escaped for span in escaped.spans(text)]
        if _holds(text, self._part_signs):
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
                before_it = text[max(0, match.start() - at) : match.start()]
                before = _common(reversed(before_it), reversed(secret[:at]), at)
                rest = secret[at + _BLOCK :]
                follows = text[match.end() : match.end() + len(rest)]
                after = _common(follows, rest, len(rest))
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


def _holds(text: bytes, signs: Iterable[bytes]) -> bool:
    """Whether one of the signs stands in the text."""
    return any(sign in text for sign in signs)


def _either(secrets: Iterable[S], patterns: Callable[[S], list[bytes]]) -> bytes:
    found = [pattern for secret in secrets for pattern in patterns(secret)]
    return b"|".join(dict.fromkeys(found)) or rb"(?!)"


def _plain_forms(secret: str) -> list[bytes]:
    return [form.encode() for form in dict.fromkeys([secret, quote_plus(secret)])]


def _plain_patterns(secret: str) -> list[bytes]:
    return [re.escape(form) for form in _plain_forms(secret)]


def _labelled_patterns(secret: str) -> list[bytes]:
    """A short key behind what announces a credential."""
    return [_LABEL + rb"(" + form + rb")(?![\w-])" for form in _plain_patterns(secret)]


def _encoded_patterns(secret: str) -> list[bytes]:
    """Base64 and hexadecimal."""
    # JSON and URLs escape the signs of base64, too.
    cores = [re.escape(core).replace(rb"\+", _PLUS) for core in _base64_cores(secret.encode())]
    return [*(core.replace(b"/", _SLASH) for core in cores), *_hexadecimal(secret)]


def _encoded_signs(secret: str) -> list[bytes]:
    """What each of the encoded forms holds in any case."""
    cores = _base64_cores(secret.encode())
    return [*(max(re.split(rb"[+/]", core), key=len) for core in cores), *_hexadecimal(secret)]


_PLUS = rb"(?:[+-]|%2[Bb]|\\u002[bB])"
_SLASH = rb"(?:\\?/|_|%2[Ff])"


def _hexadecimal(secret: str) -> list[bytes]:
    digits = secret.encode().hex()
    return [digits.encode(), digits.upper().encode()]


def _base64_cores(plain: bytes) -> list[bytes]:
    """The part of a base64 text that only the secret decides, at each of the three alignments."""
    cores = []
    for lead in range(3):
        encoded = base64.b64encode(b"\0" * lead + plain)
        first = -(-lead * 8 // 6)
        last = (lead + len(plain)) * 8 // 6
        cores.append(encoded[first:last])
    return list(dict.fromkeys(cores))


def _cut(secret: bytes) -> list[bytes]:
    """Blocks of which every part of `_PART` bytes holds at least one."""
    return [secret[at : at + _BLOCK] for at in range(0, len(secret) - _BLOCK + 1, _BLOCK)]
