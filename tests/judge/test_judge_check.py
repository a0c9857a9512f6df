from __future__ import annotations

import random
from typing import Any

import pytest
from judge.judging import (
    RESET,
    check,
    exchange,
    expect,
    message,
    pairs,
    probe,
    said,
    streamed,
    suite,
    target,
    text_stream,
)

from metaio_verify.judge.check import Absent, capture, collect, judge, judge_check, learn, met
from metaio_verify.judge.evidence import Evidence
from metaio_verify.record import Exchange, Failure, Judgement
from metaio_verify.suite.model import Check, Suite
from metaio_verify.verdict import Verdict

MODEL = {"scope": "model"}


def judged(
    one: Check, *exchanges: Exchange, within: Suite | None = None, **known: bool
) -> Judgement:
    """Judge a check about the endpoint."""
    return judge_check(
        one,
        exchanges,
        suite=within or suite(),
        target=target(),
        capabilities=known,
        model=None,
    )


@pytest.mark.parametrize(
    ("level", "verdict"), [("must", "fail"), ("should", "warn"), ("info", "note")]
)
def test_the_level_gives_the_verdict(level: str, verdict: str) -> None:
    """What a deviation means depends on how much the requirement matters."""
    one = check(level=level, expect={"status": 200}, contract=["A-1", "A-2"])
    result = judged(one, exchange({}, status=500, id="e7"))
    assert (result.verdict, result.level, result.contract) == (verdict, level, ["A-1", "A-2"])
    assert [finding.exchange for finding in result.findings] == ["e7"]
    assert (result.check, result.exchanges, result.model) == ("area.check", ["e7"], None)


def test_what_is_met_passes() -> None:
    """Without a deviation there is nothing to tell."""
    result = judged(check(expect={"status": 200}), exchange({}))
    assert (result.verdict, result.reason, result.findings) == ("pass", "", [])


ACCEPT: list[dict[str, Any]] = [
    {"status": 400, "json": {"$.error": {}}, "verdict": "declined", "because": "it is off"},
    {"status": ["4xx"], "verdict": "note", "because": "refused in some way"},
]


@pytest.mark.parametrize(
    ("body", "status", "verdict", "reason", "count"),
    [
        ({}, 200, "pass", "", 0),
        ({"error": {}}, 400, "declined", "it is off", 0),
        ({}, 404, "note", "refused in some way", 1),
        ({}, 500, "fail", "", 1),
    ],
)
def test_alternatives(body: Any, status: int, verdict: str, reason: str, count: int) -> None:
    """The first alternative that holds gives verdict and reason; deviations keep their findings."""
    result = judged(check(expect={"status": 200}, accept=ACCEPT), exchange(body, status=status))
    assert (result.verdict, result.reason, len(result.findings)) == (verdict, reason, count)


def test_an_alternative_has_to_hold_for_every_answer() -> None:
    """One answer that is fine and one that is refused are not a clean refusal."""
    copies = [exchange({}, id="1"), exchange({"error": {}}, status=400, copy=2, id="2")]
    assert judged(check(expect={"status": 200}, accept=ACCEPT), *copies).verdict == "fail"


def test_every_copy_is_judged() -> None:
    """One bad copy of many is enough."""
    copies = [exchange({}, status=500 if n == 3 else 200, copy=n, id=str(n)) for n in (1, 2, 3)]
    result = judged(check(expect={"status": 200}), *copies)
    assert (result.verdict, result.exchanges) == ("fail", ["1", "2", "3"])
    assert [finding.exchange for finding in result.findings] == ["3"]


def test_no_answer_is_a_finding() -> None:
    """A connection that fails is a deviation of what is judged on it."""
    failure = Failure(kind="reset", detail="the connection broke")
    result = judged(check(expect={"json": {"$.id": "x"}}), exchange(status=None, failure=failure))
    assert (result.verdict, pairs(result)) == (
        "fail",
        [("an answer", "no answer: the connection broke")],
    )


CUT = Failure(kind="timeout", detail="the answer was not finished after 30 s")


@pytest.mark.parametrize("status", [None, 200])
def test_our_own_limit_accuses_nobody(status: int | None) -> None:
    """What we did not wait for is told as our limit, whatever had come until then."""
    result = judged(
        check(expect={"json": {"$.id": "x"}}), exchange(status=status, failure=CUT, total=30.0)
    )
    assert result.verdict == "inconclusive"
    assert "a limit of this run" in result.reason
    assert "not finished after 30 s" in result.reason


