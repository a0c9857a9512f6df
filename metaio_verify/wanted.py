"""What a run is asked for: the endpoint to verify, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from metaio_verify.baseline.model import Baseline
from metaio_verify.errors import Place
from metaio_verify.record import RunRecord

AUTO = "auto"


# Those that hold a secret are dataclasses: a struct cannot leave a field out of what it shows.
@dataclass(frozen=True)
class Endpoint:
    """What to verify."""

    base_url: str
    api_key: str = field(repr=False)
    models: Sequence[str] = ()
    """Model ids; `all` stands for every listed one; none for the first listed one that answers."""
    auth: str = AUTO
    """`auto`, or the one credential style to use: `x-api-key` or `bearer`."""
    upstream: str = ""
    """Where the upstream of the gateway under test is (`metaio-verify serve --upstream`)."""
    upstream_token: str = field(default="", repr=False)


class Earlier(Struct, frozen=True):
    """A saved run."""

    path: str
    """The file that it was read from."""
    record: RunRecord


@dataclass(frozen=True)
class Options:
    """How to verify it. All times are in seconds."""

    profile: str = "full"
    only: Sequence[str] = ()
    """Check ids or globs; instead of the profile's."""
    skip: Sequence[str] = ()
    tags: Sequence[str] = ()
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """Where a file asks for one of these: option and value → place, for the message if it is
    wrong."""
    checks: Sequence[Path] = ()
    """Further check files or folders of them."""
    strict: bool = False
    fail_fast: bool = False
    concurrency: int = 8
    connect_timeout: float = 10.0
    """Longest wait for a connection."""
    timeout: float = 60.0
    """Longest wait for the next byte of an answer, the first one included."""
    request_timeout: float | None = None
    """Longest time for one request and its whole answer; when not given, twice `timeout` and at
    least 30."""
    run_timeout: float = 900.0
    """Longest time for the whole run."""
    patience: float = 60.0
    """Longest time that the run waits, in all, for an endpoint that refuses for load."""
    max_body: int = 8 * 1024 * 1024
    """Bytes of one answer; eight times as many may come in the whole run."""
    max_events: int = 10_000
    """Events of one stream."""
    ca_bundle: Path | None = None
    """A PEM file of certificates to trust besides the usual ones."""
    secrets: Sequence[str] = field(default=(), repr=False)
    """Further texts that must never appear in the record."""
    baseline: Baseline | None = None
    """Deviations that may stay until a day (`baseline.read`)."""
    since: Earlier | None = None
    """An earlier run: only what got worse since fails."""
    reference: Endpoint | None = None
    """An endpoint to ask the same; one model stands for all, none for the same ids."""
