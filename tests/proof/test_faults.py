"""The proof of the suite: each fault is caught by exactly the checks that name it."""

from __future__ import annotations

import pytest
from proof.proving import run, with_verdict

from metaio_verify.lab.faults import FAULTS
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import UPSTREAM
from metaio_verify.verdict import Verdict

CHECKS = {id_: one for id_, one in builtin().checks.items() if UPSTREAM not in one.tags}
"""Those of one side; `test_gateways` proves the others."""


@pytest.mark.proof
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_exactly_the_checks_that_name_it(fault: str) -> None:
    """The named checks deviate and no other does."""
    named = {check.id for check in CHECKS.values() if fault in check.faults}
    record = run(faults=[fault], heavy=any("heavy" in CHECKS[id_].tags for id_ in named))
    deviating = with_verdict(record, Verdict.FAIL, Verdict.WARN, Verdict.NOTE)
    assert set(deviating) == named, deviating


@pytest.mark.parametrize(
    "heavy", [False, pytest.param(True, marks=pytest.mark.proof)], ids=["full", "heavy"]
)
def test_nothing_is_said_against_the_clean_lab(*, heavy: bool) -> None:
    """No check fails, warns, notes, is inconclusive or blocked."""
    record = run(heavy=heavy)
    passed = {Verdict.PASS, Verdict.DECLINED, Verdict.SKIPPED}
    assert with_verdict(record, *(set(Verdict) - passed)) == {}
    assert record.exit_code == 0


def test_every_check_names_a_fault_and_every_fault_a_check() -> None:
    """A check that has never failed is not a check."""
    named = {fault for check in CHECKS.values() for fault in check.faults}
    assert [check.id for check in CHECKS.values() if not check.faults] == []
    assert named == set(FAULTS)
