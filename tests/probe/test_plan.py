from __future__ import annotations

from metaio_verify.probe.allowance import Allowance
from metaio_verify.probe.plan import Budget, JobKey, budget, first_attempts, plan
from metaio_verify.suite.model import Expect, Probe, Scope


def _probe(id_: str, **fields: object) -> Probe:
    defaults: dict[str, object] = {"purpose": "x", "post": "/v1/messages", "scope": Scope.MODEL}
    return Probe(id=id_, **{**defaults, **fields})  # type: ignore[arg-type]  # a test's shorthand


def test_the_longest_chain_comes_first() -> None:
    """No chain is left for the end of the run."""
    probes = [
        _probe("alone"),
        _probe("first"),
        _probe("second", needs=["first"]),
        _probe("third", json={"x": "${second.id}"}),
    ]
    jobs = plan(probes, ["m"])
    assert [job.probe.id for job in jobs] == ["first", "second", "alone", "third"]
    assert jobs[3].needs == (("second", "m"),)


def test_a_probe_of_model_scope_is_planned_for_each_model() -> None:
    """An endpoint probe is fired once, and waits for the first model where it must."""
    probes = [_probe("each"), _probe("once", scope=Scope.ENDPOINT, needs=["each"])]
    assert [job.key for job in plan(probes, ["a", "b"])] == [
        ("each", "a"),
        ("each", "b"),
        ("once", None),
    ]
    assert plan(probes, ["a", "b"])[2].needs == (("each", "a"),)


def test_a_required_capability_waits_for_who_teaches_it() -> None:
    """The teacher need not succeed, so it is no `needs`."""
    probes = [
        _probe("asks", requires=["adaptive"]),
        _probe("teaches", learns={"adaptive": Expect(status=200)}),
    ]
    asks = next(job for job in plan(probes, ["m"]) if job.probe.id == "asks")
    assert asks.learns_from == (("teaches", "m"),)
    assert asks.needs == ()


def test_what_explains_a_refusal_waits_for_it() -> None:
    """It comes after the probe that may be refused, and counts in the worst case."""
    probes = [_probe("why", when_refused="full"), _probe("full")]
    jobs = plan(probes, ["m"])
    assert [job.probe.id for job in jobs] == ["full", "why"]
    assert jobs[1].explains == (("full", "m"),)
    assert first_attempts(jobs).requests == 2


def test_the_budget_is_the_worst_case() -> None:
    """Every attempt and every copy counts, a patch may change the limit, counting costs none."""
    probes = [
        _probe("a", json={"max_tokens": 10}, attempts=[{"max_tokens": 50}, {"x": 1}], at_once=2),
        _probe("b", post="/v1/messages/count_tokens", json={"max_tokens": 9}),
    ]
    cost = budget(plan(probes, ["m"]))
    assert cost.requests == 7
    assert cost.output_tokens == 2 * (10 + 50 + 10)


def test_a_request_is_refused_or_answered() -> None:
    """Of what looks into a refusal and what builds on the answer the costlier one counts."""
    probes = [
        _probe("full", learns={"full": Expect(status=200)}, json={"max_tokens": 1}),
        _probe("variant-a", when_refused="full", json={"max_tokens": 2}),
        _probe("variant-b", when_refused="full", json={"max_tokens": 2}),
        _probe("after", requires=["full"], json={"max_tokens": 9}),
    ]
    cost = first_attempts(plan(probes, ["m"]))
    assert (cost.requests, cost.output_tokens) == (3, 10)


def test_of_several_copies_one_may_be_refused_and_one_answered() -> None:
    """Then both may be sent."""
    probes = [
        _probe("full", at_once=2),
        _probe("variant", when_refused="full"),
        _probe("after", needs=["full"]),
    ]
    assert first_attempts(plan(probes, ["m"])).requests == 4


def test_the_budget_has_room_for_repetitions() -> None:
    """Four requests may be sent once more, as many as there are, or the costliest one."""
    one, two = _probe("a", json={"max_tokens": 10}), _probe("b", json={"max_tokens": 40})
    cost = budget(plan([one, two], ["m"]))
    assert (cost.requests, cost.output_tokens) == (4, 90)
    assert budget(plan([_probe(f"p{n}") for n in range(9)], ["m"])).requests == 13


def test_repetitions_and_attempts_share_what_there_is() -> None:
    """What no second attempt needed is there for a repetition, and not more."""
    again = [_probe(f"p{n}", json={"max_tokens": 8}, attempts=[{}]) for n in range(6)]
    jobs = plan(again, ["m"])
    assert budget(jobs).requests == 12
    allowance = Allowance(jobs, absent=(), taken=Budget(1, 8))
    assert [allowance.take(8) for _ in range(6)] == [True] * 5 + [False]


def test_what_is_not_sent_makes_room() -> None:
    """A run that leaves a request out may repeat another one."""
    jobs = plan([_probe("a"), _probe("b"), _probe("c")], ["m"])
    absent: set[JobKey] = set()
    allowance = Allowance(jobs, absent, taken=Budget(3, 0))
    assert not allowance.take(0)
    absent.add(("c", "m"))
    assert allowance.take(0)
    assert not allowance.take(0)


def test_output_tokens_are_bounded_too() -> None:
    """A repetition that would write more than the plan says is not sent."""
    jobs = plan([_probe("a", json={"max_tokens": 50}), _probe("b")], ["m"])
    allowance = Allowance(jobs, absent=(), taken=Budget(0, 0))
    assert allowance.take(50)
    assert not allowance.take(1)
    assert allowance.take(0)
