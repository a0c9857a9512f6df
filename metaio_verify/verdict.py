"""The words of a judgement: how much a requirement matters, and what came of it."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """How much a requirement matters to a client."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"

    @property
    def when_violated(self) -> Verdict:
        """The verdict of a check of this level whose expectation was not met."""
        match self:
            case Level.MUST:
                return Verdict.FAIL
            case Level.SHOULD:
                return Verdict.WARN
            case Level.INFO:
                return Verdict.NOTE


class Verdict(StrEnum):
    """What came of one check on one target."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    NOTE = "note"
    DECLINED = "declined"
    INCONCLUSIVE = "inconclusive"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    WAIVED = "waived"

    @property
    def meaning(self) -> str:
        """One sentence for legends and help texts."""
        return _MEANINGS[self]

    @property
    def is_deviation(self) -> bool:
        """True when the evidence shows that the endpoint differs from the contract."""
        return self in (Verdict.FAIL, Verdict.WARN, Verdict.NOTE)

    @property
    def is_unknown(self) -> bool:
        """True when nothing was learnt; on a must-check that is never green."""
        return self in (Verdict.INCONCLUSIVE, Verdict.BLOCKED)


_MEANINGS = {
    Verdict.PASS: "the endpoint does what the contract asks",
    Verdict.FAIL: "a must of the contract is violated: a client breaks",
    Verdict.WARN: "a should of the contract is violated: clients degrade",
    Verdict.NOTE: "worth knowing, breaks nobody",
    Verdict.DECLINED: "refused in a legal way: the feature is off",
    Verdict.INCONCLUSIVE: "the model did not cooperate, so nothing was learnt",
    Verdict.BLOCKED: "what it needs failed, so it was not tried",
    Verdict.SKIPPED: "not selected or not applicable",
    Verdict.WAIVED: "a known deviation, accepted until a date",
}
