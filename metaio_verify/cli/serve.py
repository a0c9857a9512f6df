"""`serve`: the embedded endpoint on its own, or the upstream that stands behind a gateway."""

from __future__ import annotations

import ipaddress
import secrets
from pathlib import Path
from typing import Annotated

import typer

from metaio_verify.cli import options as opt
from metaio_verify.errors import Problem, UserError
from metaio_verify.exitcodes import ExitCode

_UPSTREAM = "Behind a gateway"


def serve(  # noqa: PLR0913 - one parameter an option
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes a free port.")
    ] = 8765,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The key it accepts.")] = None,
    fault: opt.Faults = None,
    variant: opt.Variants = None,
    latency: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Added to each answer.")
    ] = 0.0,
    upstream: Annotated[
        bool,
        typer.Option(
            "--upstream",
            help="Stand behind a gateway: record what it forwards, play what `check --upstream` "
            "asks for.",
            rich_help_panel=_UPSTREAM,
        ),
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where the upstream listens; another machine's gateway needs more than loopback.",
            rich_help_panel=_UPSTREAM,
        ),
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="METAIO_UPSTREAM_TOKEN",
            help="What the gateway sends as its key, and `check` to read the record; made up when "
            "it is not given.",
            rich_help_panel=_UPSTREAM,
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write every recorded request there too, one JSON document a line. It holds what "
            "the gateway sent, but the token.",
            rich_help_panel=_UPSTREAM,
        ),
    ] = None,
) -> int:
    """Keep the embedded endpoint running, on 127.0.0.1, until Ctrl-C."""
    if "list" in (*(fault or ()), *(variant or ())):
        return print_changes(faults=bool(fault))
    if upstream:
        if fault or variant or key or latency:
            wrong = "--fault, --variant, --key and --latency are about the endpoint"
            raise UserError(Problem(wrong, hint="leave them out with --upstream"))
        return _serve_upstream(host, port, token, keep)
    if keep is not None or host != "127.0.0.1":
        raise UserError(Problem("--host and --keep are about the upstream", hint="add --upstream"))
    from metaio_verify.lab.app import DEFAULT_KEY  # noqa: PLC0415
    from metaio_verify.lab.server import Lab, serve_forever  # noqa: PLC0415 - imports the server

    lab = Lab(key or DEFAULT_KEY, faults=fault or [], variants=variant or [], latency=latency)
    serve_forever(lab, port, ready=lambda url: _announce(url, lab.key))
    return ExitCode.OK


def _serve_upstream(host: str, port: int, token: str | None, keep: Path | None) -> int:
    from metaio_verify.lab.server import serve_forever  # noqa: PLC0415 - imports the server
    from metaio_verify.lab.upstream.recorder import Recorder  # noqa: PLC0415
    from metaio_verify.probe.target import parse_credential  # noqa: PLC0415

    if keep is not None:
        try:
            keep.touch()
        except OSError as error:
            raise UserError(Problem(f"cannot write {keep}: {error.strerror}")) from None
    secret = parse_credential(token or f"sk-upstream-{secrets.token_hex(16)}").secret
    if not _is_loopback(host):
        typer.echo(f"The upstream listens on {host}: whoever has its token reads it.", err=True)
    serve_forever(
        Recorder(secret, keep=keep),
        port,
        host,
        ready=lambda url: _announce_upstream(url, secret),
    )
    return ExitCode.OK


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _announce_upstream(url: str, token: str) -> None:
    typer.echo(f"export METAIO_UPSTREAM={url}")
    typer.echo(f"export METAIO_UPSTREAM_TOKEN={token}")


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
