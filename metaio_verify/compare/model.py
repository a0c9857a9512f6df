"""A comparison of runs: everything that its reports show, as plain data."""

from __future__ import annotations

from msgspec import Struct, field

from metaio_verify.record import ChangeKind, Cost, Reach
from metaio_verify.verdict import Level, Verdict

FORMAT = "metaio-verify/compare/1"


class Run(Struct, frozen=True, kw_only=True):
    """One of the compared runs."""

    label: str
    """`A` for the first, `B` for the second …"""
    path: str
    base_url: str
    models: list[str]
    started: str
    profile: str
    headline: str
    exit_code: int
    cost: Cost
    duration_s: float


class Column(Struct, frozen=True, kw_only=True):
    """One target: a run with one of its models."""

    label: str
    """That of the run, with a number where the run has several models."""
    run: int
    """The position of the run."""
    model: str | None


class Cell(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a check on a target."""

    verdict: Verdict
    detail: str = ""
    """The first finding, or the reason."""


class Row(Struct, frozen=True, kw_only=True):
    """One check on every target."""

    check: str
    title: str
    area: str
    level: Level
    kind: ChangeKind | None
    """How it moved from the first run to the last; none when it did not."""
    differs: bool
    """Whether any two targets differ."""
    cells: list[Cell | None]
    """None where the run did not judge it."""


class Latency(Struct, frozen=True, kw_only=True):
    """How long a probe took on every target: medians, in seconds."""

    probe: str
    first_byte: list[float | None]
    total: list[float | None]
    factor: float | None
    """The last total over the first one; none when one of them is missing."""
    moved: bool
    """Whether that is more than noise."""


class ClientRow(Struct, frozen=True, kw_only=True):
    """How far a client gets in every run."""

    client: str
    reach: list[Reach | None]


class CapabilityRow(Struct, frozen=True, kw_only=True):
    """Which targets have a capability; none where that was not learnt."""

    name: str
    has: list[bool | None]


class Comparison(Struct, frozen=True, kw_only=True):
    """Runs side by side."""

    format: str = FORMAT
    runs: list[Run]
    columns: list[Column]
    pairs: list[tuple[int, int]]
    """Which columns are compared with each other: the earlier one, the later one."""
    rows: list[Row]
    """The most important change first, then what differs otherwise, then what is the same."""
    latencies: list[Latency] = field(default_factory=list)
    """The largest move first."""
    pace: float | None = None
    """The middle of all factors: how many times as long a usual request takes."""
    shift_s: float | None = None
    """The middle of all differences: how much longer a usual request takes, in seconds."""
    clients: list[ClientRow] = field(default_factory=list)
    capabilities: list[CapabilityRow] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What makes the runs hard to compare."""
    outcome: int
    """The exit code of the last run where only what is worse than in the first one counts."""
    exit_code: int
    """The same, or 0 where that was asked for."""

    @property
    def headline(self) -> str:
        """The result in a sentence, without a full stop."""
        counts = {kind: len(self.of_kind(kind)) for kind in ChangeKind}
        parts = [f"{count} {_WORDS[kind]}" for kind, count in counts.items() if count]
        varying = len([row for row in self.rows if row.differs and row.kind is None])
        parts += [f"{varying} differing in between"] if varying else []
        return ", ".join(parts) if parts else "No check differs"

    def of_kind(self, kind: ChangeKind | None) -> list[Row]:
        """The rows that moved in one way."""
        return [row for row in self.rows if row.kind is kind]

    @property
    def same(self) -> list[Row]:
        """The rows in which all targets agree."""
        return [row for row in self.rows if not row.differs and row.kind is None]


_WORDS = {
    ChangeKind.NEW_FAILURE: "failing now",
    ChangeKind.UNKNOWN: "no longer known",
    ChangeKind.UNCLEAR: "failed and not known now",
    ChangeKind.WORSE: "worse",
    ChangeKind.MENDED: "mended",
    ChangeKind.BETTER: "better",
    ChangeKind.WAIVER: "waived differently",
    ChangeKind.FINDINGS: "with other findings",
    ChangeKind.ADDED: "only in the last run",
    ChangeKind.REMOVED: "not in the last run",
}

HEADINGS = {
    ChangeKind.NEW_FAILURE: "Failing now",
    ChangeKind.UNKNOWN: "No longer known",
    ChangeKind.UNCLEAR: "Failed, and not known now",
    ChangeKind.WORSE: "Worse",
    ChangeKind.MENDED: "Mended",
    ChangeKind.BETTER: "Better",
    ChangeKind.WAIVER: "Waived differently",
    ChangeKind.FINDINGS: "Other findings",
    None: "Differing in between",
    ChangeKind.ADDED: "Only judged in the last run",
    ChangeKind.REMOVED: "Not judged in the last run",
}
"""The sections of a report, in their order."""


def sections(comparison: Comparison) -> list[tuple[ChangeKind | None, str, list[Row]]]:
    """Return what differs, under its headings."""
    found = []
    for kind, heading in HEADINGS.items():
        rows = [row for row in comparison.of_kind(kind) if row.differs or kind is not None]
        if rows:
            found.append((kind, heading, rows))
    return found
