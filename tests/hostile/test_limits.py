"""Rate limits: the run slows down, stays inside its bound, and says what happened."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hostile.server import Serve, answers, every, hostile

from metaio_verify import Endpoint, Options, verify
from metaio_verify.lab.server import Lab, running
from metaio_verify.outcome import leaves_open
from metaio_verify.probe import patience
from metaio_verify.record import RunRecord
from metaio_verify.verdict import Verdict

OPTIONS = Options(only=["auth.bearer", "messages.*", "counting.served"], patience=3.0)
BODY = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for hundredths of a second where a user waits for seconds."""
    monkeypatch.setattr(patience, "_BACK_OFF", 0.01)


def limited(status: int, *headers: str) -> Serve:
    """An answer that refuses for load."""
    lines = "".join(f"{line}\r\n" for line in headers)
    return answers(f"HTTP/1.1 {status} X\r\n{lines}".encode(), BODY)


@contextmanager
def one_at_a_time(lab: Lab, most: int) -> Iterator[tuple[str, list[int]]]:
    """An endpoint that refuses more than so many requests under way; counts its refusals."""
    under_way = 0
    refused: list[int] = []
    lock = threading.Lock()

    def busy(_: bytes) -> bool:
        nonlocal under_way
        with lock:
            if under_way < most:
                under_way += 1
                return False
            refused.append(under_way)
            return True

    def leave() -> None:
        nonlocal under_way
        with lock:
            under_way -= 1

    serve = limited(429, "retry-after: 0")
    with (
        running(lab) as upstream,
        hostile(serve, picks=busy, upstream=upstream, passed=leave) as url,
    ):
        yield url, refused


@pytest.mark.parametrize("concurrency", [8, 64])
@pytest.mark.parametrize("most", [1, 2])
def test_a_limit_on_requests_at_a_time_is_found_and_kept(most: int, concurrency: int) -> None:
    """The run goes on more slowly, every check is judged, and the record says so."""
    # An answer takes longer than making a request, or they would hardly ever be under way together.
    lab = Lab(latency=0.03)
    options = Options(only=["auth.bearer", "messages.*"], concurrency=concurrency)
    with one_at_a_time(lab, most) as (url, refused):
        record = verify(Endpoint(url, lab.key), options)
    assert refused
    assert record.exit_code == 0, record.notices
    assert not [one for one in record.verdicts if one.verdict is Verdict.INCONCLUSIVE]
    (notice,) = record.notices
    assert "refused requests for load" in notice
    assert "at a time instead of" in notice


def _date(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("serve", "says"),
    [
        (limited(429), "waited"),
        (limited(429, "retry-after: 0"), "refused requests for load"),
        (limited(429, "retry-after: 3600"), "asked for a pause of 3,600 s"),
        (limited(429, f"retry-after: {_date(3600)}"), "asked for a pause of 3,"),
        (limited(429, f"retry-after: {_date(-3600)}"), "refused requests for load"),
        (limited(429, "retry-after: soon \x1b[31m"), "waited"),
        (limited(429, "retry-after: 1e999"), "waited"),
        (limited(429, "retry-after: " + "9" * 5000), "refused requests for load"),
        (limited(429, "retry-after: -1"), "waited"),
        (limited(429, "retry-after: 2"), "no longer than 3 s in all"),
        (limited(529), "waited"),
        (limited(503, "retry-after: 0"), "refused requests for load"),
    ],
)
def test_a_storm_of_refusals_ends_the_waiting_not_the_run(
    serve: Serve, says: str, lab: dict[str, str]
) -> None:
    """Nothing is learnt, nobody is accused, and the bound on waiting holds."""
    with hostile(serve, picks=every) as url:
        record = verify(Endpoint(url, lab["ANTHROPIC_API_KEY"], ["m"]), OPTIONS)
    _is_open(record)
    assert says in " ".join(record.notices)
    assert record.duration_s < 20


def _is_open(record: RunRecord) -> None:
    assert record.exit_code == 3
    assert any(map(leaves_open, record.verdicts))
    assert not [one for one in record.verdicts if one.verdict is Verdict.FAIL]


def test_a_limit_that_passes_costs_no_verdict(lab: dict[str, str]) -> None:
    """Requests that are refused at first are sent again, and judged by their last answer."""
    left = [4]

    def at_first(_: bytes) -> bool:
        left[0] -= 1
        return left[0] >= 0

    with hostile(limited(529), picks=at_first, upstream=lab["ANTHROPIC_BASE_URL"]) as url:
        record = verify(Endpoint(url, lab["ANTHROPIC_API_KEY"]), OPTIONS)
    assert record.exit_code == 0, record.notices
    assert any(one.retry_of for one in record.exchanges)
    assert len(record.notices) == 1
