from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge.judging import (
    END,
    START,
    STOP,
    TEXT,
    TOOL,
    Event,
    apply_rule,
    closed,
    exchange,
    merged,
    message,
    opened,
    said,
    streamed,
    target,
    text_stream,
    tool_stream,
)

from metaio_verify.judge.rules import RULES
from metaio_verify.judge.rules.registry import NothingToJudgeError, UnsureError, misuse
from metaio_verify.record import Exchange, SentRequest
from metaio_verify.suite.load import builtin


def with_id(id_: Any, **fields: Any) -> Exchange:
    """A plain message with this id."""
    return exchange(message(id=id_), **fields)


def test_unique_ids() -> None:
    """Plain and streamed answers share one space of ids."""
    assert apply_rule("unique-ids", with_id("msg_2"), streamed(text_stream()), with_id(None)) == []
    assert apply_rule("unique-ids", with_id("msg_1", probe="first"), streamed(text_stream())) == [
        ("$.id", "an id of its own at $.id", '"msg_1", as in the answer to `first`')
    ]


def test_unique_ids_elsewhere() -> None:
    """A path finds other ids; two within one answer have to differ as well."""
    path = "$.content[?@.type=='tool_use'].id"
    calls = exchange(message(content=[TOOL, merged(TOOL, {"id": "t2"})]))
    assert apply_rule("unique-ids", calls, path=path) == []
    assert len(apply_rule("unique-ids", exchange(message(content=[TOOL, TOOL])), path=path)) == 1


@pytest.mark.parametrize("name", ["unique-ids", "unique-headers"])
def test_nothing_to_compare(name: str) -> None:
    """One value alone proves nothing."""
    with pytest.raises(NothingToJudgeError):
        apply_rule(name, with_id("a"), exchange(b"<html>"), header="request-id")


def test_unique_headers() -> None:
    """No two answers have the same header value; answers without it are not counted."""
    ids = [exchange({}, headers=[("Request-Id", id_)]) for id_ in ("a", "b", "a")]
    assert apply_rule("unique-headers", *ids[:2], exchange({}), header="request-id") == []
    assert len(apply_rule("unique-headers", *ids, header="request-id")) == 1


@pytest.mark.parametrize(
    ("header", "body", "count"), [("a", "a", 0), ("a", "b", 1), (None, "b", 0), ("a", None, 0)]
)
def test_request_id_matches_body(header: str | None, body: str | None, count: int) -> None:
    """Only where both are there they have to agree."""
    head = [] if header is None else [("request-id", header)]
    one = exchange({"request_id": body}, headers=head, status=400)
    assert len(apply_rule("request-id-matches-body", one)) == count


def telling(own: str, text: str, body: str = "") -> Exchange:
    """A streamed answer, word by word, to a request that carried a token."""
    words = [said(0, char) for char in text]
    request = SentRequest(method="POST", url="http://h", headers=[], body=body)
    events = [START, opened(0, TEXT), *words, closed(0), END, STOP]
    return streamed(events, values={"token": own}, request=request, probe=own[-1])


def test_no_foreign_token() -> None:
    """A token may come back to the one who sent it, and to nobody else."""
    one, two = "VERIFY-AAAAAAA1", "VERIFY-AAAAAAA2"
    assert apply_rule("no-foreign-token", telling(one, one), telling(two, f"It is {two}.")) == []
    assert apply_rule("no-foreign-token", telling(one, one), telling(two, one, body=one)) == []
    assert apply_rule("no-foreign-token", telling(one, two), telling(two, two)) == [
        ("body", "only its own token", f"{two}, which was sent with `2`")
    ]


def test_one_answer_per_copy() -> None:
    """Each copy is complete, successful and its own."""
    fine = telling("VERIFY-AAAAAAA1", "VERIFY-AAAAAAA1")
    assert apply_rule("one-answer-per-copy", fine, exchange(message())) == []
    other = telling("VERIFY-AAAAAAA1", "Hello.")
    found = apply_rule("one-answer-per-copy", other, exchange({}, status=500))
    assert [where for where, _, _ in found] == ["text", "status"]


