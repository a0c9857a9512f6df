from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.process import run
from doctor.loopback import KEY, Running, gateway
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.doctor.finding import Finding, Fix, Severity, pasted
from metaio_verify.doctor.live.asker import Try
from metaio_verify.doctor.render import render
from metaio_verify.doctor.report import Fact, Report
from metaio_verify.doctor.shells import Set, Shell
from metaio_verify.report.surface import Surface


class Golden(SingleFileSnapshotExtension):
    """A whole report in a text file of its own."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


def report(*findings: Finding, answered: bool = False) -> Report:
    """Return a diagnosis of a gateway."""
    base = "https://gateway.example.com/v1"
    return Report(
        version="1.0.0",
        answered=answered,
        exit_code=0 if answered else 3,
        destination=base,
        platform="linux",
        shell=Shell.FISH,
        client="2.1.330 at ~/.local/bin/claude",
        settings=["~/.claude/settings.json (user settings)"],
        facts=[
            Fact(
                name="ANTHROPIC_BASE_URL",
                value=base,
                origin="from ~/.claude/settings.json:3",
                hides=["https://gateway.example.com from the environment"],
            ),
            Fact(name="ANTHROPIC_AUTH_TOKEN", value="sk-gat…2a60", origin="from the environment"),
            Fact(name="main model", value="gpt-5.4", origin="from the environment"),
        ],
        tries=[
            Try(
                request=f"POST {base}/v1/messages?beta=true",
                model="gpt-5.4",
                credential="authorization",
                status=404,
                seconds=0.1234,
                outcome="nothing is there",
                ok=False,
            )
        ],
        findings=list(findings),
    )


PROBLEM = Finding(
    id="base-url-with-v1",
    severity=Severity.PROBLEM,
    title="ANTHROPIC_BASE_URL ends in /v1",
    detail="Claude Code appends /v1/messages by itself.",
    origins=["~/.claude/settings.json:3 env.ANTHROPIC_BASE_URL"],
    action="Write this in ~/.claude/settings.json, line 3.",
    fix=Fix(
        file="~/.claude/settings.json, line 3",
        json='"ANTHROPIC_BASE_URL": "https://gateway.example.com"',
    ),
)
WARNING = Finding(
    id="background-model-unknown",
    severity=Severity.WARNING,
    title="claude-haiku-5-5 is not served",
    action="Set ANTHROPIC_DEFAULT_HAIKU_MODEL to gpt-5.4.",
    fix=pasted(Set("ANTHROPIC_DEFAULT_HAIKU_MODEL", "gpt-5.4")),
)
REPORTS = {
    "broken": report(PROBLEM, WARNING),
    "working": report(WARNING, answered=True),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_whole_report(name: str, snapshot: SnapshotAssertion) -> None:
    """The report as it stands in a terminal of 80 columns."""
    assert render(REPORTS[name], Surface(80)) == snapshot.use_extension(Golden)


def test_the_report_on_an_ascii_terminal() -> None:
    """No sign is lost where only ASCII can be shown."""
    assert render(REPORTS["broken"], Surface(60, unicode=False)).isascii()


def test_nothing_but_lines_to_paste_is_wider_than_the_terminal() -> None:
    """Text is wrapped; what is to be copied is not."""
    pasted_ = {PROBLEM.fix.json, *WARNING.fix.commands[Shell.FISH]}
    for line in render(REPORTS["broken"], Surface(60)).splitlines():
        assert len(line) <= 60 or line.strip() in pasted_


def test_the_doctor_as_a_process(tmp_path: Path) -> None:
    """The command reads the user's settings, sends a message and exits with 0."""
    with Running(gateway()) as server:
        settings = tmp_path / ".claude/settings.json"
        settings.parent.mkdir()
        url = f"http://127.0.0.1:{server.port}"
        settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": url}}), "utf-8")
        done = run("doctor", cwd=tmp_path, env={"HOME": str(tmp_path), "ANTHROPIC_AUTH_TOKEN": KEY})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Claude Code reaches {url}: a message came back" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_the_doctor_writes_json_for_a_support_desk(tmp_path: Path) -> None:
    """With --json the report is one JSON document, whatever the result."""
    done = run("doctor", "--json", cwd=tmp_path, env={"HOME": str(tmp_path)})
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert document["format"] == "metaio-verify/doctor/1"
    assert document["exit_code"] == 3
    assert [one["id"] for one in document["findings"]] == ["base-url-unset"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--shell", "tcsh"], "is no shell"),
        (["--base-url", "gateway.example.com"], "is not a base URL"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_usage_errors_have_their_own_exit_code(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    """What was typed wrong is named, with exit code 2."""
    done = run("doctor", *arguments, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 2
    assert said in done.stderr
