from __future__ import annotations

from typing import Literal

from judge.judging import exchange

from metaio_verify.judge.grounds import cut_short
from metaio_verify.record import Exchange, Failure


def failed(kind: Literal["timeout", "reset"]) -> Exchange:
    """A request without an answer."""
    return exchange(status=None, failure=Failure(kind=kind, detail="no byte for 60 s"))


CUT = failed("timeout")


def test_who_waits_too_little_is_told_what_helps() -> None:
    """Requests that limits of the run ended are counted, with the options that mend it."""
    said = cut_short([CUT, CUT, exchange({})], concurrency=8)
    assert said.startswith("2 requests got no whole answer")
    assert "--timeout" in said
    assert "less than 8 requests at a time (--concurrency)" in said


def test_one_at_a_time_cannot_be_less() -> None:
    """Then only more time helps."""
    said = cut_short([CUT], concurrency=1)
    assert said.startswith("One request")
    assert "--concurrency" not in said


def test_what_the_endpoint_ended_needs_no_more_time() -> None:
    """Neither does what was answered."""
    assert cut_short([failed("reset"), exchange({})], concurrency=8) == ""
