"""The other half of the proof: no legal difference is an alarm."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
import yaml
from proof.proving import run

from metaio_verify.lab.variants import VARIANTS
from metaio_verify.record import RunRecord
from metaio_verify.suite.load import builtin
from metaio_verify.verdict import Level, Verdict

TABLE = yaml.safe_load(Path(__file__).with_name("variants.yaml").read_text(encoding="utf-8"))
SAID = {verdict.value for verdict in Verdict} - {"pass", "fail", "waived"}


@cache
def _clean(*, heavy: bool) -> frozenset[tuple[str, Verdict]]:
    return _verdicts(run(heavy=heavy))


def _verdicts(record: RunRecord) -> frozenset[tuple[str, Verdict]]:
    return frozenset((found.check, found.verdict) for found in record.verdicts)


@pytest.mark.proof
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_no_alarm(variant: str) -> None:
    """No must-check fails, and what else is said stands in the table."""
    row = TABLE.get(variant, {})
    heavy = row.get("heavy", False)
    record = run(variants=[*row.get("with", []), variant], heavy=heavy)
    new = _verdicts(record) - _clean(heavy=heavy)
    unlisted = {
        f"{verdict}: {check}": _why(record, check)
        for check, verdict in new
        if verdict is not Verdict.PASS
        and not any(fnmatchcase(check, glob) for glob in row.get(verdict.value, []))
    }
    assert unlisted == {}
    assert record.exit_code == row.get("exit", 0)
    unused = [
        f"{verdict}: {glob}"
        for verdict in SAID
        for glob in row.get(verdict, [])
        if glob != "*"
        and not any(found == verdict and fnmatchcase(check, glob) for check, found in new)
    ]
    assert unused == []


def _why(record: RunRecord, check: str) -> str:
    found = next(one for one in record.verdicts if one.check == check)
    findings = [f"{one.expected} / {one.actual}" for one in found.findings[:2]]
    return "; ".join([found.level, found.reason, *findings])


@pytest.mark.parametrize("variant", TABLE)
def test_the_table_says_why(variant: str) -> None:
    """Each row is about a variant, has a reason, and lets no must-check warn of itself."""
    row = TABLE[variant]
    assert {variant, *row.get("with", [])} <= VARIANTS.keys()
    assert row.keys() <= SAID | {"because", "with", "heavy", "exit"}
    assert row["because"]
    musts = [check.id for check in builtin().checks.values() if check.level is Level.MUST]
    unknown = [glob for verdict in ("inconclusive", "blocked") for glob in row.get(verdict, [])]
    if any(fnmatchcase(check, glob) for check in musts for glob in unknown):
        assert row["exit"] == 3
