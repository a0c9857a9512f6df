"""What can be changed about the lab, as `demo` and `serve` name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from metaio_verify.exitcodes import ExitCode
from metaio_verify.lab.gateway.kind import OF_TRANSLATORS, Kind

if TYPE_CHECKING:
    from metaio_verify.lab.change import Change


def known_changes(gateway: Kind | None, *, faults: bool) -> list[Change]:
    """Return the faults, or the variants, of the endpoint or of a kind of gateway."""
    if gateway is None:
        from metaio_verify.lab.faults import FAULTS  # noqa: PLC0415 - loads the lab
        from metaio_verify.lab.variants import VARIANTS  # noqa: PLC0415

        return list((FAULTS if faults else VARIANTS).values())
    from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS  # noqa: PLC0415
    from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS  # noqa: PLC0415

    found = (GATEWAY_FAULTS if faults else GATEWAY_VARIANTS).values()
    translates = gateway is not Kind.PASS_THROUGH
    return [one for one in found if translates or not one.id.startswith(OF_TRANSLATORS)]


def print_changes(gateway: Kind | None, *, faults: bool) -> int:
    """One line for each fault, or each variant."""
    changes = known_changes(gateway, faults=faults)
    width = max(len(change.id) for change in changes)
    for change in changes:
        typer.echo(f"{change.id:{width}}  {change.doc}")
    return ExitCode.OK
