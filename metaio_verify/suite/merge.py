"""Putting the parts of several files together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from metaio_verify.suite.model import CheckFile, Suite

EMPTY = Suite(probes={}, checks={}, profiles={}, schemas={}, areas={})


def with_ids(raw: dict[str, Any]) -> dict[str, Any]:
    """The file with each part knowing the key that it stands under."""
    named: dict[str, Any] = {
        kind: {id_: {**part, "id": id_} for id_, part in raw[kind].items()}
        for kind in ("probes", "checks", "profiles")
        if kind in raw
    }
    return {**raw, **named}


def merge(files: Iterable[CheckFile], base: Suite = EMPTY) -> Suite:
    """A base and all files, in their order; of two parts with one id the later one stays."""
    suite = Suite(**{name: dict(getattr(base, name)) for name in Suite.__struct_fields__})
    for file in files:
        suite.probes.update(file.probes)
        suite.checks.update(file.checks)
        suite.profiles.update(file.profiles)
        suite.schemas.update(file.schemas)
        for area, heading in headings(file).items():
            suite.areas.setdefault(area, heading)
    return suite


def headings(file: CheckFile) -> dict[str, str]:
    """First segment of a check id → what reports call it."""
    areas = dict.fromkeys(check.area for check in file.checks.values())
    return {
        area: file.area if isinstance(file.area, str) else area.replace("-", " ").capitalize()
        for area in areas
    }
