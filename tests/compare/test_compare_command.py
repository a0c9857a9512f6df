"""`compare` as it is typed, in real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.process import run
from report.parts import record
from report.records import failing

from metaio_verify.report.json import encode


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Save a good and a bad run."""
    (tmp_path / "good.json").write_bytes(encode(record()))
    (tmp_path / "bad.json").write_bytes(encode(failing()))
    return tmp_path


def test_a_worse_run_is_exit_code_1(saved: Path) -> None:
    """The other way round it is 0; so it is when that was asked for."""
    worse = run("compare", "good.json", "bad.json", cwd=saved)
    assert worse.returncode == 1
    assert worse.stdout.startswith("B against A: ")
    assert run("compare", "bad.json", "good.json", cwd=saved).returncode == 0
    lenient = run("compare", "good.json", "bad.json", "--no-fail-on-worse", cwd=saved)
    assert lenient.returncode == 0
    assert "Exit code 0, as asked" in lenient.stdout


def test_each_format_goes_to_its_path(saved: Path) -> None:
    """Several at once, one on standard output."""
    formats = (
        "--as",
        "markdown=d.md",
        "--as",
        "html=d.html",
        "--as",
        "json=d.json",
        "--as",
        "json",
    )
    done = run("compare", "bad.json", "good.json", *formats, cwd=saved)
    assert done.returncode == 0
    assert done.stdout == (saved / "d.json").read_text("utf-8")
    assert (saved / "d.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (saved / "d.md").read_text("utf-8").startswith("# B against A")


def test_a_comparison_in_a_file_alone_says_where_and_why(saved: Path) -> None:
    """A CI job that goes red has the reason in its log."""
    done = run("compare", "good.json", "bad.json", "--as", "markdown=why.md", cwd=saved)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("markdown: why.md\nExit code 1: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["good.json"], "nothing to compare"),
        (["good.json", "none.json"], "none.json: the run record cannot be read"),
        (["good.json", "bad.json", "--as", "htlm"], "Did you mean `html`?"),
        (["good.json", "bad.json", "--as", "json", "--as", "html"], "only one report"),
        (["good.json", "bad.json", "--as", "html=no/d.html"], "there is no folder no"),
    ],
)
def test_bad_input_is_a_usage_error(arguments: list[str], says: str, saved: Path) -> None:
    """Exit code 2, and nothing on standard output."""
    done = run("compare", *arguments, cwd=saved)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_comparison_replaces_no_record(saved: Path) -> None:
    """It holds less than either."""
    before = (saved / "good.json").read_bytes()
    done = run("compare", "good.json", "bad.json", "--as", "json=./good.json", cwd=saved)
    assert done.returncode == 2
    assert "good.json: a report would replace what it is made from" in done.stderr
    assert (saved / "good.json").read_bytes() == before
