"""The pytest plug-in: every check of a run is a test of its own.

`pytest --metaio-base-url URL` adds the items; without that option nothing is imported and nothing
happens. The work is in `metaio_verify.pytest_items`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

_OPTION = "metaio_base_url"
_FOLDER = "metaio_folder"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they mean what those of `metaio-verify check` mean."""
    group = parser.getgroup("metaio-verify", "verify an Anthropic-style endpoint")
    group.addoption(
        "--metaio-base-url",
        metavar="URL",
        help="Make a test of each check of this endpoint; the base URL is without /v1.",
    )
    group.addoption(
        "--metaio-key-env",
        metavar="NAME",
        help="The environment variable that holds the key "
        "[default: ANTHROPIC_API_KEY, then ANTHROPIC_AUTH_TOKEN].",
    )
    group.addoption("--metaio-auth", metavar="STYLE", help="auto, x-api-key or bearer.")
    group.addoption("--metaio-profile", metavar="NAME", help="A named selection of checks.")
    for name, what in (
        ("model", "A model to verify, or `all`"),
        ("only", "Only these checks, by id or glob"),
        ("skip", "Not these checks"),
        ("tag", "Only checks with this tag"),
    ):
        group.addoption(
            f"--metaio-{name}",
            metavar=name.upper(),
            action="append",
            default=[],
            help=f"{what}; repeatable.",
        )
    group.addoption(
        "--metaio-checks",
        metavar="PATH",
        action="append",
        default=[],
        type=Path,
        help="Check files of your own, or folders of them; repeatable.",
    )
    group.addoption(
        "--metaio-strict", action="store_true", help="A failed should-check is a failure, too."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load the suite, where an endpoint is named; bad input ends the session here."""
    if config.getoption(_OPTION):
        from metaio_verify.pytest_items import Checks  # noqa: PLC0415 - costs nothing otherwise

        checks = Checks(config, _shared_folder(config))
        config.pluginmanager.register(checks, "metaio-verify-checks")


def _shared_folder(config: pytest.Config) -> Path | None:
    """Where the workers of xdist share one run; the process that starts them makes it."""
    given = getattr(config, "workerinput", {}).get(_FOLDER)
    return Path(given) if given else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist where the run is shared."""
    checks = node.config.pluginmanager.get_plugin("metaio-verify-checks")
    if checks is not None:
        node.workerinput[_FOLDER] = str(checks.folder_for_workers())
