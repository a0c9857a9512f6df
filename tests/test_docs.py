from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from msgspec.structs import replace

from metaio_verify.api import choose, planned
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.report import Format
from metaio_verify.suite.load import builtin, builtin_folder, load
from metaio_verify.wanted import Options

ROOT = Path(__file__).parents[1]


def _docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs", ROOT / "tools/docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_documentation_is_up_to_date() -> None:
    """`python tools/docs.py` would change nothing."""
    stale = [path for path, text in _docs().generated() if path.read_text("utf-8") != text]
    assert stale == []


def test_every_report_format_is_documented() -> None:
    """Each has its section, and its example or a link to one."""
    text = (ROOT / "docs/reports.md").read_text(encoding="utf-8")
    for format_ in Format:
        assert re.search(rf"^## .*`{format_}`", text, re.MULTILINE), format_
        assert f"<!-- example:{format_} -->\n`" in text or format_ in ("html", "badge"), format_


def test_the_table_of_defects_is_true() -> None:
    """Each fault exists and each named check names one of the faults."""
    entries = yaml.safe_load((ROOT / "docs/defects.yaml").read_text(encoding="utf-8"))
    checks = builtin().checks
    for id_, entry in entries.items():
        assert len({"faults", "unseen"} & entry.keys()) == 1, id_
        faults = set(entry.get("faults", []))
        assert faults <= set(FAULTS) | set(GATEWAY_FAULTS), id_
        for check in entry.get("checks", []):
            assert faults & set(checks[check].faults), (id_, check)
        for fault in faults:
            assert any(fault in checks[check].faults for check in entry["checks"]), (id_, fault)


@pytest.mark.parametrize(
    ("profile", "requests", "tokens"), [("full", 160, 12000), ("quick", 30, 1500)]
)
def test_a_run_stays_cheap(profile: str, requests: int, tokens: int) -> None:
    """The worst case of a run on one model has a bound."""
    _, cost = planned(choose(Options(profile=profile)), [])
    assert cost.requests <= requests
    assert cost.output_tokens <= tokens


def test_the_other_side_of_a_gateway_adds_little() -> None:
    """With an upstream every profile sends at most 60 requests more."""
    alone = planned(choose(Options()), [])[1].requests
    both = planned(choose(Options(), upstream=True), [])[1].requests
    assert 0 < both - alone <= 60


def test_the_readme_and_ci_run_the_same_test_command() -> None:
    """What a newcomer types is what gates a change."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^\$ (python3 -m venv .* -m pytest)$", readme, re.MULTILINE)
    assert command is not None
    assert command[1] in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def test_the_built_in_suite_and_the_example_have_no_mistakes() -> None:
    """They pass the lint that others' packs have to pass."""
    suite = load([builtin_folder()])
    assert replace(suite, places={}) == builtin()  # the built-in checks are in no user's file
    assert "gateway.region-header" in load([ROOT / "examples/own-checks.yaml"], base=suite).checks
