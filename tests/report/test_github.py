from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import MODEL, exchange, judgement, record
from report.records import ALL, clean, failing, refused
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import ClientResult, Finding, Reach, RunRecord, Trouble
from metaio_verify.report import annotate, github, outputs
from metaio_verify.report.json import encode
from metaio_verify.verdict import Verdict

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")
"""What the runner reads: a kind, properties without a colon, a message."""


class Page(SingleFileSnapshotExtension):
    """A whole summary in a file of its own."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the commands as a runner reads them; anything else on a line is a mistake."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text.removesuffix("\n")) if text else []:
        match = COMMAND.fullmatch(line)
        assert match is not None, line
        kind, properties, message = match.groups()
        pairs = dict(one.split("=", 1) for one in properties.split(","))
        found.append((kind, {k: unescaped(v) for k, v in pairs.items()}, unescaped(message)))
    return found


def unescaped(text: str) -> str:
    """Undo the escapes of workflow commands."""
    for code, sign in {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}.items():
        text = text.replace(code, sign)
    return text


def with_clients() -> RunRecord:
    """Return a run that knows whom it breaks."""
    trouble = Trouble(reach=Reach.BREAKS, sees="every call answers 401", because="auth.bearer")
    return replace(
        failing(),
        clients=[
            ClientResult(client="claude-code", reach=Reach.WORKS),
            ClientResult(client="anthropic-sdk-python>=2", reach=Reach.BREAKS, troubles=[trouble]),
            ClientResult(client="other", reach=Reach.UNKNOWN, reason="nothing was measured"),
        ],
    )


@pytest.mark.parametrize("make", [*ALL.values(), with_clients], ids=[*ALL, "with-clients"])
def test_whole_summary(make: Callable[[], RunRecord], snapshot: SnapshotAssertion) -> None:
    """The job summary of each kind of run."""
    assert github.render(make()) == snapshot.use_extension(Page)


def test_a_summary_fits_into_what_github_takes() -> None:
    """However much there is to say, it stays below one MiB and counts what is left out."""
    text = "ü" * 590
    finding = Finding(expected=text, actual=text, where=text, exchange="hello")
    many = [judgement(f"own.check-{n}", Verdict.FAIL, *[finding] * 3) for n in range(400)]
    page = github.render(record(many))
    assert len(page.encode()) < 1024 * 1024
    assert re.search(r"\d+ more findings: see the run record\.", page)


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("<>&`|\n\r \"'/ad[]()#*"), max_size=40))
@example("`<>``")
def test_no_text_leaves_its_place_in_the_summary(text: str) -> None:
    """The only tags are ours, and they are balanced; no line of a server's stands alone."""
    finding = Finding(expected=text, actual=text, where=text, exchange="hello")
    run = record([judgement("auth.bearer", Verdict.FAIL, finding, reason=text)], notices=[text])
    info = replace(run.checks["auth.bearer"], title=text, fix=text, breaks={text: text})
    page = github.render(replace(run, checks={**run.checks, "auth.bearer": info}))
    outside = re.sub(r"(?s)```sh.*?```", "", page)
    # From left to right: a sign behind a backslash begins no code, and in code there are no such.
    outside = re.sub(r"\\[!-/:-@\[-`{-~]|(`+)(?!`).+?(?<!`)\1(?!`)", "", outside)
    tags = re.findall(r"<(?!https?:)[^<>]*>", outside)
    assert set(tags) <= {"<details open>", "<details>", "</details>"} | {
        *("<summary>", "</summary>", "<code>", "</code>")
    }
    assert page.count("<details") == page.count("</details>")


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_whole_annotations(make: Callable[[], RunRecord], snapshot: SnapshotAssertion) -> None:
    """Each kind of run as the runner reads it."""
    found = commands(annotate.render(make()))
    assert "\n".join(f"{kind} {named}\n{text}\n" for kind, named, text in found) == snapshot


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=60) | st.text(alphabet="\r\n:,%=#[] \u2028\u0085\x0b\x0c", max_size=30)
)
def test_no_text_begins_a_command(text: str) -> None:
    """Whatever a server writes, there is one command for each check, and each is ours."""
    text = f"{text}\n::add-mask::x\r::stop-commands::y\n##[error]z"
    finding = Finding(expected=text, actual=text, where=text, exchange="hello")
    run = record(
        [
            judgement("auth.bearer", Verdict.FAIL, finding, reason=text),
            judgement("models.served", Verdict.BLOCKED, reason=text),
        ],
        models=[text],
    )
    info = replace(
        run.checks["auth.bearer"], title=text, fix=text, breaks={text: text}, file=text, line=3
    )
    run = replace(run, checks={**run.checks, "auth.bearer": info})
    found = commands(annotate.render(run))
    assert [kind for kind, _, _ in found] == ["error", "error"]
    assert all(set(named) <= {"file", "line", "title"} for _, named, _ in found)


