"""The parts of the URLs that a record holds."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from metaio_verify.exchange import REDACTED


def split(url: str) -> SplitResult:
    """The parts of a URL; where the credential stood, in the host even, it says `redacted`.

    Raises:
        ValueError: it is no URL. Records are looked through for such when they are read.

    """
    # Brackets in a host are for addresses of IPv6 alone.
    return urlsplit(url.replace(REDACTED, REDACTED.strip("[]")))
