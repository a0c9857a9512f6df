"""A gateway of the lab between its two sides, ready to be verified."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from metaio_verify.lab.gateway.app import Gateway
from metaio_verify.lab.gateway.kind import Kind
from metaio_verify.lab.server import running
from metaio_verify.lab.upstream.recorder import Recorder

TOKEN = "sk-upstream-7d1e9b3c5a8f0246"  # noqa: S105 - opens nothing but the lab
MODEL = "claude-lab-3"


class Stage(NamedTuple):
    """What a verifier has to know."""

    url: str
    key: str
    upstream: str
    token: str


@contextmanager
def staged(
    kind: Kind = Kind.PASS_THROUGH,
    *,
    faults: Collection[str] = (),
    variants: Collection[str] = (),
) -> Iterator[Stage]:
    """Run an upstream, and a gateway with these changes in front of it."""
    translator = kind.translator([*faults, *variants])
    with running(Recorder(TOKEN)) as upstream:
        gateway = Gateway(upstream, TOKEN, translator=translator, faults=faults, variants=variants)
        with running(gateway) as url:
            yield Stage(url, gateway.key, upstream, TOKEN)
