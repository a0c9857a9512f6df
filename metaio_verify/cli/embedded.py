"""What `demo` verifies: the lab's endpoint, or a gateway of the lab between its two sides."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from metaio_verify.lab.gateway.kind import Kind
from metaio_verify.wanted import Endpoint


@contextmanager
def embedded(
    gateway: Kind | None, *, faults: Collection[str], variants: Collection[str]
) -> Iterator[Endpoint]:
    """Run it with these changes, on free ports of this machine."""
    if gateway is None:
        from metaio_verify.lab.server import Lab, running  # noqa: PLC0415 - one of the two

        lab = Lab(faults=faults, variants=variants)
        with running(lab) as url:
            yield Endpoint(url, lab.key, [lab.models[0].id])
        return
    from metaio_verify.lab.gateway.staging import MODEL, staged  # noqa: PLC0415

    with staged(gateway, faults=faults, variants=variants) as stage:
        yield Endpoint(
            stage.url, stage.key, [MODEL], upstream=stage.upstream, upstream_token=stage.token
        )
