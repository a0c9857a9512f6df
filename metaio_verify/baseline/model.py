"""What a baseline file is: a list of waivers, each with a reason and a last day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from msgspec import Struct, field

from metaio_verify.errors import Place

TO_BE_CHANGED = "CHANGE ME"
"""The reason of a waiver that nobody has thought about yet."""


class WaiverEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One check that may deviate until a date."""

    check: str
    """The id of the check, in full: a pattern would also waive what breaks tomorrow."""
    model: str | None = None
    """The model with which it may deviate; every model when it is left out."""
    reason: str
    """Why that is accepted, for whoever reads the report: a decision, a ticket, a person."""
    expires: str
    """The last day on which it is accepted, as `2027-01-31`."""


class BaselineFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A baseline file, as written."""

    waivers: list[WaiverEntry] = field(default_factory=list)
    """What may deviate; one entry for each check, or for each check and model."""


class KnownDeviation(Struct, frozen=True):
    """A waiver that makes sense, and where it stands."""

    check: str
    model: str | None
    reason: str
    expires: dt.date
    place: Place

    @property
    def key(self) -> tuple[str, str | None]:
        """What it is about."""
        return self.check, self.model


class Baseline(Struct, frozen=True):
    """A baseline file that was read."""

    path: str
    """As it is shown."""
    waivers: tuple[KnownDeviation, ...] = ()
    file: Path | None = None
    """Where it was read from."""
