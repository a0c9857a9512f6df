from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import BASE, judgement, record
from report.records import ALL, clean, failing, refused, with_stale_waiver
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from metaio_verify.record import ClientResult, Reach, RunRecord
from metaio_verify.report.badge import badge, endpoint, svg
from metaio_verify.verdict import Verdict

SVG = "{http://www.w3.org/2000/svg}"


class Image(SingleFileSnapshotExtension):
    """A badge in a file of its own."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


def reaching(run: RunRecord, reach: Reach) -> RunRecord:
    """Return the run with what Claude Code makes of it."""
    return replace(run, clients=[ClientResult(client="claude-code", reach=reach)])


@pytest.mark.parametrize(
    ("run", "label", "message", "colour"),
    [
        (clean(), "Anthropic API", "works · 22 November 2026", "brightgreen"),
        (reaching(clean(), Reach.WORKS), "Claude Code", "works · 22 November 2026", "brightgreen"),
        (
            reaching(clean(), Reach.SETTING),
            "Claude Code",
            "works with a setting · 22 November 2026",
            "yellow",
        ),
        (reaching(failing(), Reach.BREAKS), "Claude Code", "2 must-checks fail", "red"),
        (reaching(failing(), Reach.WORKS), "Anthropic API", "2 must-checks fail", "red"),
        (
            record([judgement("headers.request-id", Verdict.WARN)], strict=True),
            "Anthropic API",
            "fails (strict)",
            "red",
        ),
        (with_stale_waiver(), "Anthropic API", "waivers are stale", "red"),
        (refused(), "Anthropic API", "not verified", "lightgrey"),
        (record(verdicts=[], exit_code=3), "Anthropic API", "not verified", "lightgrey"),
        (
            record([judgement("auth.bearer", Verdict.BLOCKED)]),
            "Anthropic API",
            "not verified",
            "lightgrey",
        ),
    ],
)
def test_what_a_badge_says(run: RunRecord, label: str, message: str, colour: str) -> None:
    """Who is served and how well; what is not known is never green."""
    found = badge(run)
    assert (found.label, found.message, found.colour) == (label, message, colour)


@pytest.mark.parametrize(
    "run",
    [clean(), reaching(clean(), Reach.FALLBACK), reaching(failing(), Reach.BREAKS), refused()],
    ids=["green", "yellow", "red", "grey"],
)
def test_whole_image(run: RunRecord, snapshot: SnapshotAssertion) -> None:
    """A badge of each colour."""
    assert svg(run) == snapshot.use_extension(Image)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_an_image_stands_alone(make: Callable[[], RunRecord]) -> None:
    """It is one well-formed element that loads nothing and runs nothing."""
    root = ET.fromstring(svg(make()))
    assert root.tag == f"{SVG}svg"
    names = {name for element in root.iter() for name in element.attrib}
    assert not any("href" in name or name.startswith("on") or name == "style" for name in names)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "clipPath", "g", "rect", "text"}


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_no_text_breaks_an_image(text: str) -> None:
    """Models and dates are somebody else's strings."""
    run = record(models=[text], started=text)
    ET.fromstring(svg(run))
    assert json.loads(endpoint(run))["schemaVersion"] == 1


def test_a_badge_does_not_name_the_endpoint() -> None:
    """It is shown to everybody; an internal address is not."""
    assert BASE.partition("//")[2] not in svg(failing()) + endpoint(failing())


def test_the_json_is_what_badge_services_read() -> None:
    """The fields of shields.io's endpoint badge, with one of its colours."""
    assert json.loads(endpoint(failing())) == {
        "schemaVersion": 1,
        "label": "Anthropic API",
        "message": "2 must-checks fail",
        "color": "red",
        "isError": True,
    }
