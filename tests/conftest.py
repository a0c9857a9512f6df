from __future__ import annotations

from collections.abc import Iterator

import pytest

from metaio_verify.lab.server import Lab, running


@pytest.fixture(scope="session")
def lab() -> Iterator[dict[str, str]]:
    """The clean lab; gives the environment that points to it."""
    clean = Lab()
    with running(clean) as url:
        yield {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": clean.key}
