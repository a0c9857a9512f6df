"""What usage proves: content that was left out, and what a cache did."""

from __future__ import annotations

from typing import Any

import pytest
from judge.judging import END, START, STOP, apply_rule, exchange, merged, message, streamed

from metaio_verify.judge.rules.registry import NothingToJudgeError, NotSeenError
from metaio_verify.record import Exchange


def cost(uncached: Any = 9, written: Any = 0, read: Any = 0, **more: Any) -> Exchange:
    """A plain answer with this usage of its input."""
    usage = {
        "input_tokens": uncached,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        **more,
    }
    return exchange(message(usage=usage))


def says(text: str, tokens: Any, status: int = 200) -> Exchange:
    """An answer with this text, to a request with that many input tokens and a token."""
    body = message(content=[{"type": "text", "text": text}], usage={"input_tokens": tokens})
    return exchange(body, status=status, values={"token": "VERIFY-AAAAAAAA"})


def reached(judged: Exchange) -> list[tuple[str, str, str]]:
    """The findings of a request that costs at least 100 tokens more than one of 10 tokens."""
    return apply_rule("reached-model", says("Hi", 10), judged, shows="${token}", more=100)


@pytest.mark.parametrize(
    "judged",
    [says("It is VERIFY-AAAAAAAA.", 11), says("I do not know.", 110), says("", 500)],
    ids=["shown", "counted", "silent but counted"],
)
def test_content_that_shows_or_was_counted_reached_the_model(judged: Exchange) -> None:
    """The answer proves it, and so do the input tokens."""
    assert reached(judged) == []


def test_content_that_neither_shows_nor_was_counted_was_left_out() -> None:
    """The finding gives both counts."""
    ((where, expected, actual),) = reached(says("I see no token.", 109))
    assert where == "input tokens of $.usage"
    assert expected == "at least 100 more than the 10 of `p`"
    assert actual == '109, and the answer does not show it: "I see no token."'


@pytest.mark.parametrize("tokens", [0, None, "12"])
def test_without_usage_nothing_is_said_about_a_silent_answer(tokens: Any) -> None:
    """Disobedience alone accuses nobody."""
    with pytest.raises(NothingToJudgeError, match="no input tokens to compare"):
        reached(says("No.", tokens))


def test_refused_content_is_judged_elsewhere() -> None:
    """A refusal has a check of its own."""
    with pytest.raises(NotSeenError, match="`p` was answered 400"):
        reached(says("", 0, status=400))


@pytest.mark.parametrize(
    ("write", "read", "found"),
    [
        (cost(5, 900), cost(5, 0, 900), 0),
        (cost(5, 900), cost(5, 900), 1),
        (cost(), cost(5, 0, 9), 0),
    ],
)
def test_what_was_written_is_read(write: Exchange, read: Exchange, found: int) -> None:
    """Writing the same prefix twice is a deviation; an entry of an earlier run is none."""
    assert len(apply_rule("cache-read-after-write", write, read)) == found


@pytest.mark.parametrize(
    "rule",
    ["cache-read-after-write", "cached-tokens-apart", "cache-creation-sum", "hour-cache-kept"],
)
@pytest.mark.parametrize("answer", [cost(), cost(9, None, None), exchange(b"no message")])
def test_an_endpoint_without_a_cache_is_left_alone(rule: str, answer: Exchange) -> None:
    """Zeros, nulls and no usage at all say nothing about caching."""
    with pytest.raises(NotSeenError):
        apply_rule(rule, answer, answer)


def test_cached_tokens_are_not_counted_again() -> None:
    """`input_tokens` beside a long cached prefix is small."""
    assert apply_rule("cached-tokens-apart", cost(20, 5900), cost(20, 0, 5900)) == []
    ((where, _, actual),) = apply_rule("cached-tokens-apart", cost(5920, 0, 5900))
    assert (where, actual) == ("$.usage.input_tokens", "5920 of 11820")


def lifetimes(short: int, long: int, total: int) -> Exchange:
    """An answer that reports how long what was written lives."""
    detail = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    return cost(5, total, 0, cache_creation=detail)


def test_lifetimes_add_up() -> None:
    """The sum of both is what was written."""
    assert apply_rule("cache-creation-sum", lifetimes(40, 60, 100), cost(5, 7)) == []
    ((_, expected, actual),) = apply_rule("cache-creation-sum", lifetimes(0, 60, 100))
    assert (expected, actual) == ("60, the sum of cache_creation", "100")


def test_an_hour_stays_an_hour() -> None:
    """Most of what is written has the lifetime that was asked for."""
    assert apply_rule("hour-cache-kept", lifetimes(10, 90, 100)) == []
    ((where, _, actual),) = apply_rule("hour-cache-kept", lifetimes(100, 0, 100))
    assert (where, actual) == ("$.usage.cache_creation.ephemeral_1h_input_tokens", "0")


@pytest.mark.parametrize(("count", "found"), [(900, 0), (0, 1), (None, 1)])
def test_a_stream_tells_at_its_start_what_was_read(count: Any, found: int) -> None:
    """The usage of message_start has what the one of message_delta has."""
    start = merged(START, {"message": {"usage": {"cache_read_input_tokens": count}}})
    end = merged(END, {"usage": {"cache_read_input_tokens": 900}})
    assert len(apply_rule("cache-read-in-message-start", streamed([start, end, STOP]))) == found


def test_a_stream_without_usage_in_its_start_says_nothing_of_a_cache() -> None:
    """That the usage is missing is judged by a check of its own."""
    start = merged(START, {"message": {"usage": None}})
    end = merged(END, {"usage": {"cache_read_input_tokens": 900}})
    with pytest.raises(NotSeenError):
        apply_rule("cache-read-in-message-start", streamed([start, end, STOP]))


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"name": "Ada", "age": 36}', None),
        (' {"age": 36, "name": "Ada"}\n', None),
        ('```json\n{"name": "Ada", "age": 36}\n```', "text"),
        ("Ada is 36.", "text"),
        ("", "text"),
        ('{"name": "Ada", "age": "36"}', "text $.age"),
        ('{"name": "Ada"}', "text $.age"),
        ('{"name": "Ada", "age": 36, "born": 1815}', "text $"),
    ],
)
def test_a_text_is_json_that_fits_the_schema(text: str, where: str | None) -> None:
    """Nothing stands around the document, and its fields have their types."""
    found = apply_rule("text-fits-schema", says(text, 9), schema=PERSON)
    assert [one[0] for one in found] == ([where] if where else [])
