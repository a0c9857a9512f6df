"""What the steps of a live diagnosis share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from metaio_verify.doctor.case import Case
from metaio_verify.doctor.configuration import Configuration
from metaio_verify.doctor.finding import Finding, Fix, Severity
from metaio_verify.doctor.live.asker import Asker, Setup
from metaio_verify.doctor.models import Model


@dataclass(frozen=True)
class Bench:
    """A failed message, and what is at hand to find out why."""

    case: Case
    asker: Asker
    setup: Setup
    model: Model

    @property
    def configuration(self) -> Configuration:
        """What was gathered."""
        return self.case.configuration


@dataclass(frozen=True)
class Step:
    """What one look found, and how to go on so that one mistake does not hide the next."""

    findings: Sequence[Finding] = field(default=())
    onward: Setup | None = None


def found(
    id_: str,
    title: str,
    action: str,
    *,
    detail: str = "",
    origins: Sequence[object] = (),
    fix: Fix | None = None,
    severity: Severity = Severity.PROBLEM,
) -> Finding:
    """Return a finding that the live test proved."""
    return Finding(
        id=id_,
        severity=severity,
        title=title,
        detail=detail,
        origins=[str(origin) for origin in origins],
        action=action,
        fix=fix or Fix(),
    )


def base_url_origins(configuration: Configuration) -> list[object]:
    """Return where the base URL comes from."""
    value = configuration.value("ANTHROPIC_BASE_URL")
    if configuration.wanted or value is None:
        return []
    return [value.origin]
