"""What a watched run shows of a round."""

from __future__ import annotations

from msgspec.structs import replace
from report.parts import judgement, record
from report.records import clean, failing

from metaio_verify.record import Finding, RunRecord
from metaio_verify.report.rounds import changed, render
from metaio_verify.report.surface import Surface
from metaio_verify.verdict import Verdict


def seen(actual: str) -> RunRecord:
    """A run in which one check failed in this way."""
    finding = Finding(expected="x", actual=actual)
    one = judgement("messages.shape", Verdict.FAIL)
    return record([replace(one, findings=[finding])])


def test_ids_tokens_and_times_are_no_change() -> None:
    """They are others in every round; what they stand in is compared."""
    before = seen("msg_01ea945b5f96fefbd50bd6ff after 2.51 s, VERIFY-AAAAAAAA")
    assert changed(before, seen("msg_01e1bcea5ab76b30ef0848f2 after 0.30 s, VERIFY-BBBBBBBB")) == []
    [change] = changed(before, seen("nothing"))
    assert (change.before, change.now) == (Verdict.FAIL, Verdict.FAIL)


def test_a_round_names_each_check_that_came_out_otherwise() -> None:
    """With its old and its new verdict; findings only of what is wrong now."""
    broken = render(clean(), failing(), 2, Surface())
    assert broken.startswith("── round 2, ")
    assert "pass → fail" in broken
    assert "Expected" in broken
    mended = render(failing(), clean(), 3, Surface())
    assert "fail → pass" in mended
    assert "Expected" not in mended
    assert "Nothing changed." in render(clean(), clean(), 4, Surface())