def test_a_clean_run_annotates_nothing() -> None:
    """Annotations are for what is not well."""
    assert annotate.render(clean()) == ""


def test_an_annotation_points_to_a_check_of_ones_own() -> None:
    """The file and line of the user's check file; a built-in check has none in the workspace."""
    run = failing()
    info = replace(run.checks["auth.bearer"], file="checks/own, old.yaml", line=18)
    run = replace(run, checks={**run.checks, "auth.bearer": info})
    places = [
        (named.get("file"), named.get("line")) for _, named, _ in commands(annotate.render(run))
    ]
    assert places[0] == ("checks/own, old.yaml", "18")
    assert set(places[1:]) == {(None, None)}


def test_strict_warnings_are_errors() -> None:
    """What fails the run is annotated as an error."""
    warned = [judgement("headers.request-id", Verdict.WARN)]
    assert [kind for kind, _, _ in commands(annotate.render(record(warned)))] == ["warning"]
    strict = record(warned, strict=True)
    assert [kind for kind, _, _ in commands(annotate.render(strict))] == ["error"]


def test_a_run_that_did_not_begin_is_one_error() -> None:
    """The cause and what usually helps, not one annotation for each check."""
    ((kind, _, message),) = commands(annotate.render(refused()))
    assert kind == "error"
    assert "refuses the credential" in message
    assert "Is the token enabled" in message


def test_no_more_annotations_than_are_shown() -> None:
    """GitHub keeps ten of a kind; the tenth counts the rest."""
    many = [judgement(f"own.check-{n}", Verdict.FAIL) for n in range(14)]
    found = commands(annotate.render(record(many)))
    assert len(found) == 10
    assert found[-1][1]["title"] == "5 more of metaio-verify"
    assert "own.check-13" in found[-1][2]


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_outputs_are_lines(make: Callable[[], RunRecord]) -> None:
    """Each line is a name and its value, whatever a model is called."""
    lines = outputs.render(make()).splitlines()
    names = [line.partition("=")[0] for line in lines]
    assert names == list(outputs.values(make()))
    assert all(line.isprintable() for line in lines)


def test_outputs_of_a_failing_run() -> None:
    """The figures that later steps act on."""
    found = outputs.values(failing())
    assert found["verdict"] == "does-not-work"
    assert found["exit-code"] == "1"
    assert (found["failed"], found["warnings"], found["unknown"]) == ("2", "1", "1")
    assert outputs.values(clean())["verified-models"] == '["claude-sonnet-5-5"]'


@pytest.mark.parametrize("render", [github.render, annotate.render, outputs.render])
def test_nothing_is_left_of_the_models_own_markup(render: Callable[[RunRecord], str]) -> None:
    """A saved record gives the same text, and it ends with a line break."""
    from metaio_verify.report.json import decode  # noqa: PLC0415

    run = record([judgement("auth.bearer", Verdict.FAIL)], models=[MODEL], more=[exchange("x")])
    assert render(decode(encode(run), "run.json")) == render(run)
    assert render(run).endswith("\n")
