"""The exit codes of every command. A number is never reused for another meaning."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell sees. The help text and the README list are made from this class."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_VERIFIED = 3
    INTERNAL = 4
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """One line for the help text and the README."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "every must-check of the selection passed, was legally declined, or is waived",
    ExitCode.FAILED: (
        "a must-check failed (with --strict also a should-check), or a waiver is stale"
    ),
    ExitCode.USAGE: "a usage, configuration or check-file error",
    ExitCode.NOT_VERIFIED: (
        "not verified: endpoint unreachable, credential refused, a must-check blocked or "
        "inconclusive, or nothing was selected"
    ),
    ExitCode.INTERNAL: "a fault of metaio-verify itself",
    ExitCode.INTERRUPTED: "interrupted; the partial run record is written all the same",
}

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.USAGE,
    ExitCode.FAILED,
    ExitCode.NOT_VERIFIED,
    ExitCode.OK,
)
"""As for the checks of one run: what is broken is broken, however much of the rest is unknown."""


def worst(codes: Iterable[int]) -> ExitCode:
    """Return the exit code of several runs in one command; of none, that nothing was verified."""
    found = [ExitCode(code) for code in codes]
    return min(found, key=_WORST_FIRST.index, default=ExitCode.NOT_VERIFIED)
