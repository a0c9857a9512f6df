"""A saved run, judged again: the same evidence, the checks of now, no network."""

from __future__ import annotations

from msgspec.structs import replace

from metaio_verify.after import waived_again
from metaio_verify.api import TOOL, choose, info, selection
from metaio_verify.judge.check import Absent, collect, judge
from metaio_verify.judge.clients import clients
from metaio_verify.judge.evidence import Evidence
from metaio_verify.record import RunRecord
from metaio_verify.wanted import Options


def judge_again(record: RunRecord, options: Options | None = None) -> RunRecord:
    """Judge what a saved run saw, with the suite of now, and send nothing.

    Only the selection of the options counts; without options it is that of the run. A check whose
    probe the run did not fire is blocked.
    """
    made = record.selection
    options = options or Options(
        profile=made.profile, only=made.only, skip=made.skip, tags=made.tags, strict=made.strict
    )
    looked_behind = any(one.forwarded is not None for one in record.exchanges)
    chosen = choose(options, upstream=looked_behind)
    aside = frozenset(record.set_aside)
    evidence = collect(Evidence(one) for one in record.exchanges if one.id not in aside)
    absent = {(one.probe, one.model): Absent(one.verdict, one.reason) for one in record.unfired}
    verdicts = judge(
        chosen.suite, chosen.checks, evidence, record.target, absent, record.capabilities
    )
    judged = replace(
        record,
        tool=TOOL,
        selection=selection(options),
        areas=chosen.suite.areas,
        checks={check.id: info(check, chosen.suite) for check in chosen.checks},
        verdicts=verdicts,
        clients=clients(chosen.suite, verdicts, evidence, record.target),
        # What the earlier run was is not in the record, so it cannot be compared with again.
        since=None,
    )
    return waived_again(judged, chosen.suite.checks)
