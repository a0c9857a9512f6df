"""What ends an answer: only what the endpoint must have done is held against it."""

from __future__ import annotations

from typing import Any

import pytest
from judge.judging import apply_rule, exchange, message
from msgspec.structs import replace

from metaio_verify.judge.rules.registry import UnsureError
from metaio_verify.record import Exchange

COUNT: dict[str, Any] = {"counts": ["p", "p1"]}


def _exchange(asked: str, said: str, **change: Any) -> Exchange:
    one = exchange(message(content=[{"type": "text", "text": said}], **change))
    return _asking(one, asked)


def _asking(one: Exchange, asked: str) -> Exchange:
    return replace(one, request=replace(one.request, body=asked))


def cut(said: str, reason: str | None, tokens: int = 5) -> Exchange:
    """An answer to somebody who asked for five tokens of a long count."""
    usage = {"input_tokens": 9, "output_tokens": tokens}
    return _exchange('{"max_tokens": 5}', said, stop_reason=reason, usage=usage)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (cut("1 2 3 4 5 6", "max_tokens", tokens=11), "$.usage.output_tokens"),
        (cut("1, 2, 3", "end_turn"), "$.stop_reason"),
        (cut("1 2 3 4 5", "length"), "$.stop_reason"),
        (cut("1\n2\n3", None), "$.stop_reason"),
        (cut("Certainly! " * 20, "end_turn"), "text"),
    ],
)
def test_a_bound_that_was_missed_or_hidden_is_found(answer: Exchange, where: str) -> None:
    """More tokens than allowed, or a count that ends in the middle and does not say why."""
    found = apply_rule("stops-at-max-tokens", answer, **COUNT)
    assert [place for place, *_ in found] == [where]


@pytest.mark.parametrize(
    "answer",
    [
        cut("Sure!", "end_turn", tokens=2),
        cut("", "refusal", tokens=1),
        cut("1 to 200.", "end_turn"),
        cut("1 2 3", "max_tokens"),
    ],
    ids=["short", "refused", "summary", "plain only"],
)
def test_a_short_answer_accuses_nobody(answer: Exchange) -> None:
    """A model may be brief; then nothing is known of the bound."""
    with pytest.raises(UnsureError):
        apply_rule("stops-at-max-tokens", answer, **COUNT)


def stopped(said: str, reason: str, named: str | None, *, letters: bool = False) -> Exchange:
    """An answer to somebody who named stop sequences."""
    asked = '["e", "o", "s", "t"]' if letters else '["STOPHERE"]'
    change = {"stop_reason": reason, "stop_sequence": named}
    return _exchange(f'{{"stop_sequences": {asked}}}', said, **change)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (stopped("alpha bravo STOPHERE charlie", "end_turn", None), ["text"]),
        (stopped("alpha bravo STOP", "stop_sequence", "STOPHERE"), ["text"]),
        (stopped("alpha bravo ", "stop_sequence", None), ["$.stop_sequence"]),
        (stopped("alpha bravo ", "end_turn", None), ["$.stop_reason"]),
        (stopped("alpha bravo ", "end_turn", "STOPHERE"), ["$.stop_reason"]),
        (stopped("H", "end_turn", None, letters=True), ["$.stop_reason"]),
        (stopped("I am sorry.", "end_turn", None, letters=True), ["text"]),
    ],
)
def test_a_stop_sequence_that_was_missed_is_found(answer: Exchange, where: list[str]) -> None:
    """Not obeyed, shown in part, not named, or not told as the reason."""
    assert [place for place, *_ in apply_rule("stops-at-sequence", answer)] == where


@pytest.mark.parametrize(
    "answer",
    [
        stopped("I do not repeat things.", "end_turn", None),
        stopped("", "refusal", None, letters=True),
        stopped("alpha bra", "max_tokens", None),
        stopped("", "end_turn", None, letters=True),
    ],
)
def test_a_model_that_writes_no_stop_sequence_accuses_nobody(answer: Exchange) -> None:
    """Nobody can see whether it would have been obeyed."""
    with pytest.raises(UnsureError):
        apply_rule("stops-at-sequence", answer)


def test_a_stop_sequence_that_was_obeyed() -> None:
    """It ended the text, and the answer says which."""
    found = apply_rule(
        "stops-at-sequence",
        stopped("alpha bravo ", "stop_sequence", "STOPHERE"),
        stopped("H", "stop_sequence", "e", letters=True),
    )
    assert found == []
