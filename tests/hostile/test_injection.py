"""What a server or a stranger's pack writes is text: no terminal, page or CI log acts on it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from doctor.machines import machine
from hostile.server import answers, hostile
from hostile.test_ways import PACK
from msgspec.structs import replace
from report import parts, records
from typer.testing import CliRunner

from metaio_verify.cli.main import app
from metaio_verify.compare.build import compare
from metaio_verify.compare.formats import Format as CompareFormat
from metaio_verify.doctor.render import render as doctor_page
from metaio_verify.doctor.report import encode as doctor_json
from metaio_verify.doctor.run import Wishes, examine
from metaio_verify.record import Received, RunRecord
from metaio_verify.report import FORMATS, Format
from metaio_verify.report.curl import replay
from metaio_verify.report.json import decode, encode
from metaio_verify.report.surface import Surface
from metaio_verify.report.text import safe
from metaio_verify.wanted import Earlier

COMMANDS = (
    "::error::owned ##[error]owned ##[add-matcher]x ##vso[task.setvariable variable=a]b "
    "##teamcity[x] " + "w" * 75 + "::set-output name=a::b"
)
EVIL = (
    f"{COMMANDS}\n{COMMANDS}\r\n section_start:1:x\r\x1b[0K\x1b]0;t\x07\x9b2J\u202e\u2028::error::q"
    "\u0085::warning::z\ufffe\x00 <script>alert(1)</script> [x](javascript:y) `c` ``` | # x"
)
ALIVE = re.compile(
    r"[^\n\x20-\x7e\xa0-\u1fff\u2010-\u2027\u2030-\u205f\u2070-\ufdff\ufff9-\uffff\U0001f300-\U0001faff]"
)
LINE_OF_GITHUB = re.compile(r"(?m)^\s*::[A-Za-z]")
ANYWHERE = re.compile(r"##(?:vso|teamcity)?\[")
OWN = re.compile(r"(?m)^::(error|warning|notice) (file|title)=")


@pytest.fixture(scope="module")
def record() -> RunRecord:
    """A run against an endpoint that puts all of it into every string."""
    plain = records.HOSTILE
    records.HOSTILE = EVIL
    try:
        found = records.hostile()
    finally:
        records.HOSTILE = plain
    answer = Received(
        status=500,
        http_version="HTTP/1.1",
        headers=[("request-id", EVIL), ("x-evil", EVIL), ("content-type", EVIL)],
        text=f"{EVIL}\n" + json.dumps({"error": {"type": EVIL, "message": EVIL}}),
    )
    evil = [replace(one, response=answer, leaks=[EVIL]) for one in found.exchanges]
    return replace(found, exchanges=evil)


def is_dead(text: str) -> None:
    """Nothing acts on it: no terminal, no runner of CI jobs."""
    assert ALIVE.findall(text) == []
    assert ANYWHERE.findall(text) == []
    assert LINE_OF_GITHUB.findall(OWN.sub("", text)) == []


@pytest.mark.parametrize("format_", Format)
def test_nothing_is_alive_in_a_report(format_: Format, record: RunRecord) -> None:
    """Of any format, on terminals of any width."""
    for width in (30, 60, 80, 200):
        surface = Surface(width)
        is_dead(format_.render(record, surface))


@pytest.mark.parametrize("format_", CompareFormat)
def test_nothing_is_alive_in_a_comparison(format_: CompareFormat, record: RunRecord) -> None:
    """Of any format."""
    made = compare([Earlier(EVIL, record), Earlier("b", records.clean())], fail_on_worse=True)
    for width in (30, 80):
        is_dead(format_.render(made, Surface(width), every=True))


def test_what_is_written_out_says_the_same(record: RunRecord) -> None:
    """JSON reads back as it was, XML is well-formed, and a command is replayed with its bytes."""
    assert decode(encode(record), "run.json") == record
    ET.fromstring(FORMATS["junit"].render(record))
    ET.fromstring(FORMATS["badge"].render(record))
    evil = parts.exchange("evil", body='{"a":"##[error] ::error::it\'s"}')
    (body,) = [one for one in replay(evil).arguments if one.startswith("--data-binary")]
    assert body == r"""--data-binary $'{"a":"\043#[error] \072:error::it\'s"}'"""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("std::error::Error, [::1]:80 and a::b", "std::error::Error, [::1]:80 and a::b"),
        ("# Title ## [x]", "# Title ## [x]"),
        ("::error::x", r"\x3a:error::x"),
        ("a ::group::x", r"a \x3a:group::x"),
        ("a##[group]x", r"a\x23#[group]x"),
    ],
)
def test_only_commands_are_written_out(text: str, shown: str) -> None:
    """Ordinary text with the same signs stays as it is."""
    assert safe(text) == shown


def test_nothing_is_alive_in_what_the_doctor_says(tmp_path: Path) -> None:
    """Whatever the endpoint answers."""
    message = json.dumps({"error": {"type": EVIL, "message": f"{EVIL} \\ud800"}}).encode()
    head = f"HTTP/1.1 401 No\r\nrequest-id: {COMMANDS}\x1b[2J\r\n".encode()
    with hostile(answers(head, message)) as url:
        environ = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": "sk-lab-0123456789"}
        environ["ANTHROPIC_MODEL"] = EVIL.replace("\0", "")
        report = examine(machine(tmp_path, environ), Wishes())
    for width in (40, 80):
        is_dead(doctor_page(report, Surface(width)))
    is_dead(doctor_json(report))


@pytest.mark.parametrize(
    "command", ["checks show strange.one", "checks list", "checks list --json", "checks lint"]
)
@pytest.mark.parametrize("text", [COMMANDS, json.dumps(EVIL)[1:-1]])
def test_nothing_is_alive_in_what_is_said_of_a_pack(
    command: str, text: str, tmp_path: Path
) -> None:
    """Its words are printed, or refused and then repeated, without effect."""
    path = tmp_path / "pack.yaml"
    pack = PACK.format(probe="get: /v1").replace("It is answered", f'"{text}"')
    path.write_text(pack.replace("fix: x", f'fix: "{text}"').replace("Strange", f'"{text}"'))
    where = [str(path)] if command == "checks lint" else ["--checks", str(path)]
    done = CliRunner().invoke(app, [*command.split(), *where], env={"COLUMNS": "60"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    is_dead(done.output)


def test_nothing_is_alive_in_a_complaint() -> None:
    """About what was typed, for instance by a job that takes it from a pull request."""
    for typed in (["--only", EVIL], ["--profile", EVIL], [f"--{EVIL}"], [EVIL]):
        done = CliRunner().invoke(app, ["check", *(one.replace("\0", "") for one in typed)])
        assert done.exit_code == 2
        is_dead(done.output)
