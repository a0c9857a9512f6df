from __future__ import annotations

import asyncio
from contextlib import ExitStack
from itertools import accumulate
from typing import Any

import pytest
from msgspec import UNSET

from metaio_verify import Endpoint, Options, verify
from metaio_verify.api import choose, planned
from metaio_verify.lab.server import Lab, running
from metaio_verify.probe import engine
from metaio_verify.probe.fire import Wire
from metaio_verify.probe.observer import Silent
from metaio_verify.record import Exchange
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import Check, Expect
from metaio_verify.verdict import Verdict


class _Plug(Silent):
    """Pulls the plug of a server after some answers."""

    def __init__(self, server: ExitStack, after: int) -> None:
        self._server = server
        self._left = after

    def answered(self, exchange: Exchange) -> None:
        """Count down."""
        del exchange
        self._left -= 1
        if not self._left:
            self._server.close()


def test_an_endpoint_that_goes_away_is_not_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it never saw is blocked, and the run says why; what was learnt before stays."""
    monkeypatch.setattr(engine, "_SECOND_CHANCES", (0.0,))
    lab = Lab()
    with ExitStack() as server:
        url = server.enter_context(running(lab))
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        record = verify(endpoint, observer=_Plug(server, after=30))
    assert record.stopped is not None
    assert record.stopped.kind == "gone"
    assert record.exit_code == 3
    verdicts = {found.verdict for found in record.verdicts}
    assert not verdicts & {Verdict.FAIL, Verdict.WARN}
    assert {Verdict.PASS, Verdict.BLOCKED} <= verdicts


def test_of_many_at_a_time_the_first_is_sent_before_the_last_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that what is sent beside it does not count as the time that an answer takes."""
    steps: list[str] = []
    send = Wire.send

    async def step_by_step(*arguments: Any) -> Exchange:
        steps.append("begun")
        for _ in range(4):
            await asyncio.sleep(0)
        steps.append("sent")
        return await send(*arguments)

    monkeypatch.setattr(Wire, "send", step_by_step)
    lab = Lab()
    with running(lab) as url:
        verify(Endpoint(url, lab.key, [lab.models[0].id]), Options(concurrency=64))
    unsent = accumulate({"begun": 1, "sent": -1}[step] for step in steps)
    assert max(unsent) < 10


_BY_THE_CLOCK = ("incremental", "kept_alive", "compressed_streams_flow")
"""Rules about when something arrived."""


def _is_by_the_clock(check: Check) -> bool:
    """Whether a verdict depends on arrival times, which are another answer in each run.

    That such a verdict follows from the recorded times alone is what the tests of judging again
    show.
    """
    expect = check.expect
    timed = isinstance(expect, Expect) and expect.timing is not UNSET
    return timed or (check.rule is not UNSET and check.rule.replace("-", "_") in _BY_THE_CLOCK)


def test_the_order_of_answers_changes_no_verdict() -> None:
    """The same answers give the same verdicts in the same order, one at a time or 64."""
    lab = Lab(faults=["tool-arguments-lost"])
    with running(lab) as url:
        runs = [
            verify(Endpoint(url, lab.key, [lab.models[0].id]), Options(concurrency=number))
            for number in (1, 8, 64)
        ]
    timed = {id_ for id_, check in builtin().checks.items() if _is_by_the_clock(check)}
    assert 3 < len(timed) < 12
    first, *others = (
        [(v.check, v.model, None if v.check in timed else v.verdict) for v in run.verdicts]
        for run in runs
    )
    assert others == [first, first]


_CRASHES = [
    *("missing-model-crashes", "missing-messages-crashes", "missing-max-tokens-crashes"),
    *("empty-messages-crash", "messages-as-string-crash", "unknown-role-crashes"),
    *("max-tokens-as-word-crashes", "truncated-json-crashes", "empty-body-crashes"),
    *("unknown-model-crashes", "thinking-budget-crashes", "adaptive-without-effort-crashes"),
    *("image-block-crashes", "image-in-tool-result-crashes", "url-image-crashes"),
    *("sampling-crashes", "optional-fields-crash", "unknown-field-crashes", "prefill-crashes"),
    *("server-tool-crashes", "eager-streaming-crashes", "role-system-crashes"),
]


def test_a_run_never_sends_more_than_its_plan_says() -> None:
    """A failure is repeated once, for it may be an accident, as long as the plan has room."""
    lab = Lab(faults=_CRASHES)
    models = [lab.models[0].id]
    _, cost = planned(choose(Options()), models)
    with running(lab) as url:
        record = verify(Endpoint(url, lab.key, models), Options())
    assert any(one.retry_of for one in record.exchanges)
    assert record.cost.requests <= cost.requests
    assert record.cost.output_tokens <= cost.output_tokens


def test_a_habit_is_not_taken_for_an_accident() -> None:
    """When one failure came again for two requests, others that fail so are not repeated."""
    lab = Lab(faults=_CRASHES)
    with running(lab) as url:
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        record = verify(endpoint, Options(concurrency=1, only=["errors.*-*"]))
    failed = [one for one in record.exchanges if one.response and one.response.status == 500]
    assert len([one for one in failed if one.retry_of]) == 2
    assert len(failed) > 8


def test_a_run_stops_at_the_first_failure_when_asked() -> None:
    """`fail_fast` leaves the rest skipped, with the reason."""
    lab = Lab(faults=["auth-ignores-bearer"])
    with running(lab) as url:
        record = verify(Endpoint(url, lab.key), Options(fail_fast=True))
    assert record.exit_code == 1
    assert any("--fail-fast" in found.reason for found in record.verdicts)


def test_a_run_has_a_bound() -> None:
    """When its time is over the run ends, and says so."""
    lab = Lab(latency=0.2)
    with running(lab) as url:
        record = verify(
            Endpoint(url, lab.key, [lab.models[0].id]), Options(run_timeout=0.5, concurrency=1)
        )
    assert record.stopped is not None
    assert record.stopped.kind == "deadline"
    assert record.exit_code == 3


def test_several_models_are_verified_in_one_run() -> None:
    """Each model has verdicts of its own; the endpoint is asked once."""
    lab = Lab()
    models = [model.id for model in lab.models[:2]]
    with running(lab) as url:
        record = verify(Endpoint(url, lab.key, models), Options(only=["messages.shape", "auth.*"]))
    shape = [found.model for found in record.verdicts if found.check == "messages.shape"]
    bearer = [found.model for found in record.verdicts if found.check == "auth.bearer"]
    assert shape == models
    assert bearer == [None]
    assert record.exit_code == 0


def test_all_stands_for_every_listed_model() -> None:
    """`all` verifies what discovery lists."""
    lab = Lab()
    with running(lab) as url:
        record = verify(Endpoint(url, lab.key, ["all"]), Options(only=["messages.shape"]))
    assert record.target.models == [model.id for model in lab.models]
