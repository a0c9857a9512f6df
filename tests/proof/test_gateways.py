"""The proof of the checks that look behind a gateway: each fault is caught, nothing legal is."""

from __future__ import annotations

import fnmatch

import pytest
from proof.gateways import run
from proof.proving import with_verdict

from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.gateway.app import Translator
from metaio_verify.lab.gateway.chat import ChatTranslator
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.lab.gateway.responses import ResponsesTranslator
from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import UPSTREAM
from metaio_verify.verdict import Verdict

CHECKS = {id_: one for id_, one in builtin().checks.items() if UPSTREAM in one.tags}


@pytest.mark.proof
@pytest.mark.parametrize("fault", GATEWAY_FAULTS)
def test_a_fault_is_caught_by_exactly_the_checks_that_name_it(fault: str) -> None:
    """The named checks deviate and no other does."""
    named = {check.id for check in CHECKS.values() if fault in check.faults}
    deviating = with_verdict(run(faults=[fault]), Verdict.FAIL, Verdict.WARN, Verdict.NOTE)
    assert set(deviating) == named, deviating


@pytest.mark.proof
@pytest.mark.parametrize("variant", GATEWAY_VARIANTS)
def test_a_variant_is_no_alarm(variant: str) -> None:
    """What a faithful gateway may do changes no verdict."""
    record = run(variants=[variant])
    assert with_verdict(record, *(set(Verdict) - {Verdict.PASS, Verdict.SKIPPED})) == {}
    assert record.exit_code == 0


@pytest.mark.parametrize(
    ("translator", "skipped"),
    [
        pytest.param(None, "gateway-translation.*", id="passes-on"),
        pytest.param(ChatTranslator(), "gateway-requests.system", id="chat"),
        pytest.param(ResponsesTranslator(), "gateway-requests.system", id="responses"),
    ],
)
def test_nothing_is_said_against_a_conforming_gateway(
    translator: Translator | None, skipped: str
) -> None:
    """No check fails, warns, notes, is inconclusive or blocked; what does not apply is skipped."""
    record = run(translator=translator)
    assert set(fnmatch.filter(CHECKS, skipped)) <= with_verdict(record, Verdict.SKIPPED).keys()
    assert with_verdict(record, *(set(Verdict) - {Verdict.PASS, Verdict.SKIPPED})) == {}
    assert record.exit_code == 0


@pytest.mark.proof
def test_the_checks_of_one_side_pass_through_the_gateway() -> None:
    """With an upstream every profile judges both: nothing is said of a gateway that passes on."""
    record = run(profile="full")
    fine = {Verdict.PASS, Verdict.SKIPPED, Verdict.DECLINED}
    assert with_verdict(record, *(set(Verdict) - fine)) == {}
    assert record.exit_code == 0


def test_no_fault_is_of_both_kinds() -> None:
    """A check's faults are those of the endpoint or those of a gateway, by their names alone."""
    assert set(GATEWAY_FAULTS) & set(FAULTS) == set()


def test_every_check_names_a_fault_and_every_fault_a_check() -> None:
    """A check that has never failed is not a check."""
    named = {fault for check in CHECKS.values() for fault in check.faults}
    assert [check.id for check in CHECKS.values() if not check.faults] == []
    assert named == set(GATEWAY_FAULTS)
