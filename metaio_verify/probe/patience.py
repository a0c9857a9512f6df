"""Going slower when an endpoint says that it is busy, and waiting for it, within bounds."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from metaio_verify.probe.observer import Observer
from metaio_verify.record import Exchange, Received

_RETRIES = 4
_SLOWER = 4
"""The concurrency is divided by this: of 64 at a time the fourth try of a request is alone."""
_LONGEST = 20.0
"""Seconds; a limit that asks for more is not waited for."""
_BACK_OFF = 1.0
"""Seconds before the first retry when the endpoint names none; doubles."""


class Patience:
    """How many requests are under way at a time, and the waits of one run.

    A run that was told to slow down stays slow: an endpoint's limit does not change in a minute.
    """

    def __init__(self, observer: Observer, concurrency: int, budget: float) -> None:
        """Begin with full speed; `budget` are the seconds that may be waited in all."""
        self._observer = observer
        self._full = self._limit = concurrency
        self._under_way = 0
        self._changed = asyncio.Condition()
        self._budget = self._left = budget
        self._until = 0.0
        """Nothing is sent before; a time of the event loop."""
        self._slowdowns = 0
        self._refusals = 0
        self._impatient = ""

    @asynccontextmanager
    async def turn(self, *, alone: bool) -> AsyncIterator[int]:
        """Wait for a place and for the end of a pause; gives what `waits` wants to know.

        What is not `alone`, but part of a burst, needs no place.
        """
        if alone:
            async with self._changed:
                await self._changed.wait_for(lambda: self._under_way < self._limit)
                self._under_way += 1
        try:
            while (rest := self._until - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - the end moves
                await asyncio.sleep(rest)
            yield self._slowdowns
        finally:
            if alone:
                self._under_way -= 1
                async with self._changed:
                    self._changed.notify()

    def waits(self, exchange: Exchange, turn: int, tried: int) -> bool:
        """Whether to send the request again, in its next turn; false when its answer is final.

        Args:
            exchange: a request that did not belong to a burst, and its answer
            turn: what `turn` gave for it
            tried: how often the request was sent

        """
        response = exchange.response
        if response is None:
            return False
        delay = requested_delay(response, _BACK_OFF * 2 ** (tried - 1))
        if delay is None:
            return False
        self._refusals += 1
        # What was sent before the run slowed down says nothing about the new speed.
        if turn == self._slowdowns:
            self._slow_down(exchange.probe, response.status)
        return tried <= _RETRIES and self._affords(delay)

    @property
    def notice(self) -> str:
        """What a reader of the results should know; empty when nothing was refused for load."""
        if not self._refusals:
            return ""
        times = "once" if self._refusals == 1 else f"{self._refusals} times"
        parts = [f"The endpoint refused requests for load {times} (429, 503 or 529)"]
        if self._limit < self._full:
            parts.append(f"the run went on with {self._limit} at a time instead of {self._full}")
        if waited := self._budget - self._left:
            parts.append(f"it waited {waited:.3g} s for it")
        return f"{'; '.join(parts)}.{self._impatient}"

    def _slow_down(self, probe: str, status: int) -> None:
        self._slowdowns += 1
        limit = max(1, self._limit // _SLOWER)
        if limit < self._limit:
            self._limit = limit
            self._observer.note(f"{probe}: answered {status}, going on with {limit} at a time")

    def _affords(self, delay: float) -> bool:
        """Put the run on hold for so long; false when that is too long."""
        now = asyncio.get_running_loop().time()
        # Waits at the same time count once.
        more = now + delay - max(now, self._until)
        if delay > _LONGEST:
            self._impatient = f" It asked for a pause of {delay:,.0f} s, which no run waits for."
            return False
        if more > self._left:
            self._impatient = f" A run waits no longer than {self._budget:g} s in all."
            return False
        if more > 0:
            self._left -= more
            self._until = now + delay
            self._observer.note(f"waiting {delay:.3g} s for the endpoint")
        return True


def requested_delay(response: Received, default: float) -> float | None:
    """Seconds until a refused request may be repeated; none when the answer is no such refusal.

    A 503 counts only with `retry-after`: without it, it may as well be a defect. A negative or
    unreadable value counts as none given. `x-should-retry: false` decides first, as in the SDKs.
    """
    headers = {name.lower(): value for name, value in response.headers}
    value = headers.get("retry-after")
    if headers.get("x-should-retry") == "false":
        return None
    match response.status:
        case 429 | 529:
            delay = _seconds(value)
            return default if delay is None else delay
        case 503 if value is not None:
            return _seconds(value)
    return None


def _seconds(value: str | None) -> float | None:
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
        except (ValueError, OverflowError):
            return None
    return seconds if 0 <= seconds < float("inf") else None
