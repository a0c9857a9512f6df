"""Verify that an Anthropic-style base URL really behaves.

from metaio_verify import Endpoint, Options, verify

record = verify(Endpoint("https://gateway.example.com", api_key="…"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaio_verify.again import judge_again
    from metaio_verify.api import verify
    from metaio_verify.record import RunRecord
    from metaio_verify.wanted import Endpoint, Options

__version__ = "0.1.0"
__all__ = ["Endpoint", "Options", "RunRecord", "__version__", "judge_again", "verify"]


def __getattr__(name: str) -> object:
    """Import the interface on first use: it needs the network, which most commands do not."""
    if name == "RunRecord":
        from metaio_verify.record import RunRecord  # noqa: PLC0415 - on first use

        return RunRecord
    if name == "judge_again":
        from metaio_verify.again import judge_again  # noqa: PLC0415 - on first use

        return judge_again
    if name in __all__:
        from metaio_verify import api  # noqa: PLC0415 - on first use

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
