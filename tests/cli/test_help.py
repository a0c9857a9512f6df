"""What `--help` says, on terminals of several widths."""

from __future__ import annotations

import re

import pytest
from cli.process import run
from typer.testing import CliRunner

from metaio_verify.cli import main
from metaio_verify.exitcodes import ExitCode
from metaio_verify.suite.load import builtin

COMMANDS = ["check", "demo", "report", "compare", "doctor", "serve", "init", "checks"]


@pytest.mark.parametrize("columns", ["60", "80"])
@pytest.mark.parametrize("command", [None, "check", "doctor", "checks"])
def test_help_fits_the_terminal(command: str | None, columns: str) -> None:
    """No line is longer than the terminal is wide, and nothing is cut off."""
    done = run(*filter(None, [command]), "--help", env={"COLUMNS": columns})
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= int(columns)


def test_the_first_page_names_each_command_and_exit_code() -> None:
    """With the whole first sentence of a command and the whole meaning of a code."""
    text = " ".join(run("--help").stdout.split())
    for command in COMMANDS:
        assert f" {command} " in text
    assert "Verify an endpoint: find out whether Claude Code and the SDKs work with it." in text
    for code in ExitCode:
        assert f" {code.value} {code.meaning}" in text


def test_options_stand_under_what_they_are_about() -> None:
    """Only --help is about nothing."""
    text = run("check", "--help").stdout
    assert "\nOptions:\n  -h, --help  Show this message and exit.\n" in text
    headings = re.findall(r"^(\w.*):$", text, re.MULTILINE)
    assert headings[0] == "Target"
    assert headings[-1] == "Options"


def test_help_names_each_profile() -> None:
    """The profiles of the suite are written out, so they may be forgotten there."""
    text = " ".join(run("check", "--help").stdout.split())
    names = text.partition("A named selection: ")[2].partition(".")[0]
    assert set(re.split(r", | or ", names)) == set(builtin().profiles)


def test_a_command_that_cannot_be_loaded_is_no_typo(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong inside of the program is told as such."""

    def broken(_: str) -> None:
        raise KeyError("inside")

    monkeypatch.setattr(main, "import_module", broken)
    done = CliRunner().invoke(main.app, ["check"])
    assert isinstance(done.exception, KeyError)
    assert "No such command" not in done.output
