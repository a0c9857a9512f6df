"""The table: broken configurations are recognised, correct ones are not accused."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from doctor.broken_address import ADDRESS
from doctor.broken_credential import CREDENTIAL
from doctor.broken_rest import REST
from doctor.correct import CORRECT
from doctor.loopback import KEY
from doctor.machines import machine
from doctor.row import SECRETS, Row, diagnosed

from metaio_verify.doctor.case import Case
from metaio_verify.doctor.diagnose import diagnose
from metaio_verify.doctor.gather import gather
from metaio_verify.doctor.render import render
from metaio_verify.doctor.report import Report, encode
from metaio_verify.exitcodes import ExitCode

BROKEN = {**ADDRESS, **CREDENTIAL, **REST}
OFFICIAL_ONLY = "gateway-token-for-anthropic"
"""Proven without a server: it would be Anthropic's."""
HELPER_NOT_RUN = "helper-not-run"
"""Proven in test_privacy."""


def ids(report: Report) -> tuple[set[str], set[str]]:
    """Return the ids of the problems and of the warnings."""
    return {one.id for one in report.problems}, {one.id for one in report.warnings}


@dataclass(frozen=True)
class Diagnosed:
    """A row and what the doctor made of it."""

    row: Row
    report: Report


def _examined(row: Row, root: Path) -> Diagnosed:
    with ExitStack() as servers:
        return Diagnosed(row, diagnosed(row, root, servers))


@pytest.fixture(scope="module", params=BROKEN.values(), ids=list(BROKEN))
def broken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Diagnosed:
    """Give each broken configuration, diagnosed once."""
    return _examined(request.param, tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module", params=CORRECT.values(), ids=list(CORRECT))
def clean(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Diagnosed:
    """Give each correct configuration, diagnosed once."""
    return _examined(request.param, tmp_path_factory.mktemp("machine"))


def test_a_broken_configuration_is_recognised(broken: Diagnosed) -> None:
    """Exactly what is wrong is named, and the exit code says whether Claude Code works."""
    assert ids(broken.report) == (set(broken.row.finds), set(broken.row.warns))
    expected = ExitCode.NOT_VERIFIED if broken.row.finds else ExitCode.OK
    assert broken.report.exit_code == expected


def test_a_finding_can_be_acted_on(broken: Diagnosed) -> None:
    """Each finding has a title in one line and a sentence that says what to do."""
    for finding in broken.report.findings:
        assert "\n" not in finding.title
        assert finding.action.endswith((".", "update"))


def test_a_correct_configuration_is_not_accused(clean: Diagnosed) -> None:
    """A message comes back and nothing is found."""
    assert ids(clean.report) == (set(), set())
    assert clean.report.answered
    assert clean.report.exit_code == ExitCode.OK


def _leaks(report: Report) -> list[str]:
    shown = render(report) + encode(report)
    return [secret for secret in SECRETS if secret in shown]


def test_no_output_about_a_broken_configuration_shows_a_secret(broken: Diagnosed) -> None:
    """Neither the report for a terminal nor the JSON holds a key."""
    assert _leaks(broken.report) == []


def test_no_output_about_a_correct_configuration_shows_a_secret(clean: Diagnosed) -> None:
    """Neither the report for a terminal nor the JSON holds a key."""
    assert _leaks(clean.report) == []


def test_a_token_of_a_gateway_that_goes_to_anthropic_is_recognised(tmp_path: Path) -> None:
    """A key that cannot be Anthropic's beside Anthropic's address; seen before anything is sent."""
    environ = {"ANTHROPIC_BASE_URL": "https://api.anthropic.com", "ANTHROPIC_API_KEY": KEY}
    found = diagnose(Case(gather(machine(tmp_path, environ))))
    assert [one.finding.id for one in found] == [OFFICIAL_ONLY]


def test_every_documented_finding_is_proven() -> None:
    """The documentation lists exactly the findings that the table proves."""
    text = (Path(__file__).parents[2] / "docs/doctor.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE))
    proven = {id_ for row in BROKEN.values() for id_ in (*row.finds, *row.warns)}
    assert documented == proven | {OFFICIAL_ONLY, HELPER_NOT_RUN}


def test_the_table_is_large_enough() -> None:
    """The table covers what people run into."""
    assert len(BROKEN) >= 30