def test_same_shape() -> None:
    """A stream and a plain answer of the same request agree in kind, not in wording."""
    plain = message(content=[{"type": "thinking"}, {"type": "text", "text": "Hello"}])
    optional = {"stop_details": None, "container": {"id": "c"}}
    assert apply_rule("same-shape", exchange({**plain, **optional}), streamed(text_stream())) == []
    call = message(content=[{**TOOL, "input": {"city": "Rome"}}], stop_reason="tool_use")
    alone = [START, *(merged(one, {"index": 0}) for one in tool_stream()[4:9]), *tool_stream()[9:]]
    assert apply_rule("same-shape", exchange(call), streamed(alone)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"stop_reason": "pause_turn"}, "$.stop_reason"),
        ({"usage": ...}, "fields of the message"),
        ({"content": [TOOL]}, "types of $.content"),
    ],
)
def test_same_shape_sees_a_difference(change: Event, where: str) -> None:
    """What differs is named; the second answer is the one that deviates."""
    found = apply_rule("same-shape", streamed(text_stream()), exchange(message(**change)))
    assert [place for place, _, _ in found] == [where]


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_same_shape_is_not_asked_of_what_was_cut(reason: str) -> None:
    """Another time the answer may be whole; and nobody has to have the fields of one vendor."""
    cut = exchange(message(stop_reason=reason, content=[]))
    with pytest.raises(UnsureError):
        apply_rule("same-shape", streamed(text_stream()), cut)
    more = exchange(message(provider="p"))
    assert apply_rule("same-shape", streamed(text_stream()), more) == []


def test_same_shape_of_arguments() -> None:
    """Arguments that both calls have are compared by JSON type, in each pair on its own."""
    one, two, three, none = (
        exchange(message(content=[{**TOOL, "input": given}]))
        for given in ({"city": "Rome"}, {"city": "Paris"}, {"city": 5}, {})
    )
    assert apply_rule("same-shape", one, two, one, none) == []
    found = apply_rule("same-shape", one, two, one, three)
    assert found == [
        (
            "input of get_weather",
            '{"city": "string"}, as in the answer to `p`',
            '{"city": "number"}',
        )
    ]


def test_same_shape_without_messages() -> None:
    """Refusals are not compared."""
    with pytest.raises(NothingToJudgeError):
        apply_rule("same-shape", exchange({}, status=400), streamed(text_stream()))


def counted(tokens: Any) -> Exchange:
    """A token count."""
    return exchange({"input_tokens": tokens})


def test_count_grows() -> None:
    """Each count is higher than the one before."""
    assert apply_rule("count-grows", counted(5), counted(6), counted(60)) == []
    assert apply_rule("count-grows", counted(5), counted(5), counted(4)) == [
        ("$.input_tokens", "more than 5", "5"),
        ("$.input_tokens", "more than 5", "4"),
    ]
    with pytest.raises(NothingToJudgeError, match="404"):
        apply_rule("count-grows", counted(5), exchange({}, status=404))


@pytest.mark.parametrize(
    ("count", "usage", "close"),
    [
        (10, {"input_tokens": 30}, True),
        (9, {"input_tokens": 30}, False),
        (1140, {"input_tokens": 1000}, True),
        (1160, {"input_tokens": 1000}, False),
        (1000, {"input_tokens": 3, "cache_read_input_tokens": 997}, True),
        (1000, {"input_tokens": 3, "cache_creation_input_tokens": None}, False),
    ],
)
def test_count_close(count: int, usage: Event, *, close: bool) -> None:
    """15 % or 20 tokens apart, with what was cached counted in."""
    found = apply_rule("count-close", counted(count), exchange(message(usage=usage)))
    assert (found == []) is close


@pytest.mark.parametrize(
    ("words", "tokens", "plausible"), [(10, 5, True), (10, 4, False), (1, 1, True), (1, 0, False)]
)
def test_usage_plausible(words: int, tokens: int, *, plausible: bool) -> None:
    """A token is at most two words, and something is never nothing."""
    content = [{"type": "text", "text": "word " * words}]
    one = exchange(message(content=content, usage={"output_tokens": tokens}))
    assert (apply_rule("usage-plausible", one) == []) is plausible


def test_usage_of_a_tool_call() -> None:
    """A tool call alone costs at least one token; an empty answer may cost none."""
    call = exchange(message(content=[TOOL], usage={"output_tokens": 0}))
    assert len(apply_rule("usage-plausible", call)) == 1
    assert (
        apply_rule("usage-plausible", exchange(message(content=[], usage={"output_tokens": 0})))
        == []
    )


def page(*ids: str, **fields: Any) -> Exchange:
    """A page of models."""
    return exchange({"data": [{"id": id_} for id_ in ids], **fields})


