from __future__ import annotations

import re
from pathlib import Path

import pytest
from report.records import failing
from typer.testing import CliRunner, Result

from metaio_verify.cli.main import app
from metaio_verify.report import Format
from metaio_verify.report.json import encode


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of a saved run."""
    path = tmp_path / "run.json"
    path.write_bytes(encode(failing()))
    return path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["report", *map(str, arguments)], input=stdin)


def test_the_default_is_the_report_for_a_person(saved: Path) -> None:
    """Without --as the result is shown; the exit code is about the command, not about the run."""
    done = run(saved)
    assert done.exit_code == 0
    assert done.stdout == Format.TERMINAL.render(failing())


@pytest.mark.parametrize("command", ["check", "demo", "report"])
def test_the_help_lists_every_format(command: str) -> None:
    """No format is a secret."""
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    words = set(re.findall(r"[a-z-]+", done.stdout))
    assert set(Format) <= words


@pytest.mark.parametrize("format_", Format)
def test_each_report_is_made_from_a_saved_run(saved: Path, tmp_path: Path, format_: Format) -> None:
    """To standard output and to a file, byte for byte the same; line ends are as written."""
    path = tmp_path / "report"
    shown = run(saved, "--as", format_)
    assert run(saved, "--as", f"{format_}={path}").exit_code == shown.exit_code == 0
    assert path.read_bytes() == shown.stdout_bytes
    assert b"\r" not in shown.stdout_bytes


def test_several_reports_at_once(saved: Path, tmp_path: Path) -> None:
    """Each --as makes one; files go to their paths, one may go to standard output."""
    page, copy = tmp_path / "page.md", tmp_path / "copy.json"
    done = run(saved, "--as", f"markdown={page}", "--as", f"json={copy}", "--as", "markdown")
    assert done.exit_code == 0
    assert done.stdout == page.read_text(encoding="utf-8") == Format.MARKDOWN.render(failing())
    assert copy.read_bytes() == saved.read_bytes()


def test_a_record_comes_from_a_pipe(saved: Path) -> None:
    """A dash reads standard input."""
    done = run("-", "--as", "json", stdin=saved.read_bytes())
    assert done.stdout == saved.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--as", "markdwon"], "did you mean markdown?"),
        (["--as", "json", "--as", "markdown"], "only one report can go to standard output"),
        (["--as", "markdown=no/such/folder/page.md"], "there is no folder"),
    ],
)
def test_a_wrong_report_is_a_usage_error(saved: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, one sentence and nothing on standard output."""
    done = run(saved, *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not done.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"", "the file is empty"), (b'{"format":', "cut off")],
)
def test_a_broken_record_is_a_usage_error(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """A record that is missing, empty or cut is named with its path."""
    path = tmp_path / "run.json"
    if content is not None:
        path.write_bytes(content)
    done = run(path)
    assert done.exit_code == 2
    assert str(path) in done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run.json", "--as", "markdown={0}/run.json"], 2),
        (["run.json", "--as", "html={0}/sub/../run.json"], 2),
        (["run.json", "--as", "html={0}/link.json"], 2),
        (["run.json", "--as", "markdown={0}/page.j2", "--template", "{0}/page.j2"], 2),
        (["run.json", "--as", "json={0}/run.json"], 0),
    ],
    ids=["the record", "by another path", "by a link", "the template", "a record by a record"],
)
def test_a_report_does_not_replace_what_it_is_made_from(
    saved: Path, arguments: list[str], code: int
) -> None:
    """A record is worth more than a page; only another record may take its place."""
    folder = saved.parent
    (folder / "sub").mkdir()
    (folder / "link.json").symlink_to(saved)
    (folder / "page.j2").write_text("{{ headline }}", "utf-8")
    before = saved.read_bytes(), (folder / "page.j2").read_bytes()
    record, *others = arguments
    done = run(folder / record, *(one.format(folder) for one in others))
    assert done.exit_code == code
    assert (saved.read_bytes(), (folder / "page.j2").read_bytes()) == before


def test_two_reports_do_not_go_to_one_file(saved: Path) -> None:
    """However the file is called."""
    (saved.parent / "sub").mkdir()
    done = run(
        *(saved, "--as", f"json={saved.parent}/a"),
        *("--as", f"html={saved.parent}/sub/../a"),
    )
    assert done.exit_code == 2
    assert not (saved.parent / "a").exists()
