from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaio_verify.doctor.secrets import Veil, mask, shown
from metaio_verify.doctor.shells import Change, Rename, Set, Shell, Unset, detect, lines

LINES: dict[tuple[Shell, str], tuple[Change, str]] = {
    (Shell.BASH, "set"): (Set("A", "it's $5"), "export A='it'\"'\"'s $5'"),
    (Shell.ZSH, "set"): (Set("A", "https://g.example"), "export A=https://g.example"),
    (Shell.FISH, "set"): (Set("A", "it's \\"), r"set -gx A 'it\'s \\'"),
    (Shell.POWERSHELL, "set"): (Set("A", "it's"), "$env:A = 'it''s'"),
    (Shell.BASH, "unset"): (Unset("A"), "unset A"),
    (Shell.FISH, "unset"): (Unset("A"), "set -e A"),
    (Shell.POWERSHELL, "unset"): (Unset("A"), "Remove-Item Env:A"),
    (Shell.ZSH, "rename"): (Rename("A", "B"), 'export B="$A"; unset A'),
    (Shell.FISH, "rename"): (Rename("A", "B"), "set -gx B $A; set -e A"),
    (Shell.POWERSHELL, "rename"): (Rename("A", "B"), "$env:B = $env:A; Remove-Item Env:A"),
}


@pytest.mark.parametrize("case", LINES, ids="-".join)
def test_each_shell_gets_its_own_line(case: tuple[Shell, str]) -> None:
    """A change is written as the shell writes it, with quotes where they are needed."""
    change, line = LINES[case]
    assert lines([change], case[0]) == [line]


@settings(deadline=None, max_examples=30)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=30))
def test_a_shell_reads_what_was_meant(value: str) -> None:
    """Pasted into a shell, a line sets the variable to the value and does nothing else."""
    shell = shutil.which("sh")
    assert shell is not None
    (line,) = lines([Set("A", value)], Shell.BASH) or [""]
    if not line:
        return
    done = subprocess.run([shell, "-c", f'{line}; printf %s "$A"'], capture_output=True, check=True)
    assert done.stdout.decode() == value


def test_a_value_with_a_line_break_gives_no_line() -> None:
    """What cannot be pasted safely is not offered."""
    assert lines([Set("A", "b\nrm -rf .")], Shell.BASH) == []


@pytest.mark.parametrize(
    ("environ", "platform", "shell"),
    [
        ({"SHELL": "/usr/bin/fish"}, "linux", Shell.FISH),
        ({"SHELL": "/bin/zsh"}, "darwin", Shell.ZSH),
        ({"SHELL": "/usr/bin/pwsh"}, "linux", Shell.POWERSHELL),
        ({}, "win32", Shell.POWERSHELL),
        ({"SHELL": "/bin/tcsh"}, "linux", Shell.BASH),
        ({}, "linux", Shell.BASH),
    ],
)
def test_the_shell_is_that_of_the_user(
    environ: dict[str, str], platform: str, shell: Shell
) -> None:
    """$SHELL decides; on Windows it is PowerShell."""
    assert detect(environ, platform) is shell


@given(st.text(min_size=1))
def test_a_mask_shows_a_few_characters_at_most(secret: str) -> None:
    """Of no secret more than six characters of its beginning and four of its end are shown."""
    masked = mask(secret)
    assert masked == "••••" or len(masked.replace("…", "")) <= 10 < len(secret)


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=8), st.text())
def test_the_veil_leaves_no_secret(secret: str, around: str) -> None:
    """Wherever a secret stands, in text or in data, it is masked."""
    veiled = Veil([secret])({"a": [f"{around}{secret}{around}"]})
    assert secret not in veiled["a"][0] or secret in around


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("ANTHROPIC_API_KEY", "sk-gateway-4f9a1c7e5b3d2a60", "sk-gat…2a60"),
        ("ANTHROPIC_API_KEY", "short", "••••"),
        ("ANTHROPIC_AUTH_TOKEN", "", "(empty)"),
        ("HTTPS_PROXY", "http://ada:hunter2@proxy:8080", "http://••••@proxy:8080"),
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Route: production-eu", "X-Route: pro…eu"),
        ("ANTHROPIC_MODEL", "claude-opus-5-5", "claude-opus-5-5"),
    ],
)
def test_a_value_is_shown_without_what_is_secret_in_it(name: str, text: str, expected: str) -> None:
    """Keys, passwords in URLs and values of headers are masked."""
    assert shown(name, text) == expected
