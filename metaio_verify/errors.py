"""Errors that are meant for a person. Each says what happened, where, why and what to do."""

from __future__ import annotations

from msgspec import Struct

from metaio_verify.exitcodes import ExitCode


class Place(Struct, frozen=True):
    """A position in a file; line and column count from 1."""

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.path, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class Problem(Struct, frozen=True):
    """One mistake in the user's input."""

    message: str
    place: Place | None = None
    hint: str = ""

    def position(self) -> tuple[int, int]:
        """Line and column, to sort by; what has no place comes first."""
        place = self.place
        return (place.line or 0, place.column or 0) if place else (0, 0)

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n  {self.hint}" if self.hint else head


class UserError(Exception):
    """Something the user gave is wrong; carries every problem that was found, never a secret."""

    exit_code = ExitCode.USAGE

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class NotVerifiedError(UserError):
    """The endpoint could not be verified at all."""

    exit_code = ExitCode.NOT_VERIFIED
