from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from report.parts import record
from report.records import failing

from metaio_verify.errors import UserError
from metaio_verify.report import FORMATS, Format, Output, deliver, parse_target, prepare
from metaio_verify.report.files import write

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


def markdown(path: Path) -> Output:
    """Return a page that is to go there."""
    return Output(Format.MARKDOWN, path)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("json=run.json", Output(Format.JSON, Path("run.json"))),
        ("markdown=a=b.md", Output(Format.MARKDOWN, Path("a=b.md"))),
        ("terminal", Output(Format.TERMINAL)),
        ("json=-", Output(Format.JSON)),
    ],
)
def test_a_report_is_a_format_and_a_path(text: str, output: Output) -> None:
    """Without a path, or with a dash, it goes to standard output."""
    assert parse_target(text) == output


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("markdwon=page.md", "did you mean markdown=page.md?"),
        ("JSON=run.json", "did you mean json=run.json?"),
        ("md=page.md", "did you mean markdown=page.md?"),
        ("page.md", "did you mean markdown=page.md?"),
        ("run.xml", "did you mean junit=run.xml?"),
        ("page.html", "did you mean html=page.html?"),
        ("badge.svg", "did you mean badge=badge.svg?"),
        ("xyz", f"the formats are {', '.join(Format)}"),
        ("", "the formats are terminal, markdown, json"),
        ("json=", "write json=PATH"),
        ("json=reports/", "name a file in it: json=reports/report"),
    ],
)
def test_a_wrong_report_gets_the_nearest_right_one(text: str, hint: str) -> None:
    """An unknown format or a missing path is a usage error with a way out."""
    with pytest.raises(UserError) as caught:
        parse_target(text)
    assert hint in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("format_", FORMATS.values())
def test_each_format_renders(format_: Format) -> None:
    """Every format makes a text of a record and says in one line what it is."""
    assert format_.render(failing()).endswith("\n")
    assert format_.summary


def test_preparing_leaves_nothing_behind(tmp_path: Path) -> None:
    """What can be written is neither made nor changed."""
    there = tmp_path / "there.md"
    there.write_text("before")
    prepare([markdown(there), markdown(tmp_path / "new.md")])
    assert [path.name for path in tmp_path.iterdir()] == ["there.md"]
    assert there.read_text() == "before"


def test_every_obstacle_is_named_at_once(tmp_path: Path) -> None:
    """A missing folder, a folder in place of a file, and a path through a file are found."""
    (tmp_path / "file").write_text("")
    wrong = [tmp_path / "no" / "page.md", tmp_path, tmp_path / "file" / "page.md"]
    with pytest.raises(UserError) as caught:
        prepare(map(markdown, wrong))
    messages = [problem.message for problem in caught.value.problems]
    assert messages[0] == f"there is no folder {tmp_path / 'no'}"
    assert messages[1:] == ["this is a folder", "a part of this path is a file, not a folder"]
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_cannot_be_is_found(tmp_path: Path, name: str) -> None:
    """A name that is too long, or no name, is found before the run too."""
    with pytest.raises(UserError):
        prepare([markdown(tmp_path / name)])


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_missing_permission_is_found(tmp_path: Path) -> None:
    """A folder or a file that may not be written to is found."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    guarded = tmp_path / "guarded.md"
    guarded.touch(mode=0o400)
    with pytest.raises(UserError) as caught:
        prepare([markdown(locked / "page.md"), markdown(guarded)])
    assert len(caught.value.problems) == 2


def test_two_reports_do_not_share_a_place(tmp_path: Path) -> None:
    """Two reports for one file, or for standard output, are refused."""
    page = tmp_path / "page.md"
    for outputs in ([markdown(page), Output(Format.JSON, page)], [Output(Format.JSON)] * 2):
        with pytest.raises(UserError):
            prepare(outputs)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The old text is gone, nothing else is left, line ends and letters are as given."""
    page = tmp_path / "page.md"
    page.write_text("a much longer text that was there before")
    write(page, "neu: ü\n")
    assert page.read_bytes() == "neu: ü\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Text that cannot be written harms nothing and is told in a sentence."""
    page = tmp_path / "page.md"
    page.write_text("before")
    with pytest.raises(UserError):
        write(page, "half \ud800")
    assert page.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@posix
def test_permissions_fit_the_content(tmp_path: Path) -> None:
    """What holds whole exchanges is its owner's alone, the others are for everybody."""
    deliver(record(), [Output(format_, tmp_path / format_) for format_ in Format])
    closed = {
        path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) == 0o600
    }
    opened = {
        path.name for path in tmp_path.iterdir() if stat.S_IMODE(path.stat().st_mode) == 0o644
    }
    assert closed == {"json", "html", "wire"}
    assert closed | opened == set(Format)


@posix
def test_links_and_devices_stay_what_they_are(tmp_path: Path) -> None:
    """A link is written through, a device or pipe is written to."""
    real, link = tmp_path / "real.md", tmp_path / "link.md"
    link.symlink_to(real)
    prepare([markdown(link), markdown(Path(os.devnull))])
    write(link, "x")
    write(Path(os.devnull), "x")
    assert link.is_symlink()
    assert real.read_text() == "x"
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_the_result_is_shown_and_its_exit_code_returned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports go to their files, the result to standard output, the talk to standard error."""
    code = deliver(failing(), [markdown(tmp_path / "page.md")])
    shown = capsys.readouterr()
    assert code == 1
    assert shown.out.startswith("Claude Code will not work here")
    assert shown.err == f"markdown: {tmp_path / 'page.md'}\n"


def test_a_report_on_standard_output_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON for a pipe is not mixed with the result for a person."""
    deliver(failing(), [Output(Format.JSON)])
    assert capsys.readouterr().out == Format.JSON.render(failing())