@pytest.mark.parametrize(("bound", "verdict"), [(3, "fail"), (60, "inconclusive")])
def test_a_bound_of_the_requirement_is_judged_all_the_same(bound: int, verdict: str) -> None:
    """An answer that we gave up after the requirement's own bound came too late."""
    late = exchange(status=None, failure=CUT, total=30.0)
    result = judged(check(expect={"status": 200, "timing": {"total": bound}}), late)
    assert result.verdict == verdict


REFUSAL = {"type": "message", "content": [], "stop_reason": "refusal"}


def test_a_refusal_of_the_model_accuses_nobody() -> None:
    """What it does not say was not lost on the way."""
    result = judged(check(expect={"text": {"minLength": 1}}), exchange(REFUSAL))
    assert (result.verdict, result.reason) == (
        "inconclusive",
        "the model refused to answer `p`",
    )


def test_a_refusal_excuses_no_other_answer() -> None:
    """Beside a refusal an empty answer is still one."""
    empty = {**REFUSAL, "stop_reason": "end_turn"}
    copies = [exchange(REFUSAL, id="1"), exchange(empty, copy=2, id="2")]
    result = judged(check(expect={"text": {"minLength": 1}}), *copies)
    assert (result.verdict, [found.exchange for found in result.findings]) == ("fail", ["2"])


@pytest.mark.parametrize(
    "expect", [{"headers": {"request-id": {}}}, {"json": {"$.stop_reason": "refusal", "$.id": {}}}]
)
def test_how_a_refusal_is_carried_is_judged(expect: dict[str, Any]) -> None:
    """Its headers are nobody's words, and a check on refusals looks at all of it."""
    assert judged(check(expect=expect), exchange(REFUSAL)).verdict == "fail"


@pytest.mark.parametrize("kind", ["unsent", "dns", "connect", "tls"])
def test_what_was_never_sent_accuses_nobody(kind: Any) -> None:
    """A request that the endpoint never saw blocks the check."""
    failure = Failure(kind=kind, detail="no value to fill in")
    result = judged(check(expect={"status": 200}), exchange(status=None, failure=failure))
    assert (result.verdict, result.reason) == ("blocked", "`p` was not sent: no value to fill in")


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (429, [], "inconclusive"),
        (529, [], "inconclusive"),
        (503, [("retry-after", "9")], "inconclusive"),
        (503, [], "fail"),
        (500, [], "fail"),
    ],
)
def test_load_says_nothing(status: int, headers: Any, verdict: str) -> None:
    """An endpoint that asks to come back later has not been seen to be wrong."""
    result = judged(check(expect={"status": "2xx"}), exchange({}, status=status, headers=headers))
    assert result.verdict == verdict
    if verdict == "inconclusive":
        assert f"`p` was answered {status}" in result.reason


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        ({"expect": {"status": [200, 429]}}, "pass"),
        ({"expect": {"status": 200}, "accept": [{**ACCEPT[1], "status": 429}]}, "note"),
        ({"expect": {"status": "4xx"}}, "inconclusive"),
    ],
)
def test_load_that_was_asked_for_is_judged(keys: Any, verdict: str) -> None:
    """A check that names the code means it; a class of codes does not."""
    assert judged(check(**keys), exchange({}, status=429)).verdict == verdict


def test_a_repeated_request_replaces_the_refused_one() -> None:
    """Of a request that was sent again after a wait only the last answer counts."""
    refused = exchange({}, status=429, id="1")
    again = exchange({}, id="2", retry_of="1")
    result = judged(check(expect={"status": 200}), again, refused)
    assert (result.verdict, result.exchanges) == ("pass", ["2"])


def test_the_last_attempt_counts() -> None:
    """Earlier attempts, in which the model did something else, are not judged."""
    first = exchange({"n": 1}, id="1", until_met=False)
    second = exchange({"n": 2}, id="2", attempt=2, until_met=True)
    result = judged(check(expect={"json": {"$.n": 2}}), second, first)
    assert (result.verdict, result.exchanges) == ("pass", ["2"])


