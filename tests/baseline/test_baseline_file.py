from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from metaio_verify.baseline.model import Baseline
from metaio_verify.baseline.read import parse_baseline, read
from metaio_verify.baseline.schema import FILE_NAME, as_text, baseline_schema
from metaio_verify.errors import UserError

ROOT = Path(__file__).parents[2]
GOOD = """\
waivers:
  - check: auth.bearer
    reason: mended in release 12
    expires: 2027-01-31
"""


def told(text: str) -> list[str]:
    """Return what is said about a baseline."""
    with pytest.raises(UserError) as caught:
        parse_baseline(text, "b.yaml")
    return str(caught.value).splitlines()


def test_a_waiver_has_a_check_a_reason_and_a_day() -> None:
    """The place is that of the entry; the model may be left out."""
    [waiver] = parse_baseline(GOOD, "b.yaml").waivers
    assert (waiver.check, waiver.model, waiver.reason) == (
        "auth.bearer",
        None,
        "mended in release 12",
    )
    assert waiver.expires == dt.date(2027, 1, 31)
    assert str(waiver.place) == "b.yaml:2:5"


@pytest.mark.parametrize("text", ["# nothing yet\n", "waivers: []\n"])
def test_a_file_without_waivers_is_a_baseline(text: str) -> None:
    """It waives nothing."""
    assert parse_baseline(text, "b.yaml") == Baseline("b.yaml")


MISTAKES = {
    "a reason that is still the stub's": (
        ("mended in release 12", "CHANGE ME"),
        "b.yaml:3:5: `waivers[0].reason`: still says `CHANGE ME`",
    ),
    "the same in other letters": (
        ("mended in release 12", "'  change-me! '"),
        "b.yaml:3:5: `waivers[0].reason`: still says `  change-me! `",
    ),
    "an empty reason": (
        ("mended in release 12", "'  '"),
        "b.yaml:3:5: `waivers[0].reason`: is empty",
    ),
    "a reason of dots": (
        ("mended in release 12", "'...'"),
        "b.yaml:3:5: `waivers[0].reason`: still says `...`",
    ),
    "no reason": (
        ("    reason: mended in release 12\n", ""),
        "b.yaml:2:5: `waivers[0]`: `reason` missing",
    ),
    "a reason that is a number": (
        ("mended in release 12", "12"),
        "b.yaml:3:5: `waivers[0].reason`: must be text, not the number `12`",
    ),
    "a reason for a terminal to act on": (
        ("mended in release 12", r'"\x1b[2J"'),
        "b.yaml:3:5: `waivers[0].reason`: `\\x1b[2J` holds a character that cannot be printed",
    ),
    "a misspelt key": (
        ("expires", "expirse"),
        "b.yaml:4:5: `waivers[0]`: unknown key `expirse`",
    ),
    "a misspelt list": (
        ("waivers:", "wavers:"),
        "b.yaml:1:1: the file: unknown key `wavers`",
    ),
    "a pattern": (
        ("auth.bearer", "auth.*"),
        "b.yaml:2:5: `waivers[0].check`: `auth.*` is a pattern",
    ),
    "no id": (
        ("auth.bearer", "Bearer"),
        "b.yaml:2:5: `waivers[0].check`: `Bearer` is not the id of a check",
    ),
    "no day": (
        ("2027-01-31", "next week"),
        "b.yaml:4:5: `waivers[0].expires`: `next week` is not a day",
    ),
    "a day that does not exist": (
        ("2027-01-31", "2027-02-30"),
        "b.yaml:4:5: `waivers[0].expires`: `2027-02-30` is not a day",
    ),
    "a day in another form": (
        ("2027-01-31", "'20270131'"),
        "b.yaml:4:5: `waivers[0].expires`: `20270131` is not a day",
    ),
    "an empty model": (
        ("check: auth.bearer", "check: auth.bearer\n    model: ''"),
        "b.yaml:3:5: `waivers[0].model`: is empty",
    ),
    "a second entry": (
        (GOOD, GOOD + GOOD.removeprefix("waivers:\n")),
        "b.yaml:5:5: `waivers[1]`: a second waiver of `auth.bearer`",
    ),
    "a tag": (
        ("mended in release 12", "!secret x"),
        "b.yaml:3:13: YAML tags are not allowed: `!secret`",
    ),
    "no YAML": (("  - check", "\t- check"), "b.yaml:2:1: not valid YAML: "),
}


@pytest.mark.parametrize(("change", "says"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_told_with_its_place(change: tuple[str, str], says: str) -> None:
    """File, line and column, and what is wrong."""
    assert says in [line[: len(says)] for line in told(GOOD.replace(*change))]


def test_a_misspelt_key_is_told_the_right_one() -> None:
    """The nearest key is suggested."""
    assert "  Did you mean `expires`?" in told(GOOD.replace("expires", "expirse"))


def test_all_mistakes_are_told_at_once() -> None:
    """In the order of the lines."""
    text = GOOD.replace("mended in release 12", "CHANGE ME").replace("2027-01-31", "soon")
    assert [line.split(":")[1] for line in told(text) if line.startswith("b.yaml")] == ["3", "4"]


def test_a_missing_file_is_an_error_unless_it_is_to_be_written(tmp_path: Path) -> None:
    """The error says which option writes it."""
    path = tmp_path / "b.yaml"
    with pytest.raises(UserError, match="--update-baseline"):
        read(path)
    assert read(path, may_be_missing=True).waivers == ()


def test_the_published_schema_is_the_one_of_the_model() -> None:
    """Write it anew with `python tools/docs.py`."""
    assert (ROOT / "docs" / FILE_NAME).read_text(encoding="utf-8") == as_text()
    jsonschema_rs.meta.validate(baseline_schema())


def test_the_schema_and_the_reader_agree() -> None:
    """What the schema of an editor refuses, the reader refuses too, and the other way round."""
    valid = jsonschema_rs.Draft202012Validator(baseline_schema())
    assert valid.is_valid(_data(GOOD))
    only_reader = ("2027-02-30", "\x1b", "- check: auth.bearer\n    reason: mended in release 12\n")
    for (old, new), _ in MISTAKES.values():
        text = GOOD.replace(old, new)
        if "!secret" in text or "\t" in text or "x1b" in text or "model: ''" in text:
            continue
        if any(word in new for word in only_reader):
            continue
        assert not valid.is_valid(_data(text)), text


def test_the_example_is_a_baseline() -> None:
    """It has no mistake."""
    assert read(ROOT / "examples/baseline.yaml").waivers


def _data(text: str) -> Any:
    return (
        yaml.load(text, Loader=yaml.BaseLoader)
        if "reason: 12" not in text
        else yaml.safe_load(text)
    )
