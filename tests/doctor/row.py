"""A row of the table: one configuration, the servers around it, and what the doctor makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doctor.loopback import KEY, Running, Serve, closed_port, gateway
from doctor.machines import machine

from metaio_verify.doctor.report import Report
from metaio_verify.doctor.run import Wishes, examine

OTHER_KEY = "sk-other-0a1b2c3d4e5f6a7b8c"
CONSOLE_KEY = "sk-ant-api03-a0b1c2d3e4f5a6b7c8d9"
SECRETS = (KEY, OTHER_KEY, CONSOLE_KEY, "hunter2-proxy-password")

RIGHT = {"ANTHROPIC_BASE_URL": "@url@", "ANTHROPIC_AUTH_TOKEN": KEY}
OWN = "server.pem"
NO_URL = {"ANTHROPIC_AUTH_TOKEN": KEY}


def env(**variables: Any) -> str:
    """Return a settings file with these variables."""
    return json.dumps({"env": variables}, indent=2)


@dataclass(frozen=True)
class Row:
    """One configuration."""

    finds: tuple[str, ...] = ()
    """The ids of its problems."""
    warns: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: RIGHT)
    files: Mapping[str, str] = field(default_factory=dict)
    serve: Serve | None = field(default_factory=gateway)
    """The endpoint; none: nobody listens."""
    certificate: str = ""
    """What the endpoint speaks TLS with."""
    proxy: Callable[[int], Serve] | None = None
    """A proxy, given the port of the endpoint."""
    wishes: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/home/ada/project"


def diagnosed(row: Row, root: Path, servers: ExitStack) -> Report:
    """Run the doctor on a row."""
    places = {"@url@": "", "@port@": "", "@proxy@": "", "@closed@": ""}
    places["@closed@"] = str(servers.enter_context(closed_port()))
    if row.serve is not None:
        endpoint = servers.enter_context(Running(row.serve, certificate=row.certificate))
        places["@url@"] = f"{'https' if row.certificate else 'http'}://127.0.0.1:{endpoint.port}"
        places["@port@"] = str(endpoint.port)
        if row.proxy is not None:
            proxy = servers.enter_context(Running(row.proxy(endpoint.port)))
            places["@proxy@"] = f"http://127.0.0.1:{proxy.port}"
            places["@proxyport@"] = str(proxy.port)

    def filled(text: str) -> str:
        for place, value in places.items():
            text = text.replace(place, value)
        return text

    computer = machine(
        root,
        {name: filled(value) for name, value in row.environ.items()},
        {path: filled(text) for path, text in row.files.items()},
        cwd=Path(row.cwd),
    )
    wishes: dict[str, Any] = {name: filled(value) for name, value in row.wishes.items()}
    return examine(computer, Wishes(timeout=5.0, **wishes))