def test_a_model_that_does_not_cooperate() -> None:
    """Without what was asked for nothing is learnt, unless the check does not mind."""
    attempts = [exchange({}, id=str(n), attempt=n, until_met=False) for n in (1, 2, 3)]
    keys = {"expect": {"status": 500}}
    result = judged(check(**keys), *attempts)
    assert (result.verdict, result.reason) == (
        "inconclusive",
        (
            "the model did not do what `p` asks for, in 3 attempts; "
            "run again, or with a model that follows instructions (--model)"
        ),
    )
    assert judged(check(**keys, regardless=True), *attempts).verdict == "fail"


def test_an_answer_that_is_no_stream_blocks_what_is_about_streams() -> None:
    """How streams are written cannot be seen; that it is none is another check's finding."""
    one = check(expect={"stream": ["bad-index"], "events": {"$[0].type": "message_start"}})
    result = judged(one, exchange(message()))
    assert (result.verdict, result.reason) == (
        "blocked",
        "the answer is not a stream of events: 200",
    )


def test_the_check_that_asks_for_a_stream_fails() -> None:
    """Status and headers are judged whether or not there is a stream."""
    wanted = {"headers": {"content-type": "text/event-stream"}, "stream": ["bad-index"]}
    result = judged(check(expect=wanted), exchange(message()))
    assert (result.verdict, pairs(result)) == (
        "fail",
        [('"text/event-stream"', '"application/json"')],
    )
    nothing = exchange(status=None, failure=RESET)
    assert judged(check(expect=wanted), nothing).verdict == "fail"


def test_streams_are_judged_where_there_are_some() -> None:
    """One answer that is no stream does not hide what the others show."""
    within = suite(probe("a"), probe("b"))
    one = check(on=["a", "b"], expect={"stream": ["after-message-stop"]})
    plain = exchange(message(), probe="a")
    fine = streamed(text_stream(), probe="b")
    broken = streamed([*text_stream(), said(0, "x")], probe="b")
    assert judged(one, plain, fine, within=within).verdict == "pass"
    assert judged(one, plain, broken, within=within).verdict == "fail"


def test_rule_and_expectation_have_to_hold() -> None:
    """A check may have both, and the findings of both are kept."""
    one = check(expect={"status": 200}, rule="request-id-matches-body")
    head = [("request-id", "a")]
    assert judged(one, exchange({"request_id": "a"}, headers=head)).verdict == "pass"
    result = judged(one, exchange({"request_id": "b"}, headers=head, status=500))
    refusal = '500 {"request_id": "b"}'
    assert pairs(result) == [("status 200", refusal), ('"a"', '"b"')]


def test_a_rule_without_anything_to_judge() -> None:
    """Nothing is green that was not seen."""
    result = judged(check(rule="unique-ids"), exchange(message()))
    assert (result.verdict, result.reason) == (
        "blocked",
        "fewer than two answers have something at $.id",
    )


def test_a_rule_that_is_used_wrongly() -> None:
    """A mistake of the check file is said as such."""
    result = judged(check(rule="unique-headers"), exchange(message()))
    assert (result.verdict, result.reason) == (
        "blocked",
        "the check uses `unique-headers` wrongly: it needs the argument header",
    )


def test_many_findings_are_cut() -> None:
    """A judgement stays readable, and says how much it leaves out."""
    copies = [exchange({}, status=500, copy=n, id=str(n)) for n in range(40)]
    result = judged(check(expect={"status": 200}), *copies)
    assert (len(result.findings), result.reason) == (12, "40 deviations; the first 12 are kept")


def test_capabilities() -> None:
    """What the target does not offer is skipped, what nobody knows is blocked."""
    one = check(requires=["thinking"], expect={"status": 200})
    assert judged(one, exchange({}), thinking=True).verdict == "pass"
    without = judged(one, exchange({}), thinking=False)
    assert (without.verdict, without.reason) == ("skipped", "the target does not offer thinking")
    unknown = judged(one, exchange({}))
    assert (unknown.verdict, unknown.reason) == (
        "blocked",
        "it is not known whether the target offers thinking",
    )


def whole(within: Suite, *exchanges: Exchange, **fields: Any) -> list[Judgement]:
    """Judge every check of a suite."""
    return judge(
        within,
        list(within.checks.values()),
        collect(map(Evidence, exchanges)),
        target(),
        fields.get("absent", {}),
        fields.get("capabilities", {}),
    )


