from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from metaio_verify.lab.variants import VARIANTS
from metaio_verify.suite.load import builtin

CONTRACT = yaml.safe_load(
    (Path(__file__).parents[1] / "docs/contract.yaml").read_text(encoding="utf-8")
)
REQUIREMENTS: dict[str, dict[str, Any]] = CONTRACT["requirements"]
STRENGTH = {"info": 0, "may": 0, "should": 1, "must": 2}


def _judged() -> set[str]:
    return {id_ for check in builtin().checks.values() for id_ in check.requirements}


def test_every_requirement_is_judged_or_left_out_for_a_reason() -> None:
    """The contract has no hole."""
    left_out = {id_ for id_, entry in REQUIREMENTS.items() if entry.get("left-out")}
    missing = [id_ for id_ in REQUIREMENTS if id_ not in _judged() | left_out]
    assert missing == [], f"{len(missing)} requirements without a check: {', '.join(missing)}"


def test_what_is_judged_is_not_left_out() -> None:
    """A reason to leave something out goes when its check comes."""
    assert [id_ for id_ in _judged() if "left-out" in REQUIREMENTS.get(id_, {})] == []


def test_checks_name_requirements_that_exist() -> None:
    """A misspelt id would judge nothing."""
    assert sorted(_judged() - REQUIREMENTS.keys()) == []


def test_no_check_is_stronger_than_the_contract() -> None:
    """A check is at most as strong as the strongest requirement that it names."""
    stronger = []
    for check in builtin().checks.values():
        levels = [REQUIREMENTS[id_]["level"] for id_ in check.requirements if id_ in REQUIREMENTS]
        if STRENGTH[check.level] > max((STRENGTH[level] for level in levels), default=2):
            stronger.append(f"{check.id} is {check.level}, {check.requirements} {levels}")
    assert stronger == []


def test_every_leniency_is_proven_by_a_variant() -> None:
    """Where endpoints may differ, the lab can differ."""
    for entry in CONTRACT["lenient"]:
        assert entry["variants"], entry["text"]
        assert set(entry["variants"]) <= VARIANTS.keys(), entry["text"]
