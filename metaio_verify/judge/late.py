"""Which exchanges seem to have taken too long, so that they are measured once more, alone.

What a run sends beside a request slows its answer down, and a busy machine reads late. Only what
comes late with nothing beside it is a defect of the endpoint.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.delivery import held_back
from metaio_verify.judge.rules.streaming import longest_silence
from metaio_verify.record import Exchange
from metaio_verify.suite.model import Check
from metaio_verify.verdict import Level


def late(checks: Sequence[Check], exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the exchanges to measure again: first those that would fail the run."""
    answered = [one for one in exchanges if one.response is not None and not one.timing.alone]
    found = [(check.level, one.id) for check in checks for one in _late(check, answered)]
    failing = {id_ for level, id_ in found if level is Level.MUST}
    wanted = {id_ for _, id_ in found}
    again = [one for one in answered if one.id in wanted]
    return sorted(again, key=lambda one: one.id not in failing)


def _late(check: Check, exchanges: Sequence[Exchange]) -> Iterator[Exchange]:
    timing = UNSET if check.expect is UNSET else check.expect.timing
    if timing is not UNSET and (bound := timing.total) is not None:
        yield from (one for one in _last(check.probes, exchanges) if one.timing.total > bound)
    match check.rule:
        case "incremental":
            yield from (one for one in _last(check.probes, exchanges) if held_back(Evidence(one)))
        case "kept-alive":
            yield from _most_silent(check, exchanges)


def _last(probes: Iterable[str], exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the last exchange of each of these probes and models."""
    last = {(one.probe, one.model): one for one in exchanges if one.probe in probes}
    return list(last.values())


def _most_silent(check: Check, exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return, for each model, the stream with the longest silence, if that is too long.

    One tells: there may be many, and each costs as much as it did the first time.
    """
    patterns = [*check.probes, *check.also]
    worst: dict[str | None, tuple[float, Exchange]] = {}
    for one in exchanges:
        if one.events and any(fnmatch.fnmatchcase(one.probe, pattern) for pattern in patterns):
            silence, _ = longest_silence(Evidence(one))
            if silence > max(check.args["seconds"], worst.get(one.model, (0.0,))[0]):
                worst[one.model] = (silence, one)
    return [one for _, one in worst.values()]
