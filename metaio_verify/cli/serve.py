"""`serve`: the embedded endpoint on its own."""

from __future__ import annotations

from typing import Annotated

import typer

from metaio_verify.cli import options as opt
from metaio_verify.exitcodes import ExitCode


def serve(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8765,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The key it accepts.")] = None,
    fault: opt.Faults = None,
    variant: opt.Variants = None,
    latency: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Added to each answer.")
    ] = 0.0,
) -> int:
    """Keep the embedded endpoint running, on 127.0.0.1, until Ctrl-C."""
    if "list" in (*(fault or ()), *(variant or ())):
        return print_changes(faults=bool(fault))
    from metaio_verify.lab.app import DEFAULT_KEY  # noqa: PLC0415
    from metaio_verify.lab.server import Lab, serve_forever  # noqa: PLC0415 - imports the server

    lab = Lab(key or DEFAULT_KEY, faults=fault or [], variants=variant or [], latency=latency)
    serve_forever(lab, port, ready=lambda url: _announce(url, lab.key))
    return ExitCode.OK


def _announce(url: str, key: str) -> None:
    typer.echo(f"export ANTHROPIC_BASE_URL={url}")
    typer.echo(f"export ANTHROPIC_API_KEY={key}")


def print_changes(*, faults: bool) -> int:
    """One line for each fault, or each variant, of the lab."""
    from metaio_verify.lab.faults import FAULTS  # noqa: PLC0415
    from metaio_verify.lab.variants import VARIANTS  # noqa: PLC0415

    changes = FAULTS if faults else VARIANTS
    width = max(map(len, changes))
    for change in changes.values():
        typer.echo(f"{change.id:{width}}  {change.doc}")
    return ExitCode.OK
