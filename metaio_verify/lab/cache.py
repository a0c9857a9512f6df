"""Prompt caching: remembers prefixes of prompts for as long as their breakpoints say."""

from __future__ import annotations

import hashlib
import time
from typing import NamedTuple

import msgspec

from metaio_verify.lab.prompt import JsonObject
from metaio_verify.lab.tokens import Segment

_MINIMUM_TOKENS = 1024
_LOOK_BACK = 40
_MAX_ENTRIES = 4096
_SECONDS = {"5m": 300.0, "1h": 3600.0}


class InputUsage(NamedTuple):
    """What a prompt cost; the four add up to its tokens."""

    uncached: int
    read: int
    written_5m: int
    written_1h: int

    def fields(self) -> JsonObject:
        """Return the input part of `usage`."""
        return {
            "input_tokens": self.uncached,
            "cache_creation_input_tokens": self.written_5m + self.written_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.written_5m,
                "ephemeral_1h_input_tokens": self.written_1h,
            },
        }


class PromptCache:
    """The prefixes that were written, by digest, each with the end of its life."""

    def __init__(self) -> None:
        self._ends: dict[bytes, float] = {}

    def use(self, parts: list[Segment], body: JsonObject) -> InputUsage:
        """Return the cost of a prompt; reads what is cached and writes its breakpoints."""
        total = sum(part.tokens for part in parts)
        marks = {place: part.ttl for place, part in enumerate(parts) if part.ttl is not None}
        automatic = body.get("cache_control")
        if isinstance(automatic, dict) and len(parts) > 1:
            marks.setdefault(len(parts) - 2, str(automatic.get("ttl", "5m")))
        if not marks:
            return InputUsage(total, 0, 0, 0)
        last = max(marks)
        sums, digests = _prefixes(parts[: last + 1], str(body.get("model")))
        now = time.monotonic()
        read = self._longest(sums, digests, marks, now)
        written = {place: ttl for place, ttl in marks.items() if sums[place] >= _MINIMUM_TOKENS}
        for place, ttl in written.items():
            self._ends[digests[place]] = now + _SECONDS.get(ttl, _SECONDS["5m"])
        while len(self._ends) > _MAX_ENTRIES:
            del self._ends[next(iter(self._ends))]
        end = max((sums[place] for place in written), default=read)
        end_1h = max((sums[place] for place, ttl in written.items() if ttl == "1h"), default=read)
        end_1h = max(end_1h, read)
        end = max(end, end_1h)
        return InputUsage(total - end, read, end - end_1h, end_1h - read)

    def _longest(
        self, sums: list[int], digests: list[bytes], marks: dict[int, str], now: float
    ) -> int:
        """Return the tokens of the longest cached prefix that ends near a breakpoint."""
        for mark in sorted(marks, reverse=True):
            for place in range(mark, max(-1, mark - _LOOK_BACK), -1):
                if self._ends.get(digests[place], 0.0) > now:
                    return sums[place]
        return 0


def _prefixes(parts: list[Segment], model: str) -> tuple[list[int], list[bytes]]:
    """Return, for each end of a part, the tokens and the digest of the prompt up to there."""
    total, sums, digests = 0, [], []
    running = hashlib.blake2b(model.encode(errors="replace"), digest_size=16)
    for part in parts:
        total += part.tokens
        running.update(msgspec.json.encode(part.content, order="deterministic"))
        sums.append(total)
        digests.append(running.digest())
    return sums, digests
