"""Whether this program itself was late: what it reads late seems to have been sent late.

On a busy machine the event loop may not get its turn for seconds. Meanwhile events of a stream
wait to be read and then seem to have come all at once, which must not be laid to the endpoint.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

_BEAT = 0.1
"""Seconds between two looks at the clock."""
_NOTICED = 0.1
"""Seconds by which a look may come too late without being remembered."""
_REMEMBERED = 1000


class Pulse:
    """Looks at the clock again and again, and remembers when a look came too late."""

    def __init__(self) -> None:
        self._due: float | None = None
        self._stalls: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        """When a look was due, and when it came."""

    def beat(self, now: float) -> None:
        """Look at the clock."""
        if self._due is not None and now - self._due > _NOTICED:
            self._stalls.append((self._due, now))
        self._due = now + _BEAT

    def lag(self, since: float, until: float) -> float:
        """Return the longest time within a period for which nothing was read, in seconds."""
        stalls = [*self._stalls]
        if self._due is not None and until - self._due > _NOTICED:
            # The look that is due comes after what is read in the same moment.
            stalls.append((self._due, until))
        within = (min(came, until) - max(due, since) for due, came in stalls)
        return max((length for length in within if length > _NOTICED), default=0.0)

    async def run(self) -> None:
        """Keep looking until cancelled."""
        while True:
            self.beat(time.perf_counter())
            await asyncio.sleep(_BEAT)
