"""Checks that judge further answers of a run (`also`), and rules about what did not occur."""

from __future__ import annotations

from judge.judging import check, exchange, probe, suite, target

from metaio_verify.judge.check import collect, judge
from metaio_verify.judge.evidence import Evidence
from metaio_verify.record import Exchange, Judgement
from metaio_verify.suite.model import Check, Scope
from metaio_verify.verdict import Verdict

_QUOTA = ("anthropic-ratelimit-requests-limit", "60/min")


def _answer(probe_id: str, model: str | None = None, *, bad: bool = False) -> Exchange:
    lines = [("content-type", "application/json"), *([_QUOTA] if bad else [])]
    return exchange({}, id=f"{probe_id}@{model}", probe=probe_id, model=model, headers=lines)


def _judged(one: Check, *exchanges: Exchange) -> list[Judgement]:
    whole = suite(probe("p"), probe("other"), probe("by-model", scope=Scope.MODEL))
    return judge(whole, [one], collect(map(Evidence, exchanges)), target(), {}, {})


def test_answers_to_further_probes_are_judged() -> None:
    """What a glob of `also` names counts like the check's own probe."""
    one = check(rule="rate-limit-headers", also=["oth*"])
    (found,) = _judged(one, _answer("p"), _answer("other", bad=True))
    assert [finding.exchange for finding in found.findings] == ["other@None"]


def test_further_probes_are_not_missed() -> None:
    """A probe of `also` that was not sent neither blocks the check nor fails it."""
    one = check(expect={"status": 200}, also=["other"])
    (found,) = _judged(one, _answer("p"))
    assert found.verdict is Verdict.PASS


def test_a_check_of_the_endpoint_sees_all_models() -> None:
    """Its further answers are those of every model."""
    one = check(rule="rate-limit-headers", also=["*"])
    (found,) = _judged(
        one, _answer("p"), _answer("by-model", "m1"), _answer("by-model", "m2", bad=True)
    )
    assert [finding.exchange for finding in found.findings] == ["by-model@m2"]


def test_a_check_of_a_model_sees_no_other_model() -> None:
    """Its further answers are the model's own and the endpoint's."""
    whole = suite(probe("p", scope=Scope.MODEL), probe("by-model", scope=Scope.MODEL))
    answers = [_answer("p", "m1"), _answer("p", "m2"), _answer("by-model", "m2", bad=True)]
    one = check(rule="rate-limit-headers", also=["*"])
    first, second = judge(whole, [one], collect(map(Evidence, answers)), target(), {}, {})
    assert first.verdict is Verdict.SKIPPED
    assert second.verdict is Verdict.FAIL


def test_what_did_not_occur_is_skipped() -> None:
    """A rule about something that no answer has says so, and accuses nobody."""
    (found,) = _judged(check(rule="rate-limit-headers"), _answer("p"))
    assert found.verdict is Verdict.SKIPPED
    assert found.reason == "no answer has rate-limit headers"
