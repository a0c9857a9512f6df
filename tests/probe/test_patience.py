from __future__ import annotations

import email.utils
import time

import pytest

from metaio_verify.probe.patience import requested_delay
from metaio_verify.record import Received


@pytest.mark.parametrize(
    ("status", "header", "delay"),
    [
        (429, "3", 3.0),
        (429, "0.5", 0.5),
        (429, None, 1.0),
        (429, "soon", 1.0),
        (429, "-4", 1.0),
        (429, "inf", 1.0),
        (429, "nan", 1.0),
        (429, "3600", 3600.0),
        (529, None, 1.0),
        (503, "2", 2.0),
        (503, None, None),
        (500, "2", None),
        (200, "2", None),
    ],
)
def test_the_wait_that_an_answer_asks_for(status: int, header: str | None, delay: float) -> None:
    """Load is waited for; a 503 without `retry-after` may as well be a defect."""
    headers = [] if header is None else [("Retry-After", header)]
    response = Received(status=status, http_version="HTTP/1.1", headers=headers, text="")
    assert requested_delay(response, 1.0) == delay


def test_an_answer_that_must_not_be_repeated_is_final() -> None:
    """`x-should-retry: false` wins over `retry-after`."""
    headers = [("X-Should-Retry", "false"), ("retry-after", "1")]
    response = Received(status=429, http_version="HTTP/1.1", headers=headers, text="")
    assert requested_delay(response, 1.0) is None


def test_a_date_is_understood() -> None:
    """`retry-after` may be an HTTP date; one in the past means now."""
    past = email.utils.formatdate(time.time() - 100, usegmt=True)
    headers = [("retry-after", past)]
    response = Received(status=429, http_version="HTTP/1.1", headers=headers, text="")
    assert requested_delay(response, 1.0) == 0.0
