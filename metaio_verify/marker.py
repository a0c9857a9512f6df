"""The mark by which a request is known again behind a gateway.

A probe carries it in its text, so that it survives every translation; the upstream finds it
wherever the gateway puts it, and reads in it whose request this is and what to play.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MARK = re.compile(rb"\[\[metaio:(VERIFY-[A-Z0-9]{8}):([a-z0-9-]+)\]\]")

FORMAT = "metaio-verify/upstream/1"
"""How the verifier knows an upstream of this program."""
CONTROL = "/metaio"
"""Below this path the upstream talks to the verifier, and never to a gateway."""
TOKEN_HEADER = "x-metaio-token"  # noqa: S105 - a header's name


class Mark(NamedTuple):
    """A run token, and the name of a script."""

    token: str
    script: str

    def __str__(self) -> str:
        return f"[[metaio:{self.token}:{self.script}]]"


def find(body: bytes) -> Mark | None:
    """Return the first mark of a body, whatever its format is."""
    found = _MARK.search(body)
    return Mark(found[1].decode(), found[2].decode()) if found else None
