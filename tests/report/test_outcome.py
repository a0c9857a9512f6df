from __future__ import annotations

from typing import Literal, TypeAlias

import pytest

from metaio_verify.exitcodes import ExitCode
from metaio_verify.outcome import exit_code
from metaio_verify.record import Judgement, Stop
from metaio_verify.verdict import Level, Verdict

MUST, SHOULD, INFO = Level
Kind: TypeAlias = Literal[
    "unreachable", "refused", "no-model", "gone", "deadline", "interrupted", "fail-fast"
]


def judged(*pairs: tuple[Level, Verdict]) -> list[Judgement]:
    """Return a check for each pair."""
    return [
        Judgement(check=f"a.check-{number}", level=level, verdict=verdict, contract=["XXX-01"])
        for number, (level, verdict) in enumerate(pairs)
    ]


CASES = {
    "everything passes": ([(MUST, Verdict.PASS), (SHOULD, Verdict.PASS)], False, 0),
    "a must is legally declined": ([(MUST, Verdict.PASS), (MUST, Verdict.DECLINED)], False, 0),
    "a must is waived": ([(MUST, Verdict.WAIVED)], False, 0),
    "a must does not apply": ([(MUST, Verdict.PASS), (MUST, Verdict.SKIPPED)], False, 0),
    "a should is violated": ([(MUST, Verdict.PASS), (SHOULD, Verdict.WARN)], False, 0),
    "a should is violated, strict": ([(MUST, Verdict.PASS), (SHOULD, Verdict.WARN)], True, 1),
    "a note, strict": ([(MUST, Verdict.PASS), (INFO, Verdict.NOTE)], True, 0),
    "a should is unknown": ([(MUST, Verdict.PASS), (SHOULD, Verdict.BLOCKED)], False, 0),
    "only shoulds are selected": ([(SHOULD, Verdict.PASS)], False, 0),
    "a must is violated": ([(MUST, Verdict.PASS), (MUST, Verdict.FAIL)], False, 1),
    "a must is blocked": ([(MUST, Verdict.PASS), (MUST, Verdict.BLOCKED)], False, 3),
    "a must is inconclusive": ([(MUST, Verdict.PASS), (MUST, Verdict.INCONCLUSIVE)], False, 3),
    "a failure beats the unknown": ([(MUST, Verdict.FAIL), (MUST, Verdict.BLOCKED)], False, 1),
    "strict beats the unknown": ([(SHOULD, Verdict.WARN), (MUST, Verdict.BLOCKED)], True, 1),
    "nothing was selected": ([], False, 3),
    "nothing applied": ([(MUST, Verdict.SKIPPED)], False, 3),
    "only unknown shoulds": ([(SHOULD, Verdict.INCONCLUSIVE)], False, 3),
}


@pytest.mark.parametrize(("pairs", "strict", "code"), CASES.values(), ids=CASES)
def test_verdicts_decide(pairs: list[tuple[Level, Verdict]], *, strict: bool, code: int) -> None:
    """A failure gives 1, a must that was not learnt 3, and a run that judged nothing is never 0."""
    assert exit_code(judged(*pairs), strict=strict) == code


STOPS: dict[Kind, tuple[int, int]] = {
    "unreachable": (3, 3),
    "refused": (3, 3),
    "no-model": (3, 3),
    "gone": (3, 1),
    "deadline": (3, 1),
    "fail-fast": (3, 1),
    "interrupted": (130, 130),
}


@pytest.mark.parametrize("kind", STOPS)
def test_a_stopped_run_is_never_green(kind: Kind) -> None:
    """Why a run stopped decides, unless it had begun in earnest and found a failure."""
    stop = Stop(kind=kind, message="…")
    green, red = STOPS[kind]
    assert exit_code(judged((MUST, Verdict.PASS)), stopped=stop) == green
    assert exit_code(judged((MUST, Verdict.FAIL)), stopped=stop) == red


def test_the_code_is_of_the_one_enum() -> None:
    """The result is an exit code with a meaning, not a bare number."""
    assert exit_code([]) is ExitCode.NOT_VERIFIED
