from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from metaio_verify.lab.server import Lab, running

# How long an example takes says something of the machine that the tests run on, and nothing else.
settings.register_profile("without-a-clock", deadline=None)
settings.load_profile("without-a-clock")


@pytest.fixture(scope="session")
def lab() -> Iterator[dict[str, str]]:
    """The clean lab; gives the environment that points to it."""
    clean = Lab()
    with running(clean) as url:
        yield {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": clean.key}
