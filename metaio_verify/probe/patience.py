"""Waiting when an endpoint says that it is busy, within bounds."""

from __future__ import annotations

import asyncio
import email.utils
import time

from metaio_verify.probe.observer import Observer
from metaio_verify.record import Exchange, Received

_RETRIES = 2
_LONGEST = 20.0
"""Seconds; a limit that asks for more is not waited for."""
_BUDGET = 60.0
"""Seconds that a run waits in all."""
_BACK_OFF = 1.0
"""Seconds before the first retry when the endpoint names none; doubles."""


class Patience:
    """The waits of one run."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._left = _BUDGET

    async def waits(self, exchange: Exchange, tried: int) -> bool:
        """Wait if the answer asks for it and the bounds allow; false when it is final."""
        response = exchange.response
        if response is None or tried > _RETRIES:
            return False
        delay = requested_delay(response, _BACK_OFF * 2 ** (tried - 1))
        if delay is None or delay > min(_LONGEST, self._left):
            return False
        self._left -= delay
        self._observer.note(f"{exchange.probe}: answered {response.status}, waiting {delay:g} s")
        await asyncio.sleep(delay)
        return True


def requested_delay(response: Received, default: float) -> float | None:
    """Seconds until a refused request may be repeated; none when the answer is no such refusal.

    A 503 counts only with `retry-after`: without it, it may as well be a defect. A negative or
    unreadable value counts as none given.
    """
    value = next((value for name, value in response.headers if name.lower() == "retry-after"), None)
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
