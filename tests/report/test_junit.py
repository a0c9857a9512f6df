from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import BASE, MODEL, judgement, record
from report.records import ALL, failing, refused, two_models
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import (
    Acceptance,
    Change,
    ChangeKind,
    Finding,
    RunRecord,
    Since,
    Stop,
)
from metaio_verify.report import annotate
from metaio_verify.report.junit import render
from metaio_verify.verdict import Level, Verdict

SCHEMA = xmlschema.XMLSchema(Path(__file__).parent / "junit.xsd")


class Golden(SingleFileSnapshotExtension):
    """A whole report in a file of its own."""

    file_extension = "xml"
    _write_mode = WriteMode.TEXT


def case(run: RunRecord, name: str) -> ET.Element:
    """Return the case of a check."""
    found = ET.fromstring(render(run)).find(f".//testcase[@name='{name}']")
    assert found is not None
    return found


def red(run: RunRecord) -> bool:
    """Whether a CI system sees anything that is not well."""
    root = ET.fromstring(render(run))
    elements = root.findall(".//failure") + root.findall(".//error")
    counted = sum(int(root.get(name, "")) for name in ("failures", "errors"))
    assert counted == len(elements)
    return bool(elements)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_the_document_is_what_ci_systems_accept(make: Callable[[], RunRecord]) -> None:
    """It satisfies the schema, and its counts are those of its cases."""
    SCHEMA.validate(render(make()))
    for suite in ET.fromstring(render(make())):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for name, element in {
            "failures": "failure",
            "errors": "error",
            "skipped": "skipped",
        }.items():
            assert int(suite.get(name, "")) == len(suite.findall(f"testcase/{element}"))


@pytest.mark.parametrize("make", [failing, two_models, refused])
def test_whole_document(make: Callable[[], RunRecord], snapshot: SnapshotAssertion) -> None:
    """Suites by area and model; findings with what is broken, for whom, and how to mend it."""
    assert render(make()) == snapshot.use_extension(Golden)


@pytest.mark.parametrize(
    ("check", "verdict", "strict", "element"),
    [
        ("auth.bearer", Verdict.PASS, False, None),
        ("auth.bearer", Verdict.FAIL, False, "failure"),
        ("headers.request-id", Verdict.WARN, False, "system-out"),
        ("headers.request-id", Verdict.WARN, True, "failure"),
        ("models.picker-ids", Verdict.NOTE, True, "system-out"),
        ("auth.bearer", Verdict.DECLINED, False, "skipped"),
        ("auth.bearer", Verdict.SKIPPED, False, "skipped"),
        ("auth.bearer", Verdict.WAIVED, True, "skipped"),
        ("auth.bearer", Verdict.BLOCKED, False, "error"),
        ("auth.bearer", Verdict.INCONCLUSIVE, False, "error"),
        ("headers.request-id", Verdict.BLOCKED, False, "skipped"),
        ("headers.request-id", Verdict.INCONCLUSIVE, True, "skipped"),
    ],
)
def test_each_verdict_has_its_place(
    check: str, verdict: Verdict, element: str | None, *, strict: bool
) -> None:
    """JUnit's four results stand for the nine verdicts; the verdict's own name stays in sight."""
    one = judgement(check, verdict, reason="because")
    found = case(record([one], strict=strict), check)
    assert [child.tag for child in found] == ([element] if element else [])
    for child in found:
        assert child.get("type", verdict) == verdict
        assert "because" in child.get("message", child.text or "")


