"""What the doctor finds: what is wrong, where it comes from, what to do."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field, structs

from metaio_verify.doctor.shells import Change, Shell, lines


class Severity(StrEnum):
    """How much a finding matters."""

    PROBLEM = "problem"
    """Claude Code does not work, or not with this endpoint."""
    WARNING = "warning"
    """Claude Code works, but a part of it does not, or not as its user thinks."""


class Fix(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can be pasted, where that is safe."""

    commands: dict[str, list[str]] = field(default_factory=dict)
    """Shell → lines."""
    file: str = ""
    """The settings file to edit, with the line if it is known."""
    json: str = ""
    """What to write there."""


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding."""

    id: str
    severity: Severity
    title: str
    """What is wrong, in one line."""
    detail: str = ""
    """What was seen, and what it means."""
    origins: list[str] = field(default_factory=list)
    """Where it comes from: a file and its key, or a variable."""
    action: str
    """The sentence to act on."""
    fix: Fix = Fix()


class Suspicion(Struct, frozen=True, kw_only=True):
    """A finding of the configuration alone, which the live test may confirm or refute."""

    finding: Finding
    if_answered: Severity | None
    """What becomes of it when a message came back all the same; none: it was wrong."""

    @property
    def is_weak(self) -> bool:
        """Whether it does no harm as long as messages come back, mended or not."""
        return self.if_answered is Severity.WARNING

    def settled(self, *, answered: bool) -> Finding | None:
        """Return what is left of it after the live test."""
        if not answered:
            return self.finding
        if self.if_answered is None:
            return None
        return structs.replace(self.finding, severity=self.if_answered)


def pasted(*changes: Change) -> Fix:
    """Return a fix for each shell."""
    written = {str(shell): lines(changes, shell) for shell in Shell}
    return Fix(commands={shell: found for shell, found in written.items() if found})
