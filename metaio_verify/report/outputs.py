"""Names and values of a run in lines, as `$GITHUB_OUTPUT` and a shell's `read` take them.

A value is one line without control characters, so no text can begin another line. Lists are JSON,
for `fromJSON`.
"""

from __future__ import annotations

import json

from metaio_verify.record import RunRecord
from metaio_verify.report.summary import summarise
from metaio_verify.report.text import safe
from metaio_verify.verdict import Level, Verdict


def render(record: RunRecord) -> str:
    """Return one `name=value` a line."""
    return "".join(f"{name}={value}\n" for name, value in values(record).items())


def values(record: RunRecord) -> dict[str, str]:
    """Return what a later step of a CI job may want to know."""
    summary = summarise(record)
    musts, shoulds = summary.levels[Level.MUST], summary.levels[Level.SHOULD]
    total = sum((summary.levels[level] for level in Level), start=type(musts)())
    return {
        "verdict": summary.outcome.replace(" ", "-"),
        "headline": safe(summary.headline),
        "exit-code": str(record.exit_code),
        "failed": str(total[Verdict.FAIL]),
        "warnings": str(shoulds[Verdict.WARN] + musts[Verdict.WARN]),
        "passed": str(total[Verdict.PASS]),
        "declined": str(total[Verdict.DECLINED]),
        "waived": str(total[Verdict.WAIVED]),
        "unknown": str(total[Verdict.INCONCLUSIVE] + total[Verdict.BLOCKED]),
        "verified-models": json.dumps(summary.verified),
    }
