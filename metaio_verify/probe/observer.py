"""Who watches a run while it is under way."""

from __future__ import annotations

from typing import Protocol

from metaio_verify.record import Exchange


class Observer(Protocol):
    """Told of each step; a live display implements it."""

    def started(self, total: int) -> None:
        """The run begins; `total` probes will be fired at most."""

    def fired(self, probe: str, model: str | None) -> None:
        """A probe is under way."""

    def answered(self, exchange: Exchange) -> None:
        """An exchange is complete, or failed."""

    def settled(self, probe: str, model: str | None) -> None:
        """A probe needs no more exchanges, or could not be fired."""

    def note(self, text: str) -> None:
        """Something a person should know now, for instance that the run waits for a limit."""

    def finished(self) -> None:
        """Nothing more will come."""


class Silent:
    """An observer that does nothing."""

    def started(self, total: int) -> None:
        """Ignore."""

    def fired(self, probe: str, model: str | None) -> None:
        """Ignore."""

    def answered(self, exchange: Exchange) -> None:
        """Ignore."""

    def settled(self, probe: str, model: str | None) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""

    def finished(self) -> None:
        """Ignore."""
