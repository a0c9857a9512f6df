from __future__ import annotations

import pytest
from report.parts import judgement, record
from report.records import clean

from metaio_verify.after import with_since
from metaio_verify.compare.changes import changes, kind_of, models_of
from metaio_verify.outcome import exit_code
from metaio_verify.record import Acceptance, ChangeKind, Finding, Judgement, Stop
from metaio_verify.verdict import Level, Verdict
from metaio_verify.wanted import Earlier

PASS, FAIL, WARN, NOTE, DECLINED, INCONCLUSIVE, BLOCKED, SKIPPED, WAIVED = (
    *(Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.NOTE, Verdict.DECLINED),
    *(Verdict.INCONCLUSIVE, Verdict.BLOCKED, Verdict.SKIPPED, Verdict.WAIVED),
)
FINDING = Finding(expected="200", actual="401")


def one(verdict: Verdict | None, *findings: Finding, level: Level = Level.MUST) -> Judgement | None:
    """Return a judgement; none for none."""
    if verdict is None:
        return None
    waiver = Acceptance(verdict=FAIL, reason="ticket", expires="2027-01-01")
    return Judgement(
        check="auth.bearer",
        level=level,
        verdict=verdict,
        contract=["AUT-02"],
        findings=list(findings),
        waiver=waiver if verdict is WAIVED else None,
    )


Kind = ChangeKind
MOVES: dict[tuple[Verdict | None, Verdict | None], ChangeKind | None] = {
    (PASS, PASS): None,
    (PASS, FAIL): Kind.NEW_FAILURE,
    (WARN, FAIL): Kind.NEW_FAILURE,
    (BLOCKED, FAIL): Kind.NEW_FAILURE,
    (DECLINED, FAIL): Kind.NEW_FAILURE,
    (None, FAIL): Kind.NEW_FAILURE,
    (SKIPPED, FAIL): Kind.NEW_FAILURE,
    (FAIL, FAIL): None,
    (FAIL, PASS): Kind.MENDED,
    (FAIL, WARN): Kind.MENDED,
    (WARN, PASS): Kind.BETTER,
    (NOTE, PASS): Kind.BETTER,
    (BLOCKED, PASS): Kind.BETTER,
    (DECLINED, PASS): Kind.BETTER,
    (PASS, DECLINED): Kind.WORSE,
    (PASS, WARN): Kind.WORSE,
    (PASS, NOTE): Kind.WORSE,
    (PASS, BLOCKED): Kind.UNKNOWN,
    (WARN, INCONCLUSIVE): Kind.UNKNOWN,
    (FAIL, BLOCKED): Kind.UNCLEAR,
    (BLOCKED, INCONCLUSIVE): None,
    (None, PASS): Kind.ADDED,
    (SKIPPED, PASS): Kind.ADDED,
    (PASS, SKIPPED): Kind.REMOVED,
    (FAIL, None): Kind.REMOVED,
    (None, SKIPPED): None,
    (FAIL, WAIVED): Kind.WAIVER,
    (WAIVED, FAIL): Kind.WAIVER,
    (WAIVED, WAIVED): None,
    (WAIVED, PASS): Kind.MENDED,
    (PASS, WAIVED): Kind.WORSE,
}


@pytest.mark.parametrize(("move", "kind"), MOVES.items(), ids=str)
def test_how_a_check_moved(
    move: tuple[Verdict | None, Verdict | None], kind: ChangeKind | None
) -> None:
    """From two verdicts to the word for what happened between them."""
    assert kind_of(one(move[0]), one(move[1])) is kind


