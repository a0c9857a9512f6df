"""`serve`: the embedded endpoint on its own, a gateway, or the upstream that stands behind one."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metaio_verify.cli import options as opt
from metaio_verify.cli.changes import print_changes
from metaio_verify.errors import Problem, UserError
from metaio_verify.exitcodes import ExitCode

if TYPE_CHECKING:
    from metaio_verify.lab.gateway.app import Gateway
    from metaio_verify.lab.gateway.kind import Kind

_UPSTREAM = "Behind a gateway"
_PORT = 8765


def serve(  # noqa: PLR0913 - one parameter an option
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="0 takes a free port.",
            show_default="8765; of a gateway 8766",
        ),
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The key it accepts.")] = None,
    fault: opt.Faults = None,
    variant: opt.Variants = None,
    latency: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Added to each answer.")
    ] = 0.0,
    gateway: opt.Gateway = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="METAIO_UPSTREAM",
            help="The upstream that the gateway speaks to, with `--token` as its key.",
        ),
    ] = None,
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
        return print_changes(gateway, faults="list" in (fault or ()))
    if upstream and gateway:
        hint = "start each in a shell of its own; or try `demo --gateway`"
        raise UserError(Problem("--upstream and --gateway are two servers", hint=hint))
    if upstream:
        if fault or variant or key or latency:
            wrong = "--fault, --variant, --key and --latency are about the endpoint"
            raise UserError(Problem(wrong, hint="leave them out with --upstream"))
        return _serve_upstream(host, _PORT if port is None else port, token, keep)
    if to and not gateway and not os.environ.get("METAIO_UPSTREAM"):
        raise UserError(Problem("--to is about a gateway", hint="add --gateway"))
    if keep is not None or host != "127.0.0.1":
        raise UserError(Problem("--host and --keep are about the upstream", hint="add --upstream"))
    from metaio_verify.lab.server import Lab, serve_forever  # noqa: PLC0415 - imports the server

    if gateway:
        if latency:
            raise UserError(Problem("--latency is about the endpoint", hint="leave it out"))
        app = _gateway(
            gateway, to=to, token=token, key=key, faults=fault or [], variants=variant or []
        )
        port = _PORT + 1 if port is None else port
        serve_forever(app, port, ready=lambda url: _announce(url, app.key))
        return ExitCode.OK
    from metaio_verify.lab.app import DEFAULT_KEY  # noqa: PLC0415

    lab = Lab(key or DEFAULT_KEY, faults=fault or [], variants=variant or [], latency=latency)
    port = _PORT if port is None else port
    serve_forever(lab, port, ready=lambda url: _announce(url, lab.key))
    return ExitCode.OK


def _gateway(
    kind: Kind,
    *,
    to: str | None,
    token: str | None,
    key: str | None,
    faults: Sequence[str],
    variants: Sequence[str],
) -> Gateway:
    from metaio_verify.lab.gateway.app import CLIENT_KEY, Gateway  # noqa: PLC0415 - the server
    from metaio_verify.probe.upstream import parse_upstream  # noqa: PLC0415

    place = parse_upstream(to or "", token or "")
    if place is None:
        hint = "set METAIO_UPSTREAM to what `metaio-verify serve --upstream` printed, or give --to"
        raise UserError(Problem("the gateway needs an upstream", hint=hint))
    return Gateway(
        str(place.base),
        place.token.secret,
        key=key or CLIENT_KEY,
        translator=kind.translator([*faults, *variants]),
        faults=faults,
        variants=variants,
    )


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
