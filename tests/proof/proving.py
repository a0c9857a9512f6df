"""The whole suite against one lab."""

from __future__ import annotations

from collections.abc import Collection

from metaio_verify import Endpoint, verify
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import RunRecord
from metaio_verify.verdict import Verdict
from metaio_verify.wanted import Options


def run(
    *, faults: Collection[str] = (), variants: Collection[str] = (), heavy: bool = False
) -> RunRecord:
    """Verify a lab with these changes; `heavy` adds the costly checks."""
    lab = Lab(faults=faults, variants=variants)
    with running(lab) as url:
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        return verify(endpoint, Options(tags=["heavy"] if heavy else []))


def with_verdict(record: RunRecord, *verdicts: Verdict) -> dict[str, str]:
    """Check → why, for the checks that got one of these verdicts."""
    return {
        found.check: found.reason or "; ".join(f"{f.expected} / {f.actual}" for f in found.findings)
        for found in record.verdicts
        if found.verdict in verdicts
    }
