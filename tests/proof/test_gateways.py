"""The proof of the checks that look behind a gateway: each fault is caught, nothing legal is."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

import pytest
from proof.gateways import run
from proof.proving import with_verdict

from metaio_verify.lab.change import Stage
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.lab.gateway.kind import OF_TRANSLATORS, Kind
from metaio_verify.lab.gateway.translated_variants import OF_CHAT, OF_RESPONSES
from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import UPSTREAM
from metaio_verify.verdict import Verdict

CHECKS = {id_: one for id_, one in builtin().checks.items() if UPSTREAM in one.tags}
TRANSLATORS = (Kind.CHAT, Kind.RESPONSES)
OF_EVERY_DIALECT = frozenset(
    {
        "gateway-answers.cut",
        "gateway-answers.early-end",
        "gateway-answers.left",
        "gateway-answers.on-time",
        "gateway-answers.upstream-key",
        "gateway-requests.client-key",
        "gateway-requests.model",
        "gateway-requests.once",
    }
)
"""Checks that judge a gateway whatever it speaks to its upstream."""
QUICK = OF_EVERY_DIALECT - {
    "gateway-answers.cut",
    "gateway-answers.left",
    "gateway-answers.on-time",
}
"""Those of them that wait for nothing; the others are run by themselves."""
SLOW = ("gateway-answers.on-time", "gateway-answers.pings")
"""Those that watch a slow stream for some seconds: what goes up does not change its pace."""
CHAT_ONLY = frozenset({"translated-stream-usage-lost"})
"""Streams of responses have no choice about their usage."""


def faults_of(kind: Kind) -> Iterator[tuple[str, list[str]]]:
    """Each fault that a gateway of a kind can have, and the checks to run against it."""
    for fault in GATEWAY_FAULTS:
        translates = fault.startswith(OF_TRANSLATORS)
        named = {check.id for check in CHECKS.values() if fault in check.faults}
        if kind is Kind.PASS_THROUGH:
            if not translates:
                yield fault, []
        elif translates and (kind is Kind.CHAT or fault not in CHAT_ONLY):
            yield fault, ["gateway-translation.*", *QUICK]
        elif not translates and named and named <= OF_EVERY_DIALECT:
            yield fault, [*(QUICK if named & QUICK else named)]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("kind", "fault", "only"),
    [
        pytest.param(kind, fault, only, id=f"{kind}-{fault}")
        for kind in Kind
        for fault, only in faults_of(kind)
    ],
)
def test_a_fault_is_caught_by_exactly_the_checks_that_name_it(
    kind: Kind, fault: str, only: list[str]
) -> None:
    """The named checks deviate and no other does."""
    named = {check.id for check in CHECKS.values() if fault in check.faults}
    going_up = GATEWAY_FAULTS[fault].stage in (Stage.FORWARD, Stage.SEND)
    record = run(kind, faults=[fault], only=only, skip=SLOW if going_up else ())
    deviating = with_verdict(record, Verdict.FAIL, Verdict.WARN, Verdict.NOTE)
    assert set(deviating) == named, deviating


def variants_of(kind: Kind) -> list[str]:
    """The variants that a gateway of a kind can have."""
    own = [one for one in GATEWAY_VARIANTS if one.startswith(OF_TRANSLATORS)]
    if kind is Kind.PASS_THROUGH:
        return [one for one in GATEWAY_VARIANTS if one not in own]
    others = OF_RESPONSES if kind is Kind.CHAT else OF_CHAT
    return [one for one in own if not one.startswith(others)]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        pytest.param(kind, variant, id=f"{kind}-{variant}")
        for kind in Kind
        for variant in variants_of(kind)
    ],
)
def test_a_variant_is_no_alarm(kind: Kind, variant: str) -> None:
    """What a faithful gateway may do is no finding."""
    only = [] if kind is Kind.PASS_THROUGH else ["gateway-translation.*", *QUICK]
    record = run(kind, variants=[variant], only=only)
    fine = {Verdict.PASS, Verdict.SKIPPED, Verdict.DECLINED}
    assert with_verdict(record, *(set(Verdict) - fine)) == {}
    assert record.exit_code == 0


@pytest.mark.parametrize(
    "kind",
    [
        Kind.PASS_THROUGH,
        *(pytest.param(kind, marks=pytest.mark.proof) for kind in (Kind.CHAT, Kind.RESPONSES)),
    ],
)
def test_nothing_is_said_against_a_conforming_gateway(kind: Kind) -> None:
    """No check fails, warns, notes, is inconclusive or blocked; what does not apply is skipped."""
    record = run(kind)
    applies = "gateway-translation.*" if kind in TRANSLATORS else "gateway-[ra]*"
    judged = with_verdict(record, Verdict.PASS).keys()
    assert with_verdict(record, *(set(Verdict) - {Verdict.PASS, Verdict.SKIPPED})) == {}
    assert judged >= set(fnmatch.filter(CHECKS, applies))
    assert judged - set(fnmatch.filter(CHECKS, applies)) <= OF_EVERY_DIALECT
    assert judged >= OF_EVERY_DIALECT
    assert record.exit_code == 0


@pytest.mark.proof
@pytest.mark.parametrize("kind", Kind)
def test_the_checks_of_one_side_pass_through_the_gateway(kind: Kind) -> None:
    """With an upstream every profile judges both: nothing is said of a gateway that is faithful.

    Of one that translates it is noted, for information, what another provider has not.
    """
    record = run(kind, profile="full")
    fine = {Verdict.PASS, Verdict.SKIPPED, Verdict.DECLINED}
    unknown_elsewhere = {"caching.reported", "thinking.forged"} if kind in TRANSLATORS else set()
    assert with_verdict(record, Verdict.NOTE).keys() == unknown_elsewhere
    assert with_verdict(record, *(set(Verdict) - fine - {Verdict.NOTE})) == {}
    assert record.exit_code == 0


def test_no_fault_is_of_both_kinds() -> None:
    """A check's faults are those of the endpoint or those of a gateway, by their names alone."""
    assert set(GATEWAY_FAULTS) & set(FAULTS) == set()


def test_every_check_names_a_fault_and_every_fault_a_check() -> None:
    """A check that has never failed is not a check."""
    named = {fault for check in CHECKS.values() for fault in check.faults}
    assert [check.id for check in CHECKS.values() if not check.faults] == []
    assert named == set(GATEWAY_FAULTS)
