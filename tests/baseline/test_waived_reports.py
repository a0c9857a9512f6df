from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace
from report.parts import judgement, record
from report.records import with_stale_waiver

from metaio_verify.after import with_since
from metaio_verify.record import Acceptance, Finding, RunRecord, Waiver, WaiverState
from metaio_verify.report import Format
from metaio_verify.verdict import Verdict
from metaio_verify.wanted import Earlier

PLACE = ("baseline.yaml", "2")
BLOCKED = Verdict.BLOCKED
TITLE = "The key works as Authorization Bearer"


def waived() -> RunRecord:
    """Return a run with one waived failure."""
    finding = Finding(expected="status 200", actual="401", exchange="hello")
    accepted = Acceptance(verdict=Verdict.FAIL, reason="secret plan 12", expires="2027-01-31")
    one = replace(judgement("auth.bearer", Verdict.WAIVED, finding), waiver=accepted)
    used = Waiver(
        check="auth.bearer", reason="secret plan 12", expires="2027-01-31", state=WaiverState.USED
    )
    return replace(record([one]), waivers=[used])


def test_customers_are_told_of_what_is_waived() -> None:
    """The page is ready to publish and lists the deviation, without the operator's reason."""
    page = Format.MARKDOWN.render(waived())
    assert "**Verified on" in page
    assert f"### {TITLE}" in page.partition("## Known deviations")[2]
    assert "Set `ANTHROPIC_API_KEY`" in page
    assert "secret plan" not in page


def test_a_page_claims_nothing_that_is_waived() -> None:
    """What was found counts, not what was accepted."""
    claims = Format.MARKDOWN.render(waived()).partition("## Why this works")[2]
    assert "anthropic-version" in claims.partition("##")[0]
    assert TITLE not in claims.partition("##")[0]


def test_the_terminal_says_why_and_until_when() -> None:
    """For the operator."""
    text = " ".join(Format.TERMINAL.render(waived()).split())
    assert text.startswith("Works: 9 of 10 must-checks pass, 1 waived")
    assert "secret plan 12 (until 2027-01-31) (1 check) auth.bearer" in text


def test_a_stale_waiver_is_the_headline_when_nothing_else_is_wrong() -> None:
    """The page is not ready to publish, and names it with its line."""
    stale = Waiver(
        check="auth.bearer",
        model="a|b",
        reason="x",
        expires="2020-01-01",
        state=WaiverState.UNUSED,
        detail="The check does not deviate any more: remove the waiver.",
        place="b.yaml:3:5",
    )
    run = replace(record(), waivers=[stale], exit_code=1)
    page = Format.MARKDOWN.render(run)
    assert "**Not ready to publish.** 1 waiver is unused; 10 of 10 must-checks pass." in page
    assert "(`b.yaml:3:5`) is unused" in page
    # A record never claims more than its waivers allow, whatever exit code somebody wrote into it.
    assert Format.MARKDOWN.render(replace(run, exit_code=0)) == page


def test_junit_is_green_exactly_when_the_run_is() -> None:
    """What failed in the earlier run as well is a remark."""
    old = record([judgement("auth.bearer", Verdict.FAIL), judgement("models.served", BLOCKED)])
    red = re.compile(r"<(failure|error) ")
    assert red.search(Format.JUNIT.render(old))
    same = with_since(old, Earlier("old.json", old))
    assert same.exit_code == 0
    assert not red.search(Format.JUNIT.render(same))
    new = with_since(old, Earlier("old.json", record()))
    assert len(red.findall(Format.JUNIT.render(new))) == 2


def test_junit_names_each_waiver() -> None:
    """A stale one is an error of its own, with its place, also beside a check that fails."""
    stale = replace(with_stale_waiver().waivers[0], model=None)
    used = replace(stale, check="models.served", model="m", state=WaiverState.USED, detail="")
    failed = record([judgement("auth.bearer", Verdict.FAIL)])
    text = Format.JUNIT.render(replace(failed, waivers=[stale, used], exit_code=1))
    suites = {one.get("name"): one for one in ET.fromstring(text)}
    one, other = suites["Waivers"].findall("testcase")
    error = one.find("error")
    assert error is not None
    assert error.get("type") == "waiver-expired"
    said = "the waiver of auth.bearer is expired: It expired on 2026-01-31."
    assert (error.get("message") or "").startswith(said)
    assert (one.get("name"), one.get("file"), one.get("line")) == ("auth.bearer", *PLACE)
    assert "Its reason: <img src=x>" in (error.text or "")
    assert other.get("name") == "models.served with m"
    assert other.find("*") is None
    assert "Run" not in suites
    assert len(re.findall("<(?:failure|error) ", text)) == 2


def test_an_annotation_names_each_stale_waiver_at_its_place() -> None:
    """It is what fails the run, so it is an error; nothing says that the endpoint is not known."""
    text = Format.ANNOTATIONS.render(with_stale_waiver())
    (line,) = text.splitlines()
    where = "file=baseline.yaml,line=2,title=auth.bearer%3A the waiver is expired"
    assert line.startswith(f"::error {where}::It expired on 2026-01-31.")


def test_annotations_tell_what_is_new_from_what_was_there() -> None:
    """With several models, the new failure is the error, and only its model is named there."""
    judged = [
        replace(judgement(check, verdict), model=model)
        for check, verdict in (("auth.bearer", Verdict.FAIL), ("models.served", BLOCKED))
        for model in ("old", "new")
    ]
    before = [one if one.model == "old" else replace(one, verdict=Verdict.PASS) for one in judged]
    run = record(judged, models=["old", "new"])
    run = with_since(run, Earlier("old.json", record(before, models=["old", "new"])))
    lines = Format.ANNOTATIONS.render(run).splitlines()
    failed, blocked, known = lines
    assert failed.startswith("::error title=auth.bearer")
    assert "With: new%0A" in failed
    assert blocked.startswith("::error title=1 must-check blocked")
    assert known.startswith("::warning title=auth.bearer")
    assert "::The earlier run had it too, so it fails nothing.%0A" in known
    assert "With: old%0A" in known


@pytest.mark.parametrize("format_", [Format.HTML, Format.GITHUB, Format.MARKDOWN])
def test_what_a_run_is_held_against_stands_in_every_report_for_people(format_: Format) -> None:
    """The stale waiver, what changed, and where the reference differs; all of it harmless."""
    text = format_.render(with_stale_waiver())
    assert "baseline.yaml:2:5" in text
    assert "fail → pass" in text
    assert "Against the reference" in text
    assert "not there" in text
    assert "\x1b" not in text
    written = re.sub(r"`[^`].*`", "", text)
    assert "<img" not in written


@pytest.mark.parametrize("format_", [Format.HTML, Format.GITHUB])
def test_a_run_that_is_held_against_nothing_says_nothing_of_it(format_: Format) -> None:
    """No empty sections."""
    text = format_.render(record())
    assert "Against the reference" not in text
    assert "Changed since" not in text
    assert "waiver" not in text.lower()
