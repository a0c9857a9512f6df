from __future__ import annotations

from typing import Any

import pytest
from judge.judging import apply_rule, exchange, message

from metaio_verify.judge.rules.registry import UnsureError
from metaio_verify.record import Exchange


def says(
    text: str, *, token: str = "VERIFY-AAAAAAAA", status: int = 200, **change: Any
) -> Exchange:
    """A plain answer with this text to a probe with this token."""
    body = message(content=[{"type": "text", "text": text}], **change)
    return exchange(body, status=status, values={"token": token})


CONTROL = says("VERIFY-00000000.", token="VERIFY-00000000")
OBEYED = says("It is VERIFY-AAAAAAAA")
LOST = says("OK.")


def test_every_probe_repeats_its_own_token() -> None:
    """Each answer is held against the token of its own request."""
    assert apply_rule("token-as-control", CONTROL, OBEYED, OBEYED) == []


def test_a_token_that_only_the_control_repeats_is_lost() -> None:
    """What the model does for the control it has to do for the others."""
    found = apply_rule("token-as-control", CONTROL, OBEYED, LOST)
    assert found == [("text", "VERIFY-AAAAAAAA, as the model repeats it elsewhere", '"OK."')]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((LOST, LOST), 'even when it is asked plainly: "OK."'),
        ((says("", status=500), LOST), "which the others are held against, was answered 500"),
        ((CONTROL, says("", status=400)), "was answered 400"),
        ((CONTROL, says("Let me", stop_reason="max_tokens")), "used up max_tokens"),
        ((CONTROL, says("")), "was answered without text"),
        ((CONTROL, says("No.", stop_reason="refusal")), "was refused by the model"),
        ((CONTROL, says("Again:", stop_reason="tool_use")), "was answered with a tool call"),
    ],
    ids=["unwilling model", "refused control", "refused", "cut", "empty", "declined", "calls"],
)
def test_what_says_nothing_about_an_instruction(
    answers: tuple[Exchange, Exchange], reason: str
) -> None:
    """An unwilling model, a refusal, a cut and an empty answer accuse nobody."""
    with pytest.raises(UnsureError, match=reason):
        apply_rule("token-as-control", *answers)


def test_a_loss_is_reported_beside_a_refusal() -> None:
    """A refused probe does not hide that another one lost its token."""
    found = apply_rule("token-as-control", CONTROL, says("", status=400), LOST)
    assert len(found) == 1


def counting(text: str, tokens: int) -> Exchange:
    """A plain answer with so many input tokens."""
    return says(text, usage={"input_tokens": tokens, "output_tokens": 3})


def test_a_model_that_repeats_its_token_needs_no_control() -> None:
    """What was seen to work works, whatever came of the control."""
    assert apply_rule("token-as-control", says("", status=500), OBEYED) == []
    assert apply_rule("token-as-control", LOST, OBEYED) == []


def test_a_refusal_of_what_has_to_be_accepted_needs_no_control() -> None:
    """With `accepted` a refusal is a deviation, also where the model repeats nothing."""
    found = apply_rule("token-as-control", LOST, says("", status=400), accepted=True)
    assert [(where, expected) for where, expected, _ in found] == [("status", "2xx")]


def test_input_tokens_suffice_where_acceptance_is_asked_for() -> None:
    """A model that repeats nothing got everything, as its input tokens show."""
    args: dict[str, Any] = {"tokens_suffice": True, "arrival": {"p": 4}}
    few, more = counting("Hello.", 20), counting("Hi.", 24)
    assert apply_rule("token-as-control", few, more, **args) == []
    with pytest.raises(UnsureError, match="verify with a model that follows instructions"):
        apply_rule("token-as-control", few, few, **args)


def test_input_tokens_do_not_suffice_elsewhere() -> None:
    """That a system prompt arrived does not say that the model obeys it."""
    with pytest.raises(UnsureError, match="does not repeat a token"):
        apply_rule("token-as-control", counting("A.", 20), counting("B.", 30), arrival={"p": 4})


def test_the_reason_says_what_the_control_was() -> None:
    """A control in another form is named in the reason."""
    how = "out of a tool result in another form"
    with pytest.raises(UnsureError, match=f"even {how}"):
        apply_rule("token-as-control", LOST, LOST, control=how)