def test_each_model_is_judged_on_its_own_answers() -> None:
    """A check about models has a verdict for each; one about the endpoint has one."""
    within = suite(
        probe("list"),
        probe("hello", **MODEL),
        checks=[
            check(id="b.each", on=["list", "hello"], expect={"status": 200}),
            check(id="a.once", on="list", expect={"status": 200}),
        ],
    )
    exchanges = [
        exchange({}, probe="list", id="l"),
        exchange({}, probe="hello", model="m1", id="h1"),
        exchange({}, probe="hello", model="m2", id="h2", status=500),
    ]
    result = whole(within, *exchanges)
    assert [(one.check, one.model, one.verdict, one.exchanges) for one in result] == [
        ("b.each", "m1", "pass", ["l", "h1"]),
        ("b.each", "m2", "fail", ["l", "h2"]),
        ("a.once", None, "pass", ["l"]),
    ]
    shuffled = list(exchanges)
    random.Random(7).shuffle(shuffled)
    assert whole(within, *shuffled) == result


def test_capabilities_belong_to_models() -> None:
    """What one model lacks another may have; the endpoint is seen through the first model."""
    within = suite(
        probe("hello", **MODEL),
        probe("list"),
        checks=[
            check(id="a.x", on="hello", requires=["t"], expect={"status": 200}),
            check(id="a.y", on="list", requires=["t"], expect={"status": 200}),
        ],
    )
    exchanges = [exchange({}, probe="hello", model=name, id=name) for name in ("m1", "m2")]
    known = {"m1": {"t": True}, "m2": {"t": False}}
    result = whole(within, *exchanges, exchange({}, probe="list"), capabilities=known)
    assert [one.verdict for one in result] == ["pass", "skipped", "pass"]


def test_what_was_not_fired() -> None:
    """The reason of a missing probe is the reason of its checks; not applicable beats blocked."""
    within = suite(
        probe("a"),
        probe("b"),
        probe("c", **MODEL),
        checks=[
            check(id="x.1", on="a", expect={}),
            check(id="x.2", on=["a", "b"], expect={}),
            check(id="x.3", on="c", expect={}),
        ],
    )
    absent = {
        ("a", None): Absent(Verdict.BLOCKED, "`hello` was answered 500"),
        ("b", None): Absent(Verdict.SKIPPED, "the target does not offer it"),
        ("c", "m2"): Absent(Verdict.BLOCKED, "`hello` was answered 400"),
    }
    result = whole(within, absent=absent)
    assert [(one.verdict, one.model, one.reason) for one in result] == [
        ("blocked", None, "`hello` was answered 500"),
        ("skipped", None, "the target does not offer it"),
        ("blocked", "m1", "`c` was not fired"),
        ("blocked", "m2", "`hello` was answered 400"),
    ]


def test_met() -> None:
    """The engine asks whether the model did what was asked."""
    wanted = expect(json={"$.content[?@.type=='tool_use']": {}})
    assert not met(wanted, exchange(message()), {})
    assert met(wanted, exchange(message(content=[{"type": "tool_use"}])), {})


@pytest.mark.parametrize(
    ("status", "learnt"),
    [
        (200, {"t": True}),
        (400, {"t": False}),
        (422, {"t": False}),
        (401, {}),
        (403, {}),
        (429, {}),
        (500, {}),
        (501, {"t": False}),
        (None, {}),
    ],
)
def test_learn(status: int | None, learnt: dict[str, bool]) -> None:
    """A success proves, a refusal of the request disproves, anything else leaves it open."""
    learner = probe(learns={"t": {"status": 200}})
    assert learn(learner, Evidence(exchange({}, status=status)), {}) == learnt


def test_capture() -> None:
    """The first value that a path selects is taken; what is missing is left out."""
    taker = probe(capture={"id": "$.id", "text": "$.content[*].text", "no": "$.x"})
    assert capture(taker, Evidence(exchange(message()))) == {"id": "msg_1", "text": "Hi there"}
    assert capture(taker, Evidence(streamed(text_stream()))) == {"id": "msg_1", "text": "Hi there"}
    assert capture(taker, Evidence(exchange(b"<html>"))) == {}


def test_half_a_character_cannot_be_captured() -> None:
    """What later goes into a request can always be written as UTF-8."""
    taken = capture(probe(capture={"id": "$.id"}), Evidence(exchange(b'{"id": "\\ud83d"}')))
    assert taken == {"id": "\ufffd"}