@settings(max_examples=80, deadline=None)
@given(
    verdicts=st.lists(st.tuples(st.sampled_from(Level), st.sampled_from(Verdict)), max_size=4),
    strict=st.booleans(),
    stop=st.sampled_from([None, "gone", "unreachable", "interrupted"]),
)
def test_it_is_red_exactly_when_the_run_is(
    verdicts: list[tuple[Level, Verdict]], stop: Any, *, strict: bool
) -> None:
    """Whatever the mix of verdicts, JUnit and annotations agree with the exit code."""
    judgements = [
        replace(judgement(f"own.check-{number}", verdict), level=level)
        for number, (level, verdict) in enumerate(verdicts)
    ]
    stopped = Stop(kind=stop, message="It stopped.") if stop else None
    run = record(judgements, strict=strict, stopped=stopped)
    assert red(run) is (run.exit_code != 0)
    assert ("::error " in annotate.render(run)) is (run.exit_code != 0)


def test_a_run_that_judged_nothing_is_red() -> None:
    """No verdict at all is no success, also without a case that could fail."""
    assert red(record(verdicts=[], exit_code=3))


def test_a_failure_for_another_reason_is_red() -> None:
    """A run whose exit code no case explains has a case of its own that does."""
    assert "Exit code 1" in render(record(exit_code=1))
    assert red(record(exit_code=1))


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=40))
def test_no_text_makes_the_document_invalid(text: str) -> None:
    """Control characters, surrogates, quotes and tags in any string leave it well-formed."""
    finding = Finding(expected=text, actual=text, where=text, exchange="hello")
    run = record(
        [
            judgement("auth.bearer", Verdict.FAIL, finding),
            judgement("models.served", Verdict.BLOCKED, reason=text),
        ],
        models=[text],
        areas={"auth": text},
        notices=[text],
    )
    SCHEMA.validate(render(run))


def test_a_hostile_host_stays_text() -> None:
    """A base URL that is none is shown, not parsed."""
    run = failing()
    target = replace(run.target, base_url="https://[broken")
    assert "https://[broken" in render(replace(run, target=target))


def test_a_check_of_ones_own_has_its_place() -> None:
    """The case points to the line of the check file."""
    run = failing()
    info = replace(run.checks["auth.bearer"], file="checks/own.yaml", line=18)
    found = case(replace(run, checks={**run.checks, "auth.bearer": info}), "auth.bearer")
    assert (found.get("file"), found.get("line")) == ("checks/own.yaml", "18")


def test_a_failure_can_be_replayed() -> None:
    """Its text ends with the command that sends the request again, without the key."""
    failure = case(failing(), "auth.bearer").find("failure")
    assert failure is not None
    assert f"curl -sS -i --http1.1 {BASE}/v1/messages" in (failure.text or "")
    assert "$ANTHROPIC_API_KEY" in (failure.text or "")


def test_a_skipped_case_says_which_verdict_it_stands_for() -> None:
    """A legal refusal does not look like a check that nobody selected."""
    skipped = case(failing(), "streaming.forced-tool").find("skipped")
    assert skipped is not None
    assert skipped.get("message", "").startswith("declined: tool_choice is refused")
    assert MODEL in ET.tostring(case(failing(), "streaming.forced-tool"), encoding="unicode")


def test_what_an_earlier_run_had_too_is_not_red() -> None:
    """A run that fails only on what got worse is as green here as its exit code."""
    old = judgement("auth.bearer", Verdict.FAIL)
    since = Since(run="old.json", started="2026-11-21T00:00:00Z", base_url=BASE)
    known = record([old], since=since, exit_code=0)
    assert not red(known)
    assert "::error " not in annotate.render(known)
    assert [child.tag for child in case(known, "auth.bearer")] == ["system-out"]
    worse = Change(check="auth.bearer", kind=ChangeKind.NEW_FAILURE)
    assert red(record([old], since=replace(since, changes=[worse])))


def test_a_waived_case_says_why_and_until_when() -> None:
    """Whoever reads the CI job knows whom to ask and how long it will stay."""
    waiver = Acceptance(verdict=Verdict.FAIL, reason="GW-431", expires="2027-01-31")
    waived = replace(judgement("auth.bearer", Verdict.WAIVED), waiver=waiver)
    skipped = case(record([waived]), "auth.bearer").find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "waived: until 2027-01-31: GW-431"
