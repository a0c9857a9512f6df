"""Stop sequences, where the upstream knows none or does not say which of them it met.

So a gateway looks for them by itself: it holds back what may still become one, and reads on behind
one only to learn what the answer cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class StopWatch:
    """Lets the text of an answer through up to the first stop sequence."""

    stops: Sequence[str]
    met: str | None = None
    """The sequence that was met; nothing of the answer counts behind it."""
    _held: str = ""

    def passed(self, text: str) -> str:
        """Return what of the text so far can be no part of a stop sequence."""
        self._held += text
        begun = max((_begun(self._held, stop) for stop in self.stops), default=0)
        return self._free(len(self._held) - begun)

    def rest(self) -> str:
        """Return what was held back when the answer is over."""
        return self._free(len(self._held))

    def _free(self, before: int) -> str:
        """Let the text through up to a place, or to the sequence that begins before it."""
        if self.met is not None:
            return ""
        found = [(place, stop) for stop in self.stops if (place := self._held.find(stop)) >= 0]
        place, stop = min(found, default=(before, None))
        if place < before:
            self.met = stop
            before = place
        free, self._held = self._held[:before], self._held[before:]
        return free


def _begun(text: str, stop: str) -> int:
    """Return how many characters at the end of a text are the beginning of a stop sequence."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(stop[:size])), 0)


def cut(message: dict[str, Any], stops: Sequence[str]) -> dict[str, Any]:
    """Return a message up to the first stop sequence in its text."""
    watch = StopWatch(stops)
    kept: list[dict[str, Any]] = []
    for block in message["content"]:
        if block["type"] == "text":
            text = watch.passed(block["text"]) + watch.rest()
            kept += [{**block, "text": text}] if text else []
        else:
            kept.append(block)
        if watch.met is not None:
            ended = {"stop_reason": "stop_sequence", "stop_sequence": watch.met}
            return {**message, "content": kept, **ended}
    return message
