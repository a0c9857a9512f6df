from __future__ import annotations

from typing import Any

import pytest
from judge.judging import END, START, STOP, TOOL, apply_rule, delta, exchange, message, opened
from judge.judging import streamed as streaming

from metaio_verify.judge.rules.registry import UnsureError
from metaio_verify.record import Exchange


def plain(given: Any) -> Exchange:
    """A plain call with this input."""
    return exchange(message(content=[{**TOOL, "input": given}], stop_reason="tool_use"))


def streamed(arguments: str) -> Exchange:
    """A streamed call with these arguments."""
    return streaming(
        [
            START,
            opened(0, TOOL),
            delta(0, "input_json_delta", partial_json=arguments),
            {"type": "content_block_stop", "index": 0},
            END,
            STOP,
        ]
    )


FULL = '{"city": "Rome"}'


def test_a_streamed_call_has_its_arguments() -> None:
    """Nothing is compared where the arguments came."""
    assert apply_rule("arguments-streamed", streamed(FULL)) == []


@pytest.mark.parametrize("wrong", ['"city"', "[]", "5"])
def test_arguments_are_an_object(wrong: str) -> None:
    """Anything else is a deviation, whatever other calls have."""
    found = apply_rule("arguments-streamed", streamed(wrong), streamed(FULL))
    assert found == [("input of the call", "an object", wrong)]


def test_arguments_that_only_plain_calls_have_are_lost() -> None:
    """A stream without arguments beside a plain call that has some has lost them."""
    found = apply_rule("arguments-streamed", streamed(""), plain({"city": "Rome"}), streamed("{}"))
    assert found == [("input of the call", "arguments, as a plain call has them", "{}")]


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ((plain({}),), "streamed or not"),
        ((), "streamed or not"),
        ((plain({"city": "Rome"}), streamed(FULL)), "those of other streamed calls came"),
    ],
    ids=["none anywhere", "nothing to compare", "another stream has some"],
)
def test_a_model_may_call_without_arguments(others: tuple[Exchange, ...], reason: str) -> None:
    """What may be the model's own doing accuses no endpoint."""
    with pytest.raises(UnsureError, match=reason):
        apply_rule("arguments-streamed", streamed("{}"), *others)


def test_a_refused_stream_has_no_arguments() -> None:
    """A request that is refused is a deviation."""
    found = apply_rule("arguments-streamed", exchange({}, status=500))
    assert [(where, expected) for where, expected, _ in found] == [("status", "2xx")]