@pytest.mark.parametrize(
    ("first", "second", "advances"),
    [
        (page("a", has_more=True), page("b", has_more=False), True),
        (page("a", has_more=True), page(has_more=False), True),
        (page("a", has_more=True), page("a", has_more=True), False),
        (page("a", last_id="a"), page("a", last_id="a"), False),
        (page("a", has_more=False), page("a", has_more=False), True),
        (page("a", has_more=True), exchange({}, status=400), True),
    ],
)
def test_pages_advance(first: Exchange, second: Exchange, *, advances: bool) -> None:
    """The second page must not repeat the first, where a client would ask for it."""
    assert (apply_rule("pages-advance", first, second) == []) is advances


def test_picker_ids() -> None:
    """Claude Code's picker drops ids of other families."""
    assert apply_rule("picker-ids", page("claude-x", "vertex/Anthropic.y")) == []
    others = [f"qwen-{number}" for number in range(7)]
    assert apply_rule("picker-ids", page("claude-x", *others)) == [
        (
            "$.data",
            '"claude" or "anthropic" in each id',
            "qwen-0, qwen-1, qwen-2, qwen-3, qwen-4 and 2 more",
        )
    ]


def test_listed_model_works() -> None:
    """A model that is listed has to answer; others are none of this rule's business."""

    def asking(model: str, status: int) -> Exchange:
        request = SentRequest(
            method="POST", url="http://h", headers=[], body=f'{{"model": "{model}"}}'
        )
        return exchange({}, status=status, request=request)

    refused = asking("a", 404)
    assert apply_rule("listed-model-works", page("a"), asking("a", 200), asking("b", 404)) == []
    assert apply_rule("listed-model-works", page("a"), refused) == [
        ("status", '2xx, as "a" is listed', "404")
    ]
    assert len(apply_rule("listed-model-works", refused, on=target(listed_models=["a"]))) == 1
    with pytest.raises(NothingToJudgeError):
        apply_rule("listed-model-works", page("c"), refused)


def test_base_url() -> None:
    """The base that works has to be the one that was given; a slash at its end is nothing."""
    assert apply_rule("base-url", on=target(given_url="http://h/")) == []
    assert apply_rule("base-url", on=target(given_url="http://h/v1")) == [
        ("base URL", "http://h", "http://h/v1")
    ]


@pytest.mark.parametrize(
    ("name", "probes", "args", "problem"),
    [
        ("same-shape", 3, [], "it takes pairs of probes, and 3 is odd"),
        ("pages-advance", 1, [], "it takes 2 probes, not 1"),
        ("unique-headers", 2, [], "it needs the argument header"),
        ("unique-ids", 2, ["paht"], "it has no argument paht"),
        ("unique-ids", 2, ["path"], ""),
        ("picker-ids", 1, [], ""),
    ],
)
def test_misuse(name: str, probes: int, args: list[str], problem: str) -> None:
    """A rule tells how a check has to use it."""
    assert misuse(name, probes, args) == problem


def test_the_suite_uses_the_rules_as_they_are_meant() -> None:
    """Every rule that the built-in checks name exists and gets what it needs."""
    for check in builtin().checks.values():
        if isinstance(check.rule, str):
            assert misuse(check.rule, len(check.probes), check.args) == ""
            assert (RULES[check.rule].__doc__ or "").strip()


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["a", "text", "tool_use", "/usr/x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "content", "data", "usage", "input_tokens", "error", "type"]),
            inner,
        )
    ),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HOSTILE, min_size=2, max_size=2), st.sampled_from([200, 302, 400, 429, 500]))
def test_no_answer_makes_a_rule_raise(bodies: list[Any], status: int) -> None:
    """Every rule copes with answers of any shape, and says the same of them twice."""
    args: dict[str, Any] = {
        "counts": ["p1"],
        "header": "content-type",
        "line": "a b",
        "more": 1,
        "names": {"p1": "a"},
        "parts": {"p2": "the rest"},
        "pattern": "a",
        "prefix": "content-",
        "shows": "a",
        "types": {"400": ["a"]},
    }
    pair = [exchange(body, status=status) for body in bodies]
    for name in RULES:
        try:
            once = apply_rule(name, *pair, **args)
        except (NothingToJudgeError, UnsureError):
            continue
        assert once == apply_rule(name, *pair, **args)
