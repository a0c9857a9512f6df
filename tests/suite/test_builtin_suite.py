"""What every built-in check owes its readers, beyond being well-formed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from metaio_verify.suite.load import builtin, builtin_folder
from metaio_verify.suite.model import Check
from metaio_verify.suite.select import select

_CHECKS = list(builtin().checks.values())

_MATTER_MOST = {
    "AUT": "01 02",
    "CCO": "01 02",
    "CON": "02 04",
    "ERR": "01",
    "HDR": "01 02 05 08",
    "MSG": "01 02 03 04 05",
    "STR": "01 02 03 04 05 06 10 12 14",
    "TOL": "05 06 09",
}


@pytest.mark.parametrize("check", _CHECKS, ids=lambda check: check.id)
def test_a_check_tells_who_is_hurt_and_how_it_is_proven(check: Check) -> None:
    """A client that breaks, a repair, a source, and a fault of the lab."""
    assert check.breaks
    assert check.fix
    assert check.sources
    assert check.faults
    assert not check.title.endswith(".")


@pytest.mark.parametrize("check", _CHECKS, ids=lambda check: check.id)
def test_a_source_is_a_page_or_a_measurement(check: Check) -> None:
    """So that a reader can look it up or do it again; `code:` names what was read."""
    for source in check.sources:
        assert re.match(r"https://|measured: |code: ", source), source


@pytest.mark.parametrize(
    "requirement", [f"{area}-{n}" for area, ns in _MATTER_MOST.items() for n in ns.split()]
)
def test_quick_covers_what_matters_most(requirement: str) -> None:
    """Most broken endpoints fail one of these requirements."""
    quick = select(builtin(), "quick").checks
    assert any(requirement in check.requirements for check in quick)


def test_the_profile_of_the_sdks_has_every_check_that_names_one() -> None:
    """But for those of the other side of a gateway, which need one."""
    named = {
        check.id
        for check in _CHECKS
        if any(client.startswith("anthropic-sdk-") for client in check.breaks)
        and not check.area.startswith("gateway-")
    }
    assert named <= {check.id for check in select(builtin(), "sdk").checks}


def test_no_probe_is_there_for_nothing() -> None:
    """Each is fired when everything is selected, the heavy checks too."""
    chosen = select(builtin(), "full", tags=["heavy"], upstream=True)
    assert {probe.id for probe in chosen.probes} == set(builtin().probes)


@pytest.mark.parametrize(
    "path", sorted(builtin_folder().glob("*.yaml")), ids=lambda path: path.stem
)
def test_both_yaml_loaders_read_the_same(path: Path) -> None:
    """Where PyYAML was built without libyaml, the suite is the same: flow style quotes its `?`."""
    fast: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = path.read_text(encoding="utf-8")
    assert yaml.load(text, Loader=fast) == yaml.safe_load(text)
