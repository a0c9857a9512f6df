from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import exchange, judgement, record
from report.records import blocked, failing
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.compare.build import compare
from metaio_verify.compare.formats import Format
from metaio_verify.compare.model import FORMAT, Comparison
from metaio_verify.errors import UserError
from metaio_verify.record import (
    ClientResult,
    Clock,
    Finding,
    Judgement,
    Reach,
    RunRecord,
    Stop,
)
from metaio_verify.report.surface import Surface
from metaio_verify.verdict import Verdict
from metaio_verify.wanted import Earlier

FAIL, PASS, WARN = Verdict.FAIL, Verdict.PASS, Verdict.WARN
MODEL = "gpt-5.4"


class Golden(SingleFileSnapshotExtension):
    """A whole report in a text file of its own."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


def runs(*records: RunRecord, **options: Any) -> Comparison:
    """Compare records, named a.json, b.json and so on."""
    earlier = [
        Earlier(f"{name}.json", one) for name, one in zip("abcdefghij", records, strict=False)
    ]
    return compare(earlier, **options)


def timed(one: RunRecord, seconds: float, probe: str = "hello") -> RunRecord:
    """Return a run in which a probe took so long."""
    exchanges = [
        replace(e, timing=Clock(headers=seconds / 2, total=seconds, chunks=[(seconds / 2, 18)]))
        if e.probe == probe
        else e
        for e in one.exchanges
    ]
    return replace(one, exchanges=exchanges)


def worse() -> RunRecord:
    """Return a run with one new failure, slower, with a client that breaks."""
    finding = Finding(expected="status 200", actual="401 authentication_error", exchange="hello")
    run = record([judgement("auth.bearer", FAIL, finding), judgement("headers.request-id", WARN)])
    found = [ClientResult(client="claude-code", reach=Reach.BREAKS)]
    capabilities = {MODEL: {"role-system": False, "forced-tool-choice": True}}
    return replace(
        timed(run, 1.4), clients=found, capabilities=capabilities, started="2026-11-25T08:00:00Z"
    )


def base() -> RunRecord:
    """Return the run before."""
    return replace(record(), clients=[ClientResult(client="claude-code", reach=Reach.WORKS)])


def several() -> RunRecord:
    """Return a run of two models, of which the second fails."""
    failed = judgement("messages.shape", FAIL, Finding(expected="a", actual="b"), model="b")
    return record([failed], models=["a", "b"])


CASES: dict[str, list[RunRecord]] = {
    "two dates": [base(), worse()],
    "mended": [worse(), base()],
    "three": [worse(), failing(), base()],
    "models of one run": [several()],
    "many": [base(), *[worse()] * 7, failing()],
    "blocked": [base(), blocked()],
}


@pytest.mark.parametrize("format_", [Format.TERMINAL, Format.MARKDOWN])
@pytest.mark.parametrize("name", CASES)
def test_whole_report(name: str, format_: Format, snapshot: SnapshotAssertion) -> None:
    """Each kind of comparison as text."""
    assert format_.render(runs(*CASES[name])) == snapshot.use_extension(Golden)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Any number of runs is laid out; what does not fit beside comes below."""
    for every in (False, True):
        text = Format.TERMINAL.render(runs(*CASES[name]), Surface(width), every=every)
        assert max(map(len, text.splitlines())) <= width


def test_differences_come_first_the_worst_before_all() -> None:
    """Then what is the same."""
    found = runs(base(), worse())
    assert [row.check for row in found.rows[:2]] == ["auth.bearer", "headers.request-id"]
    assert not any(row.differs for row in found.rows[2:])
    assert found.headline == "1 failing now, 1 worse"


CODES: dict[str, tuple[list[RunRecord], int]] = {
    "worse": ([base(), worse()], 1),
    "mended": ([worse(), base()], 0),
    "the same failures": ([worse(), worse()], 0),
    "worse in between only": ([base(), worse(), base()], 0),
    "no longer known": ([base(), blocked()], 3),
    "the last was interrupted": (
        [base(), record(stopped=Stop(kind="interrupted", message="…"))],
        3,
    ),
    "a model that fails": ([several()], 1),
}


@pytest.mark.parametrize(("records", "code"), CODES.values(), ids=CODES)
def test_the_exit_code_is_about_what_got_worse_from_first_to_last(
    records: list[RunRecord], code: int
) -> None:
    """As with --baseline-run; it can be switched off."""
    assert runs(*records).exit_code == code
    assert runs(*records, fail_on_worse=False).exit_code == 0
    assert runs(*records, fail_on_worse=False).outcome == code


def test_two_endpoints_with_a_model_each_are_compared() -> None:
    """Whatever the models are called."""
    found = runs(record(models=["a"]), record(models=["b"]))
    assert found.pairs == [(0, 1)]
    assert found.headline == "No check differs"


