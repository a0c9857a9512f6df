from __future__ import annotations

import pytest

from metaio_verify.probe.pulse import Pulse


def _beaten(*moments: float) -> Pulse:
    pulse = Pulse()
    for at in moments:
        pulse.beat(at)
    return pulse


@pytest.mark.parametrize(
    ("moments", "period", "lag"),
    [
        pytest.param([0.0, 0.1, 0.2, 0.3], (0.0, 0.35), 0.0, id="in time"),
        pytest.param([0.0, 0.15, 0.3], (0.0, 0.35), 0.0, id="a little late"),
        pytest.param([0.0, 2.1, 2.2], (0.0, 2.25), 2.0, id="busy for two seconds"),
        pytest.param([0.0, 2.1, 2.2], (1.1, 2.25), 1.0, id="busy before it began, too"),
        pytest.param([0.0, 2.1, 2.2], (2.15, 2.25), 0.0, id="busy before it began"),
        pytest.param([0.0, 1.1, 3.2], (0.0, 3.3), 2.0, id="busy twice: the longer one counts"),
        pytest.param([0.0], (0.0, 3.1), 3.0, id="busy until now"),
        pytest.param([], (0.0, 3.1), 0.0, id="never looked"),
    ],
)
def test_the_longest_time_without_a_look_is_known(
    moments: list[float], period: tuple[float, float], lag: float
) -> None:
    """A look is due every tenth of a second; by how much one came too late is the lag."""
    assert _beaten(*moments).lag(*period) == pytest.approx(lag)
