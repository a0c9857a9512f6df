"""What the shell offers behind Tab. No request is sent, and no secret is offered.

A mistake in a file, or anything else that goes wrong, leaves the offer empty: while a command is
being typed is no time for errors.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from metaio_verify.config import Config
    from metaio_verify.suite.model import Suite

Offer: TypeAlias = Iterable[tuple[str, str]]
"""Words with an explanation, which shells that can show it show."""

_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def _quietly(offer: Callable[[typer.Context], Offer]) -> Callable[..., list[tuple[str, str]]]:
    @functools.wraps(offer)
    def complete(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        try:
            found = list(offer(ctx))
        except Exception:  # noqa: BLE001 - see above
            return []
        return [(word, why) for word, why in found if word.startswith(incomplete)]

    # Typer goes by the annotations of what it calls, and by nothing that is wrapped.
    del complete.__wrapped__
    complete.__annotations__ = {"ctx": typer.Context, "incomplete": str}
    return complete


@_quietly
def checks(ctx: typer.Context) -> Offer:
    """The ids of checks, those of `--checks` too."""
    return ((check.id, check.title) for check in _suite(ctx).checks.values())


@_quietly
def profiles(ctx: typer.Context) -> Offer:
    """The names of profiles."""
    return ((profile.id, profile.title) for profile in _suite(ctx).profiles.values())


@_quietly
def tags(ctx: typer.Context) -> Offer:
    """The tags of checks."""
    found = {tag for check in _suite(ctx).checks.values() for tag in check.tags}
    return ((tag, "") for tag in sorted(found))


@_quietly
def models(ctx: typer.Context) -> Offer:
    """The models of the environment and of the configuration."""
    config = _config(ctx)
    named = [os.environ.get("ANTHROPIC_MODEL", ""), *config.models]
    named += [model for target in config.targets.values() for model in target.models]
    secrets = [v for n, v in os.environ.items() if n.endswith(_SECRETS) and v.strip()]
    harmless = [m for m in named if m and not any(secret in m for secret in secrets)]
    return [*((model, "") for model in dict.fromkeys(harmless)), ("all", "every listed one")]


@_quietly
def targets(ctx: typer.Context) -> Offer:
    """The targets of the configuration."""
    found = [(name, one.base_url or "") for name, one in _config(ctx).targets.items()]
    return [*found, ("all", "each of them")] if found else []


@_quietly
def auth(_ctx: typer.Context) -> Offer:
    """The styles of a credential."""
    return [("auto", "find out"), ("x-api-key", ""), ("bearer", "Authorization: Bearer")]


@_quietly
def formats(_ctx: typer.Context) -> Offer:
    """The formats of reports."""
    from metaio_verify.report.formats import Format  # noqa: PLC0415 - on Tab only

    return ((format_.value, format_.summary) for format_ in Format)


@_quietly
def faults(ctx: typer.Context) -> Offer:
    """The faults of the lab's endpoint; behind `--gateway` those of its gateways."""
    return _changes(ctx, faults=True)


@_quietly
def variants(ctx: typer.Context) -> Offer:
    """The variants of the lab's endpoint; behind `--gateway` those of its gateways."""
    return _changes(ctx, faults=False)


def _changes(ctx: typer.Context, *, faults: bool) -> Offer:
    from metaio_verify.cli.changes import known_changes  # noqa: PLC0415 - on Tab only

    changes = known_changes(ctx.params.get("gateway"), faults=faults)
    return [("list", "print all of them"), *((one.id, one.doc) for one in changes)]


def _suite(ctx: typer.Context) -> Suite:
    from metaio_verify.suite.load import builtin, load  # noqa: PLC0415 - on Tab only

    own: Any = ctx.params.get("checks")
    return load([Path(path) for path in own], builtin()) if own else builtin()


def _config(ctx: typer.Context) -> Config:
    from metaio_verify.config import read_config  # noqa: PLC0415 - on Tab only

    given: Any = ctx.params.get("config")
    return read_config(Path(given) if given else None).config
