"""What an onboarding page says of the time since an earlier run."""

from __future__ import annotations

from msgspec.structs import replace
from report.records import clean, failing

from metaio_verify.record import ClientResult, Reach, Selection
from metaio_verify.report.changes import changes
from metaio_verify.report.markdown import render


def test_nothing_is_said_when_nothing_changed() -> None:
    """Neither of latencies nor of tokens."""
    assert not changes(clean(), clean())
    assert "Nothing that a client notices." in render(clean(), clean())


def test_what_was_mended_is_better_and_the_reverse_is_worse() -> None:
    """Each requirement by its title, and each model."""
    there, back = changes(failing(), clean()), changes(clean(), failing())
    assert there.better
    assert not there.worse
    assert {text.removeprefix("Met now: ") for text in there.better if "Met now" in text} == {
        text.removeprefix("No longer met: ") for text in back.worse if "No longer met" in text
    }
    page = render(clean(), failing())
    assert "\nBetter:\n\n- " in page
    assert "\nWorse:\n" not in page


def test_a_client_that_works_again_is_named() -> None:
    """With what it did before; what was not known is no change."""
    breaks, works, unknown = (
        replace(clean(), clients=[ClientResult(client="claude-code", reach=reach)])
        for reach in (Reach.BREAKS, Reach.WORKS, Reach.UNKNOWN)
    )
    assert changes(breaks, works).better == ["Claude Code 2.1: works (before: breaks)"]
    assert changes(works, breaks).worse == ["Claude Code 2.1: breaks (before: works)"]
    assert not changes(unknown, works)


def test_what_was_not_judged_before_is_no_change() -> None:
    """A narrower run before is said to be one."""
    narrow = replace(clean(), verdicts=[], selection=Selection(profile="quick"))
    found = changes(narrow, failing())
    assert not any("No longer met" in text for text in found.worse)
    assert any("profile `quick`" in text for text in found.other)
