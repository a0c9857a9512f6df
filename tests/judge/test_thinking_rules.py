from __future__ import annotations

from typing import Any

import pytest
from judge.judging import (
    END,
    START,
    STOP,
    THINKING,
    apply_rule,
    closed,
    delta,
    exchange,
    message,
    opened,
    streamed,
)

from metaio_verify.judge.rules.registry import NotSeenError
from metaio_verify.record import Exchange, SentRequest

THOUGHT: dict[str, Any] = {"type": "thinking", "thinking": "I count.", "signature": "c2ln"}
TEXT: dict[str, Any] = {"type": "text", "text": "29"}


def answer(*blocks: dict[str, Any], **change: Any) -> Exchange:
    """A plain answer with these blocks."""
    return exchange(message(content=list(blocks), **change))


def thinking_stream(*deltas: dict[str, Any]) -> Exchange:
    """A stream of one thinking block with these deltas."""
    return streamed([START, opened(0, THINKING), *deltas, closed(0), END, STOP])


@pytest.mark.parametrize(
    ("rule", "wrong", "where"),
    [
        ("thinking-signed", {"signature": None}, "$.content[0].signature"),
        ("signature-not-empty", {"signature": ""}, "$.content[0].signature"),
        ("thinking-omitted", {}, "$.content[0].thinking"),
        ("thinking-once", {"thinking": "I count them all. " * 4}, "$.content[0].thinking"),
    ],
)
def test_a_wrong_thinking_block_is_found(rule: str, wrong: dict[str, Any], where: str) -> None:
    """Each rule about a block says where the block stands."""
    ((found, _, _),) = apply_rule(rule, answer({**THOUGHT, **wrong}, TEXT))
    assert found == where


@pytest.mark.parametrize(
    "rule",
    [
        "thinking-signed",
        "signature-not-empty",
        "thinking-first",
        "thinking-once",
        "thinking-counted",
    ],
)
def test_an_honest_thought_is_no_deviation(rule: str) -> None:
    """A signed block before the text, counted, is what the contract asks for."""
    assert apply_rule(rule, answer(THOUGHT, TEXT)) == []


@pytest.mark.parametrize(
    "unseen",
    [answer(TEXT), answer(THOUGHT, stop_reason=None), exchange({"type": "error"}, status=400)],
)
def test_a_run_without_finished_thoughts_says_nothing(unseen: Exchange) -> None:
    """Not to think is legal, and an unfinished or refused answer is not judged."""
    with pytest.raises(NotSeenError, match="no answer holds a thinking block"):
        apply_rule("thinking-signed", unseen)


SIGNED = delta(0, "signature_delta", signature="c2ln")
SAID = delta(0, "thinking_delta", thinking="I count.")


@pytest.mark.parametrize(
    ("deltas", "found"),
    [
        ([SAID, SIGNED], []),
        ([SIGNED], []),
        ([SAID], []),
        ([SIGNED, SAID], ["thinking_delta"]),
        ([SAID, SIGNED, SIGNED], ["signature_delta"]),
    ],
)
def test_nothing_follows_the_signature_of_a_block(
    deltas: list[dict[str, Any]], found: list[str]
) -> None:
    """A missing signature is an empty one, which is a matter of its own."""
    judged = apply_rule("thinking-signed", thinking_stream(*deltas))
    assert [actual for _, _, actual in judged] == found


def test_a_thought_behind_everything_is_found() -> None:
    """Unless the answer was cut, something has to follow a thought."""
    assert len(apply_rule("thinking-first", answer(TEXT, THOUGHT))) == 1
    assert apply_rule("thinking-first", answer(TEXT, THOUGHT, stop_reason="max_tokens")) == []
    assert apply_rule("thinking-first", answer(THOUGHT)) == []


@pytest.mark.parametrize("tag", ["<think>", "</think>", "<THINKING>", "</reasoning>"])
def test_tags_of_thinking_in_the_text_are_found(tag: str) -> None:
    """Whatever the model calls them."""
    judged = apply_rule("no-thinking-tags", answer({"type": "text", "text": f"{tag} Hm."}))
    assert judged == [("text", "text without tags", tag)]
    assert apply_rule("no-thinking-tags", answer({"type": "text", "text": tag})) == []


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        (exchange(message(reasoning_content="Hm.")), "body"),
        (thinking_stream(delta(0, "thinking_delta", thinking="", reasoning="Hm.")), "event 3"),
    ],
)
def test_fields_of_another_api_are_found(sent: Exchange, where: str) -> None:
    """In the message and in the deltas of a stream."""
    ((found, _, _),) = apply_rule("no-foreign-reasoning", sent)
    assert found == where


def test_a_field_of_that_name_in_arguments_is_not_foreign() -> None:
    """A tool may well have an argument called reasoning; an empty field says nothing."""
    call = {"type": "tool_use", "id": "t", "name": "n", "input": {"reasoning": "Hm."}}
    assert apply_rule("no-foreign-reasoning", answer(call, reasoning_content=None)) == []


def test_a_further_field_beside_thinking_blocks_is_no_harm() -> None:
    """Clients read the block; neither do settings of that name hold a thought."""
    assert apply_rule("no-foreign-reasoning", answer(THOUGHT, TEXT, reasoning_content="Hm.")) == []
    assert apply_rule("no-foreign-reasoning", answer(TEXT, reasoning={"effort": "low"})) == []
    parts = [{"type": "reasoning.text", "text": "Hm."}]
    assert len(apply_rule("no-foreign-reasoning", answer(TEXT, reasoning_details=parts))) == 1


@pytest.mark.parametrize(
    ("usage", "actual"),
    [
        ({"output_tokens": 3, "output_tokens_details": {"thinking_tokens": 5}}, "3"),
        ({"output_tokens": 0}, "0"),
        ({"output_tokens": 99}, "99"),
    ],
)
def test_tokens_of_thinking_that_do_not_add_up_are_found(
    usage: dict[str, Any], actual: str
) -> None:
    """More thoughts than output, more words than tokens, more tokens than max_tokens."""
    request = SentRequest(method="POST", url="http://h", headers=[], body='{"max_tokens": 64}')
    plain = message(content=[THOUGHT, TEXT], usage=usage)
    judged = apply_rule("thinking-counted", exchange(plain, request=request))
    assert [found for _, _, found in judged] == [actual]
