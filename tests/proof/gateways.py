"""The checks that look behind a gateway, against one of the lab's."""

from __future__ import annotations

from collections.abc import Collection

from metaio_verify import Endpoint, verify
from metaio_verify.lab.gateway.kind import Kind
from metaio_verify.lab.gateway.staging import MODEL, staged
from metaio_verify.record import RunRecord
from metaio_verify.wanted import Options


def run(
    kind: Kind = Kind.PASS_THROUGH,
    *,
    faults: Collection[str] = (),
    variants: Collection[str] = (),
    profile: str = "gateway",
    only: Collection[str] = (),
    skip: Collection[str] = (),
) -> RunRecord:
    """Verify a gateway with these changes from both of its sides."""
    with staged(kind, faults=faults, variants=variants) as stage:
        endpoint = Endpoint(
            stage.url,
            stage.key,
            [MODEL],
            upstream=stage.upstream,
            upstream_token=stage.token,
        )
        return verify(endpoint, Options(profile=profile, only=list(only), skip=list(skip)))
