from __future__ import annotations

import pytest
from judge.judging import apply_rule, exchange, message

from metaio_verify.judge.rules.registry import UnsureError
from metaio_verify.record import Exchange


def says(
    text: str, *, token: str = "VERIFY-AAAAAAAA", status: int = 200, **change: str
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
        ((says("", status=500), OBEYED), "even when it is asked plainly: 500"),
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
