from __future__ import annotations

import datetime as dt

import pytest

from metaio_verify.baseline.apply import apply
from metaio_verify.baseline.model import Baseline, KnownDeviation
from metaio_verify.errors import Place
from metaio_verify.outcome import exit_code
from metaio_verify.record import Finding, Judgement, WaiverState
from metaio_verify.verdict import Level, Verdict

TODAY = dt.date(2026, 11, 25)
KNOWN = ["auth.bearer", "auth.no-key", "messages.shape"]
MUST, SHOULD, INFO = Level


def judged(
    verdict: Verdict, model: str | None = None, level: Level = MUST, check: str = "auth.bearer"
) -> Judgement:
    """Return a judgement with a finding."""
    finding = Finding(expected="200", actual="401")
    return Judgement(
        check=check,
        level=level,
        verdict=verdict,
        model=model,
        contract=["X-01"],
        findings=[finding],
    )


def waiver(
    model: str | None = None, expires: dt.date = TODAY, check: str = "auth.bearer"
) -> KnownDeviation:
    """Return a waiver."""
    return KnownDeviation(check, model, "ticket 12", expires, Place("b.yaml", 2, 5))


def states(judgements: list[Judgement], *waivers: KnownDeviation) -> list[WaiverState]:
    """Return what becomes of waivers."""
    return [one.state for one in apply(Baseline("b.yaml", waivers), judgements, KNOWN, TODAY)[1]]


def test_a_waived_failure_keeps_what_was_found() -> None:
    """The verdict is `waived`; the findings and the verdict it would have had stay."""
    [found], [state] = apply(Baseline("b.yaml", (waiver(),)), [judged(Verdict.FAIL)], KNOWN, TODAY)
    assert (found.verdict, found.found, found.findings[0].actual) == ("waived", "fail", "401")
    assert found.waiver is not None
    assert (found.waiver.reason, found.waiver.expires) == ("ticket 12", "2026-11-25")
    assert (state.state, state.place) == (WaiverState.USED, "b.yaml:2:5")
    assert exit_code([found], waivers=[state]) == 0


@pytest.mark.parametrize(
    ("level", "verdict"),
    [(MUST, Verdict.FAIL), (SHOULD, Verdict.WARN), (INFO, Verdict.NOTE)],
)
def test_every_kind_of_deviation_can_be_waived(level: Level, verdict: Verdict) -> None:
    """Under --strict a waived warning does not fail the run."""
    verdicts, waivers = apply(
        Baseline("b.yaml", (waiver(),)), [judged(verdict, level=level)], KNOWN, TODAY
    )
    assert verdicts[0].verdict is Verdict.WAIVED
    assert exit_code(verdicts, strict=True, waivers=waivers) == 0


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.INCONCLUSIVE])
def test_what_nobody_has_seen_cannot_be_waived(verdict: Verdict) -> None:
    """A must-check that could not be judged stays open, and its waiver is not stale."""
    verdicts, waivers = apply(Baseline("b.yaml", (waiver(),)), [judged(verdict)], KNOWN, TODAY)
    assert verdicts[0].verdict is verdict
    assert waivers[0].state is WaiverState.NOT_JUDGED
    assert exit_code(verdicts, waivers=waivers) == 3


def test_the_last_day_is_included() -> None:
    """A waiver holds to the end of its day, and not on the next."""
    failing = [judged(Verdict.FAIL)]
    assert states(failing, waiver(expires=TODAY)) == [WaiverState.USED]
    assert states(failing, waiver(expires=TODAY - dt.timedelta(1))) == [WaiverState.EXPIRED]


def test_an_expired_waiver_waives_nothing() -> None:
    """The check fails, and so does the run."""
    old = waiver(expires=dt.date(2026, 1, 1))
    verdicts, waivers = apply(Baseline("b.yaml", (old,)), [judged(Verdict.FAIL)], KNOWN, TODAY)
    assert verdicts[0].verdict is Verdict.FAIL
    assert exit_code(verdicts, waivers=waivers) == 1


OLD = dt.date(2026, 1, 1)
CASES: dict[str, tuple[list[Judgement], KnownDeviation, WaiverState]] = {
    "it passes": ([judged(Verdict.PASS)], waiver(), WaiverState.UNUSED),
    "it is legally declined": ([judged(Verdict.DECLINED)], waiver(), WaiverState.UNUSED),
    "it passes, and the day has passed": (
        [judged(Verdict.PASS)],
        waiver(expires=OLD),
        WaiverState.UNUSED,
    ),
    "it was skipped": ([judged(Verdict.SKIPPED)], waiver(), WaiverState.NOT_JUDGED),
    "it was not selected": ([], waiver(), WaiverState.NOT_JUDGED),
    "it was not selected, and the day has passed": ([], waiver(expires=OLD), WaiverState.EXPIRED),
    "there is no such check": ([], waiver(check="auth.baerer"), WaiverState.UNUSED),
    "the model was not verified": (
        [judged(Verdict.PASS, "a")],
        waiver("b"),
        WaiverState.NOT_JUDGED,
    ),
    "the model passes": ([judged(Verdict.PASS, "a")], waiver("a"), WaiverState.UNUSED),
    "another model fails": (
        [judged(Verdict.PASS, "a"), judged(Verdict.FAIL, "b")],
        waiver("a"),
        WaiverState.UNUSED,
    ),
    "one of the models fails": (
        [judged(Verdict.PASS, "a"), judged(Verdict.FAIL, "b")],
        waiver(),
        WaiverState.USED,
    ),
    "one model passes, the other is not known": (
        [judged(Verdict.PASS, "a"), judged(Verdict.BLOCKED, "b")],
        waiver(),
        WaiverState.NOT_JUDGED,
    ),
    "it names a model, the check is about the endpoint": (
        [judged(Verdict.FAIL)],
        waiver("a"),
        WaiverState.UNUSED,
    ),
}


@pytest.mark.parametrize(("judgements", "one", "state"), CASES.values(), ids=CASES)
def test_what_becomes_of_a_waiver(
    judgements: list[Judgement], one: KnownDeviation, state: WaiverState
) -> None:
    """Unused and expired fail the run; what this run could not judge does not."""
    _, waivers = apply(Baseline("b.yaml", (one,)), judgements, KNOWN, TODAY)
    assert [waiver.state for waiver in waivers] == [state]
    assert waivers[0].detail or state is WaiverState.USED
    green = [judged(Verdict.PASS, check="messages.shape")]
    assert exit_code(green, waivers=waivers) == (1 if state.is_stale else 0)


def test_a_waiver_for_a_model_leaves_the_others_alone() -> None:
    """Only that model's failure is waived."""
    both = [judged(Verdict.FAIL, "a"), judged(Verdict.FAIL, "b")]
    verdicts, _ = apply(Baseline("b.yaml", (waiver("b"),)), both, KNOWN, TODAY)
    assert [one.verdict for one in verdicts] == [Verdict.FAIL, Verdict.WAIVED]


def test_a_waiver_that_others_make_needless_is_unused() -> None:
    """Those that name a model come first; the general one then has nothing left."""
    both = [judged(Verdict.FAIL, "a")]
    assert states(both, waiver("a"), waiver()) == [WaiverState.USED, WaiverState.UNUSED]


def test_an_unknown_check_is_told_the_nearest() -> None:
    """The waiver names the right id."""
    _, [found] = apply(Baseline("b.yaml", (waiver(check="auth.baerer"),)), [], KNOWN, TODAY)
    assert "auth.bearer" in found.detail
