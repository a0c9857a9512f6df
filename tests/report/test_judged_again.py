"""A saved run judged again, without a network."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli.process import run
from report.parts import record

from metaio_verify import Endpoint, Options, RunRecord, judge_again, verify
from metaio_verify.errors import UserError
from metaio_verify.lab.server import Lab, running
from metaio_verify.probe import engine
from metaio_verify.probe.observer import Silent
from metaio_verify.record import Exchange, Waiver, WaiverState
from metaio_verify.report.json import decode, encode
from metaio_verify.verdict import Verdict


def saved(record: RunRecord) -> RunRecord:
    """The record as it comes back from its file."""
    return decode(encode(record), "run.json")


@pytest.fixture(scope="module")
def broken() -> RunRecord:
    """A run against an endpoint with a defect."""
    lab = Lab(faults=["tool-arguments-lost"])
    with running(lab) as url:
        return saved(verify(Endpoint(url, lab.key, [lab.models[0].id])))


def test_the_same_evidence_gives_the_same_verdicts(broken: RunRecord) -> None:
    """All of them, with their findings, and what breaks for whom."""
    assert judge_again(broken) == broken
    assert broken.exit_code == 1


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


def test_a_run_that_ended_early_gives_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was cut while the endpoint went away is set aside again."""
    monkeypatch.setattr(engine, "_SECOND_CHANCES", (0.0,))
    lab = Lab()
    with ExitStack() as server:
        url = server.enter_context(running(lab))
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        record = saved(verify(endpoint, observer=_Plug(server, after=30)))
    assert record.set_aside
    assert judge_again(record) == record


@pytest.mark.parametrize("models", [[], ["m"]])
def test_a_run_that_never_began_gives_the_same_verdicts(models: list[str]) -> None:
    """Nobody is accused by a dead server's silence."""
    record = saved(verify(Endpoint("http://127.0.0.1:1", "sk-any-key", models)))
    assert judge_again(record) == record
    assert record.exit_code == 3


def test_another_selection_judges_what_was_seen(broken: RunRecord) -> None:
    """A check that was not part of it, but whose probe was fired, is judged."""
    record = judge_again(broken, Options(only=["messages.*"]))
    assert record.exit_code == 0
    assert {one.check.partition(".")[0] for one in record.verdicts} == {"messages"}


OWN = """
probes:
  other:
    purpose: A request that no run has fired.
    get: /v1/other
checks:
  own.status:
    title: Messages are answered
    level: must
    contract: MSG-01
    source: https://example.com
    on: hello
    expect: {status: 418}
    breaks: {any-client: x}
    fix: x
  own.other:
    title: The other request is answered
    level: must
    contract: MSG-01
    source: https://example.com
    on: other
    expect: {status: 200}
    breaks: {any-client: x}
    fix: x
"""


def test_checks_of_ones_own_are_tried_on_a_saved_run(broken: RunRecord, tmp_path: Path) -> None:
    """Whoever writes a check sees at once what it says; what was not fired is blocked."""
    pack = tmp_path / "own.yaml"
    pack.write_text(OWN, encoding="utf-8")
    record = judge_again(broken, Options(checks=[pack], only=["own.*"]))
    assert {one.check: one.verdict for one in record.verdicts} == {
        "own.status": Verdict.FAIL,
        "own.other": Verdict.BLOCKED,
    }


def test_the_command_judges_again(broken: RunRecord, tmp_path: Path) -> None:
    """`report --again` gives the new verdicts, and their exit code."""
    doctored = json.loads(encode(broken))
    doctored["verdicts"] = []
    doctored["exit_code"] = 0
    (tmp_path / "run.json").write_text(json.dumps(doctored), encoding="utf-8")
    done = run("report", "run.json", "--again", "--as", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert decode(done.stdout.encode(), "stdout").verdicts == broken.verdicts


@pytest.mark.parametrize(
    ("started", "expires", "says"),
    [("yesterday", "2030-01-01", "$.started"), ("2026-11-22T19:48:03Z", "soon", "$.waivers")],
)
def test_a_record_with_a_damaged_day_is_named(started: str, expires: str, says: str) -> None:
    """Waivers are judged as of the day of the run."""
    waiver = Waiver(check="auth.bearer", reason="x", expires=expires, state=WaiverState.UNUSED)
    with pytest.raises(UserError, match=re.escape(says)):
        judge_again(record(started=started, waivers=[waiver]))
