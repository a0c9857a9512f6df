"""The report of a diagnosis: what a terminal shows, and what a support desk gets as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from metaio_verify import __version__
from metaio_verify.doctor.finding import Finding, Severity
from metaio_verify.doctor.live.asker import Try
from metaio_verify.doctor.secrets import Veil
from metaio_verify.exitcodes import ExitCode
from metaio_verify.jsontext import json_text

FORMAT = "metaio-verify/doctor/1"


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One effective value."""

    name: str
    """The variable or the key of the settings."""
    value: str
    """Masked, if it is a secret."""
    origin: str = ""
    hides: list[str] = field(default_factory=list)
    """What would count without it, and where that comes from."""


class Report(Struct, frozen=True, kw_only=True):
    """A whole diagnosis."""

    format: str = FORMAT
    version: str = __version__
    answered: bool
    """Whether a real message came back, sent as Claude Code is configured."""
    exit_code: int
    destination: str
    """The base URL in question; empty when there is none."""
    platform: str
    shell: str
    client: str
    """The installed Claude Code."""
    settings: list[str]
    """The settings files that there are, those that win first."""
    facts: list[Fact]
    tries: list[Try]
    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """What keeps Claude Code from working."""
        return [one for one in self.findings if one.severity is Severity.PROBLEM]

    @property
    def warnings(self) -> list[Finding]:
        """What else is not as it should be."""
        return [one for one in self.findings if one.severity is Severity.WARNING]


def exit_code(*, answered: bool, findings: list[Finding]) -> int:
    """Return 0 when a real message came back and no problem is left."""
    broken = any(one.severity is Severity.PROBLEM for one in findings)
    return ExitCode.OK if answered and not broken else ExitCode.NOT_VERIFIED


def veiled(report: Report, veil: Veil) -> Report:
    """Return the report without any secret in any of its texts."""
    data: Any = veil(msgspec.to_builtins(report))
    return msgspec.convert(data, Report)


def encode(report: Report) -> str:
    """Return the report as indented JSON with a final line break."""
    return json_text(report)