@pytest.mark.parametrize(
    ("before", "now", "differs"),
    [
        ("status 401", "status 500", True),
        ("VERIFY-ABCD1234 came back", "VERIFY-ZZZZ9999 came back", False),
        ("msg_01AbCdEfGh has no role", "msg_99ZyXwVuTs has no role", False),
        ("silent for 4.2 s", "silent for 5.1 s", False),
    ],
)
def test_findings_are_compared_without_what_differs_each_time(
    before: str, now: str, *, differs: bool
) -> None:
    """Tokens, ids and times are no change."""
    found = kind_of(
        one(FAIL, Finding(expected="x", actual=before)),
        one(FAIL, Finding(expected="x", actual=now)),
    )
    assert found is (Kind.FINDINGS if differs else None)


def test_the_only_model_of_each_run_is_compared() -> None:
    """Otherwise models are compared by their ids."""
    old, new = record(models=["a"]), record(models=["b"])
    assert models_of(old, new) == {"b": "a"}
    assert changes(old.verdicts, new.verdicts, models_of(old, new)) == []
    assert models_of(record(models=["a", "b"]), record(models=["b", "c"])) == {"b": "b"}


BEFORE_AND_NOW: dict[str, tuple[list[Judgement], list[Judgement], int]] = {
    "nothing changed": ([], [], 0),
    "it fails as before": (
        [judgement("auth.bearer", FAIL, FINDING)],
        [judgement("auth.bearer", FAIL, FINDING)],
        0,
    ),
    "it fails now": ([], [judgement("auth.bearer", FAIL)], 1),
    "a check that is new fails": ([], [judgement("own.new", FAIL)], 1),
    "it passed and is blocked now": ([], [judgement("auth.bearer", BLOCKED)], 3),
    "it was blocked as well": (
        [judgement("auth.bearer", BLOCKED)],
        [judgement("auth.bearer", INCONCLUSIVE)],
        0,
    ),
    "it failed and is blocked now": (
        [judgement("auth.bearer", FAIL)],
        [judgement("auth.bearer", BLOCKED)],
        0,
    ),
    "a new check is blocked": ([], [judgement("own.new", BLOCKED)], 3),
    "a should is violated now": ([], [judgement("headers.request-id", WARN)], 0),
    "another one was mended": (
        [judgement("auth.bearer", FAIL), judgement("messages.shape", FAIL, model="gpt-5.4")],
        [judgement("auth.bearer", FAIL)],
        0,
    ),
    "one was mended, another broke": (
        [judgement("auth.bearer", FAIL)],
        [judgement("models.served", FAIL)],
        1,
    ),
    "its waiver is gone": (
        [judgement("auth.bearer", WAIVED)],
        [judgement("auth.bearer", FAIL)],
        0,
    ),
}


@pytest.mark.parametrize(("before", "now", "code"), BEFORE_AND_NOW.values(), ids=BEFORE_AND_NOW)
def test_only_what_got_worse_counts(
    before: list[Judgement], now: list[Judgement], code: int
) -> None:
    """A new failure gives 1, a must that is no longer known 3, everything else 0."""
    compared = with_since(record(now), Earlier("old.json", record(before)))
    assert compared.exit_code == code


def test_strict_counts_new_warnings() -> None:
    """And leaves the old ones alone."""
    warned = [judgement("headers.request-id", WARN)]
    new = with_since(record(warned, strict=True), Earlier("old.json", record()))
    old = with_since(record(warned, strict=True), Earlier("old.json", record(warned)))
    assert (new.exit_code, old.exit_code) == (1, 0)


def test_a_stopped_run_is_not_verified_however_the_earlier_one_went() -> None:
    """Nothing that was not judged is “no worse”."""
    gone = record(stopped=Stop(kind="gone", message="The endpoint went away."))
    assert with_since(gone, Earlier("old.json", gone)).exit_code == 3
    assert exit_code([], changes=[]) == 3


def test_checks_that_were_not_selected_this_time_are_not_told() -> None:
    """A narrower run is no change of the endpoint."""
    narrow = record()
    compared = with_since(narrow, Earlier("old.json", record([judgement("own.other", FAIL)])))
    assert compared.since is not None
    assert compared.since.changes == []
    assert with_since(clean(), Earlier("old.json", clean())).exit_code == 0