def test_models_of_several_runs_are_compared_by_their_ids() -> None:
    """The later run's model with the same one of the earlier run."""
    found = runs(several(), several())
    assert [column.label for column in found.columns] == ["A1", "A2", "B1", "B2"]
    assert found.pairs == [(0, 2), (1, 3)]
    assert found.exit_code == 0


def test_one_target_is_nothing_to_compare() -> None:
    """The error says what is needed."""
    with pytest.raises(UserError, match="nothing to compare"):
        runs(record())


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [(0.2, 0.5, True), (0.5, 0.2, True), (0.02, 0.09, False), (1.0, 1.4, False), (2.0, 3.2, True)],
)
def test_only_large_moves_of_latency_are_shown(before: float, now: float, *, moved: bool) -> None:
    """By half and by a tenth of a second at least."""
    found = runs(timed(record(), before), timed(record(), now))
    [one] = [one for one in found.latencies if one.probe == "hello"]
    assert one.moved is moved
    assert one.total == [before, now]
    assert one.first_byte == [before / 2, now / 2]
    assert ("0.25/0.50" in Format.TERMINAL.render(found)) is (moved and 0.5 in (before, now))


def test_a_median_is_taken_over_the_copies_of_a_probe() -> None:
    """Failed exchanges do not count."""
    copies = [
        replace(exchange("burst", id_=f"burst/{n}"), timing=Clock(total=float(n)))
        for n in (1, 2, 9)
    ]
    found = runs(record(more=copies), record(more=copies[:1]))
    [one] = [one for one in found.latencies if one.probe == "burst"]
    assert one.total == [2.0, 1.0]


def test_runs_that_are_hard_to_compare_say_so() -> None:
    """Another profile, or a run that was cut short."""
    other = record(stopped=Stop(kind="deadline", message="The run was not finished after 9 s."))
    other = replace(other, selection=replace(other.selection, profile="quick"))
    notices = runs(record(), other).notices
    assert notices == [
        "The runs are of different profiles: full and quick.",
        "B was not finished: The run was not finished after 9 s.",
    ]


def test_the_json_form_has_everything() -> None:
    """Every check with every verdict, the changes, latencies, clients and cost."""
    document = json.loads(Format.JSON.render(runs(base(), worse())))
    assert document["format"] == FORMAT
    assert document["rows"][0]["kind"] == "new failure"
    assert [cell["verdict"] for cell in document["rows"][0]["cells"]] == ["pass", "fail"]
    assert document["clients"] == [{"client": "Claude Code", "reach": ["works", "breaks"]}]
    assert document["runs"][1]["cost"]["requests"] == 68


class Tags(HTMLParser):
    """Collects the tags of a page and where they lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def _hostile(text: str) -> RunRecord:
    finding = Finding(expected=text, actual=text, where=text)
    run = record([judgement("auth.bearer", FAIL, finding), judgement("own.new", FAIL, reason=text)])
    info = replace(run.checks["auth.bearer"], title=text)
    return replace(
        run,
        checks={**run.checks, "auth.bearer": info},
        target=replace(run.target, base_url=text, models=[text]),
        started=text,
        clients=[ClientResult(client=text, reach=Reach.BREAKS)],
        capabilities={text: {text: True}},
        stopped=Stop(kind="deadline", message=text),
        exchanges=[replace(e, probe=text, timing=Clock(total=9.0)) for e in run.exchanges],
    )


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    """Strings of a server are text; there is no script and no address."""
    page = Format.HTML.render(runs(base(), _hostile("<script>alert(1)</script><img src=//x>")))
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img", "link", "iframe", "form"} & tags.tags
    assert tags.addresses == []
    assert "default-src &#39;none&#39;" in page
    assert "&lt;script&gt;" in page


@settings(max_examples=30, deadline=None)
@given(text=st.text(min_size=1, max_size=40))
def test_no_text_of_a_server_gets_through(text: str) -> None:
    """A terminal gets printable lines, Markdown no markup, the page no tag."""
    found = runs(base(), _hostile(text))
    shown = Format.TERMINAL.render(found)
    assert all(line.isprintable() for line in shown.split("\n"))
    tags = Tags()
    tags.feed(Format.HTML.render(found))
    plain = Tags()
    plain.feed(Format.HTML.render(runs(base(), _hostile("x"))))
    assert tags.tags == plain.tags
    rendered = Format.MARKDOWN.render(found)
    assert set(re.findall(r"<(/?\w+)", rendered)) <= {
        *("br", "details", "/details", "summary", "/summary"),
    }


def test_a_waiver_is_no_new_failure() -> None:
    """What is accepted is shown, and does not count."""
    waived: list[Judgement] = [judgement("auth.bearer", Verdict.WAIVED)]
    found = runs(base(), record(waived))
    assert (found.headline, found.exit_code) == ("1 worse", 0)
