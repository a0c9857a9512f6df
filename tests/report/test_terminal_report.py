from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import exchange, judgement, record
from report.records import ALL, blocked, clean, failing
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import Finding, RunRecord
from metaio_verify.report.json import decode, encode
from metaio_verify.report.layout import Page
from metaio_verify.report.surface import Surface
from metaio_verify.report.terminal import render
from metaio_verify.verdict import Verdict

SGR = re.compile(r"\x1b\[[\d;]*m")
WIDTHS = (60, 80, 120)


class Golden(SingleFileSnapshotExtension):
    """A whole report in a text file of its own."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return a snapshot that is a text file."""
    return snapshot.use_extension(Golden)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_whole_report(make: Callable[[], RunRecord], width: int, golden: SnapshotAssertion) -> None:
    """The report of each kind of run, as it stands in a pipe or a file."""
    assert render(make(), Surface(width)) == golden


def test_whole_report_in_colour(golden: SnapshotAssertion) -> None:
    """Colour marks the verdicts and sets labels back, nothing else."""
    assert render(failing(), Surface(80, colour=True)) == golden


def test_whole_report_on_an_ascii_terminal(golden: SnapshotAssertion) -> None:
    """No sign is lost where only ASCII can be shown."""
    text = render(failing(), Surface(60, unicode=False))
    assert text.isascii()
    assert text == golden


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_nothing_but_commands_is_wider_than_the_terminal(
    make: Callable[[], RunRecord], width: int
) -> None:
    """Everything is wrapped, save what a person copies into a shell."""
    copied = ("curl ", "jq ", "-H ", "--data")
    lines = [
        line
        for line in render(make(), Surface(width)).splitlines()
        if not line.strip().startswith(copied)
    ]
    assert max(map(len, lines)) <= width


def test_colour_changes_no_word() -> None:
    """Without its colours, the report in colour is the plain report."""
    assert SGR.sub("", render(failing(), Surface(80, colour=True))) == render(failing())


@pytest.mark.parametrize("make", [make for name, make in ALL.items() if name != "hostile"])
def test_a_saved_record_gives_the_same_report(make: Callable[[], RunRecord]) -> None:
    """Nothing in a report depends on what is not in the record."""
    assert render(decode(encode(make()), "run.json")) == render(make())


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=60), width=st.integers(40, 120), colour=st.booleans())
def test_no_text_reaches_the_terminal_alive(text: str, width: int, *, colour: bool) -> None:
    """Escapes, controls, markup and overrides in any string come out as visible text."""
    finding = Finding(expected=text, actual=text, where=text, exchange="evil")
    run = record(
        [
            judgement("auth.bearer", Verdict.FAIL, finding),
            judgement("models.served", Verdict.BLOCKED, reason=text),
        ],
        models=[text],
        notices=[text],
        areas={"auth": text},
        more=[exchange("evil", body=text.encode("utf-8", "replace").decode())],
    )
    info = replace(run.checks["auth.bearer"], title=text, fix=text, breaks={text: text})
    run = replace(run, checks={**run.checks, "auth.bearer": info})
    shown = SGR.sub("", render(run, Surface(width, colour=colour)))
    assert all(line.isprintable() for line in shown.split("\n"))


def test_markup_is_text() -> None:
    """What looks like markup of the display library, or a name of an emoji, is shown as it is."""
    finding = Finding(expected="[bold]x[/bold] :skull:", actual="[/]")
    text = render(record([judgement("auth.bearer", Verdict.FAIL, finding)]))
    assert "[bold]x[/bold] :skull:" in text
    assert "[/]" in text


def test_a_clean_report_fits_on_a_screen() -> None:
    """A run without a flaw is the verdict, the target and a line for each area."""
    text = render(clean())
    assert len(text.splitlines()) < 24
    assert text.startswith("Works: 10 of 10 must-checks pass\n")


def test_strict_warnings_are_shown_in_full() -> None:
    """What fails the run is shown with a command that replays it."""
    warned = [judgement("headers.request-id", Verdict.WARN)]
    assert "Replay" not in render(record(warned))
    assert "Replay" in render(record(warned, strict=True))


def test_many_ids_are_counted() -> None:
    """Of a long list of checks, the first are named and the rest is counted."""
    ids = [f"own.check-{number}" for number in range(40)]
    run = record([judgement(id_, Verdict.SKIPPED, reason="not selected") for id_ in ids])
    text = " ".join(render(run).split())
    assert "not selected (40 checks)" in text
    assert text.endswith("own.check-11, 28 more")


def test_a_cause_is_said_once() -> None:
    """However many checks are blocked, their reason stands there once, with their count."""
    text = render(blocked())
    assert text.count("hello was answered 500") == 1
    assert "6 checks, 4 must-checks among them" in " ".join(text.split())


def test_a_page_may_be_long() -> None:
    """Every line stands in its place, however many are printed at a time."""
    page = Page(Surface())
    lines = [f"line {number}" for number in range(1201)]
    for line in lines:
        page.verbatim(line, indent=0)
    assert str(page).splitlines() == lines
