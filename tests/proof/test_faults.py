"""The proof of the suite: each fault is caught by exactly the checks that name it."""

from __future__ import annotations

import pytest

from metaio_verify import Endpoint, verify
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import RunRecord
from metaio_verify.suite.load import builtin
from metaio_verify.verdict import Verdict

CHECKS = builtin().checks


def _verify(*faults: str) -> RunRecord:
    lab = Lab(faults=faults)
    with running(lab) as url:
        return verify(Endpoint(url, lab.key, [lab.models[0].id]))


def _with_verdict(record: RunRecord, *verdicts: Verdict) -> dict[str, str]:
    """Check → why, for the checks that got one of these verdicts."""
    return {
        found.check: found.reason or "; ".join(f"{f.expected} / {f.actual}" for f in found.findings)
        for found in record.verdicts
        if found.verdict in verdicts
    }


@pytest.mark.proof
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_caught_by_exactly_the_checks_that_name_it(fault: str) -> None:
    """The named checks deviate, no other does, and nothing else becomes inconclusive."""
    record = _verify(fault)
    named = {check.id for check in CHECKS.values() if fault in check.faults}
    deviating = _with_verdict(record, Verdict.FAIL, Verdict.WARN, Verdict.NOTE)
    assert set(deviating) == named, deviating


def test_nothing_is_said_against_the_clean_lab() -> None:
    """No check fails, warns, notes, is inconclusive or blocked."""
    record = _verify()
    passed = {Verdict.PASS, Verdict.DECLINED, Verdict.SKIPPED}
    assert _with_verdict(record, *(set(Verdict) - passed)) == {}
    assert record.exit_code == 0


def test_every_check_names_a_fault_and_every_fault_a_check() -> None:
    """A check that has never failed is not a check."""
    named = {fault for check in CHECKS.values() for fault in check.faults}
    assert [check.id for check in CHECKS.values() if not check.faults] == []
    assert named == set(FAULTS)
