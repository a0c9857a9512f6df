"""The pages of all checks, and the contract behind them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from metaio_verify.cli.manual import page
from metaio_verify.suite.contract import requirements
from metaio_verify.suite.layout import broken, laid_out
from metaio_verify.suite.load import builtin

ROOT = Path(__file__).parents[2]


def test_every_page_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """80 columns, except for a word that is longer, such as an address."""
    monkeypatch.setenv("COLUMNS", "80")
    suite = builtin()
    wide = {
        check.id: line
        for check in suite.checks.values()
        for line in page(check, suite, (), lambda text, **_: str(text), examples=False)
        if len(line) > 80 and " " in line.strip()
    }
    assert wide == {}


def test_every_check_has_the_sentence_of_its_requirements() -> None:
    """On its page, from the file that the wheel holds too."""
    named = {id_ for check in builtin().checks.values() for id_ in check.requirements}
    assert named - requirements().keys() == set()
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = wheel["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["docs/contract.yaml"] == "metaio_verify/contract.yaml"


def test_json_that_fits_stands_on_one_line() -> None:
    """The rest is indented by two."""
    assert laid_out({"a": [1, "b"], "c": {}}) == ['{"a": [1, "b"], "c": {}}']
    assert laid_out({"a": [1, 2], "b": "x" * 9}, 16) == [
        "{",
        '  "a": [1, 2],',
        '  "b": "xxxxxxxxx"',
        "}",
    ]


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("short", ["> short"]),
        ("  aaaa,bbbb,cccc", [">   aaaa,bbbb,", ">     cccc"]),
        ("a" * 20, ["> " + "a" * 12, ">   " + "a" * 8]),
    ],
)
def test_long_code_is_broken_where_it_reads_best(line: str, pieces: list[str]) -> None:
    """Behind a comma or a space, or anywhere; nothing is lost."""
    assert list(broken(line, 14, "> ")) == pieces
