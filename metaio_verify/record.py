"""The run record: everything a run saw and judged, as JSON. Every report is made from it alone.

Secrets are replaced before a value enters one of these types (`probe.redact`). Times are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from metaio_verify.exchange import (
    REDACTED,
    Clock,
    Dialect,
    Exchange,
    Failure,
    Forwarded,
    ForwardedRequest,
    Played,
    Received,
    SentRequest,
    StreamEvent,
    Value,
)
from metaio_verify.verdict import Level, Verdict

__all__ = [
    "FORMAT",
    "REDACTED",
    "Acceptance",
    "Change",
    "ChangeKind",
    "CheckInfo",
    "ClientResult",
    "Clock",
    "Cost",
    "Dialect",
    "Difference",
    "Exchange",
    "Failure",
    "Finding",
    "Forwarded",
    "ForwardedRequest",
    "Judgement",
    "Played",
    "Reach",
    "Received",
    "Reference",
    "RunRecord",
    "Selection",
    "SentRequest",
    "Since",
    "Stop",
    "StreamEvent",
    "Target",
    "Tool",
    "Trouble",
    "Unfired",
    "Value",
    "Waiver",
    "WaiverState",
]

FORMAT = "metaio-verify/run/1"


class Finding(Value, frozen=True, kw_only=True):
    """One deviation."""

    expected: str
    actual: str
    where: str = ""
    """Header, JSON path or SSE event number."""
    exchange: str = ""


class Acceptance(Value, frozen=True, kw_only=True):
    """Why a deviation is waived."""

    verdict: Verdict
    """What the check would get without the waiver."""
    reason: str
    """In the words of whoever waived it."""
    expires: str
    """The last day on which it is accepted, `2027-01-31`."""


class Judgement(Value, frozen=True, kw_only=True):
    """One check on one target."""

    check: str
    level: Level
    verdict: Verdict
    model: str | None = None
    contract: list[str]
    reason: str = ""
    """Why, for every verdict that findings do not explain."""
    findings: list[Finding] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)
    waiver: Acceptance | None = None
    """With the verdict `waived`: who accepts the findings, and until when."""

    @property
    def found(self) -> Verdict:
        """What the evidence shows, whether it is waived or not."""
        if self.verdict is not Verdict.WAIVED:
            return self.verdict
        return self.waiver.verdict if self.waiver is not None else Verdict.FAIL


class WaiverState(StrEnum):
    """What a run says about a waiver."""

    USED = "used"
    EXPIRED = "expired"
    UNUSED = "unused"
    NOT_JUDGED = "not judged"

    @property
    def is_stale(self) -> bool:
        """Whether the waiver has to be looked at before a run is green again."""
        return self in (WaiverState.EXPIRED, WaiverState.UNUSED)


class Waiver(Value, frozen=True, kw_only=True):
    """One waiver of the baseline, and what this run says about it."""

    check: str
    model: str | None = None
    reason: str
    expires: str
    state: WaiverState
    detail: str = ""
    """One sentence for a person, where there is something to do or to know."""
    place: str = ""
    """File and line."""


class ChangeKind(StrEnum):
    """How a check moved from one run to another."""

    NEW_FAILURE = "new failure"
    UNKNOWN = "no longer known"
    """It held, or deviated without failing; now it could not be judged."""
    UNCLEAR = "failed, not known now"
    WORSE = "worse"
    MENDED = "mended"
    BETTER = "better"
    WAIVER = "waiver changed"
    FINDINGS = "other findings"
    ADDED = "new check"
    REMOVED = "not judged any more"

    @property
    def is_worse(self) -> bool:
        """Whether the later run says something worse about the endpoint."""
        return self in (ChangeKind.NEW_FAILURE, ChangeKind.UNKNOWN, ChangeKind.WORSE)

    @property
    def is_better(self) -> bool:
        """Whether the later run says something better about the endpoint."""
        return self in (ChangeKind.MENDED, ChangeKind.BETTER)


class Change(Value, frozen=True, kw_only=True):
    """One check that an earlier run judged differently."""

    check: str
    model: str | None = None
    kind: ChangeKind
    before: Verdict | None = None
    """None when the earlier run did not judge it."""
    now: Verdict | None = None
    """None when the later run did not judge it."""


class Since(Value, frozen=True, kw_only=True):
    """An earlier run, and what changed since: only what got worse fails."""

    run: str
    """The file of the earlier run."""
    started: str
    base_url: str
    changes: list[Change] = field(default_factory=list)


class Reach(StrEnum):
    """How far a client gets with an endpoint."""

    WORKS = "works"
    FALLBACK = "works with a fallback"
    SETTING = "works with a setting"
    BREAKS = "breaks"
    UNKNOWN = "not known"


class Trouble(Value, frozen=True, kw_only=True):
    """One thing that a client's users notice."""

    reach: Reach
    sees: str
    """What the user sees."""
    because: str
    """The defect of a stream, or the requirement that is not met."""
    check: str = ""
    """The check that found it; empty for what the client's own reading of the streams showed."""
    model: str | None = None
    exchanges: list[str] = field(default_factory=list)


class ClientResult(Value, frozen=True, kw_only=True):
    """What one client makes of the endpoint."""

    client: str
    """As in `breaks` of the checks: `claude-code`, `anthropic-sdk-python>=2`."""
    reach: Reach
    """The worst of its troubles; unknown when too little of what it needs was measured. A client
    that works may have troubles too: what is refused is refused in a confusing way."""
    reason: str = ""
    """Why it is not known."""
    switches: dict[str, str] = field(default_factory=dict)
    """Variables of the client that leave out what the endpoint refuses, with their values."""
    troubles: list[Trouble] = field(default_factory=list)
    """The worst first."""


class CheckInfo(Value, frozen=True, kw_only=True):
    """What the reports say about a check, so that they need no check files."""

    title: str
    area: str
    sources: list[str]
    breaks: dict[str, str]
    fix: str
    workaround: str = ""
    file: str = ""
    """The check file, for checks that did not come with the program."""
    line: int | None = None
    """Where it stands in that file, from 1."""


class Tool(Value, frozen=True, kw_only=True):
    """The program that made the record."""

    name: str
    version: str


class Target(Value, frozen=True, kw_only=True):
    """What was verified."""

    base_url: str
    """The base URL that requests were sent below, without a trailing slash."""
    given_url: str
    """The base URL that the user gave."""
    models: list[str]
    auth: str
    """The credential style that the run used: `x-api-key` or `bearer`."""
    auth_styles: dict[str, bool | None] = field(default_factory=dict)
    """Style → did the endpoint take the credential in it (none: not tried)."""
    listed_models: list[str] = field(default_factory=list)
    """What discovery listed."""


class Selection(Value, frozen=True, kw_only=True):
    """What was asked for."""

    profile: str
    only: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    strict: bool = False


class Cost(Value, frozen=True, kw_only=True):
    """What the run cost, as reported by the endpoint itself."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Stop(Value, frozen=True, kw_only=True):
    """Why a run ended before its checks could be judged."""

    kind: Literal[
        "unreachable",
        "refused",
        "no-model",
        "gone",
        "deadline",
        "interrupted",
        "fail-fast",
    ]
    message: str
    hints: list[str] = field(default_factory=list)


class Unfired(Value, frozen=True, kw_only=True):
    """A probe without evidence, and what that makes of the checks on it."""

    probe: str
    model: str | None = None
    verdict: Verdict
    reason: str


class Difference(Value, frozen=True, kw_only=True):
    """One difference in shape between the answers of the endpoint and those of the reference."""

    aspect: Literal["sent", "failure", "status", "header", "content-type", "body", "json", "events"]
    where: str = ""
    """The header, or the JSON path with the event before it."""
    target: str
    """What the endpoint under test answers."""
    reference: str
    probes: list[str]
    """The probes whose answers differ in this way."""
    exchange: str = ""
    """The first exchange that shows it."""
    target_excerpt: str = ""
    """How the body of that exchange begins."""
    reference_excerpt: str = ""
    """How the body of the reference's answer begins."""


class Reference(Value, frozen=True, kw_only=True):
    """An endpoint that was asked the same, and where its answers have another shape."""

    base_url: str
    auth: str
    models: dict[str, str]
    """Model of the run → model of the reference."""
    cost: Cost = Cost()
    compared: int = 0
    """Pairs of answers that were compared."""
    set_aside: int = 0
    """Pairs that were not, because one of the two models did not do what was asked."""
    differences: list[Difference] = field(default_factory=list)
    stopped: Stop | None = None
    """Why the reference could not be asked, or not to the end."""


class RunRecord(Struct, frozen=True, kw_only=True):
    """The whole of a run."""

    format: str = FORMAT
    tool: Tool
    started: str
    """RFC 3339, UTC."""
    duration_s: float
    exit_code: int
    target: Target
    selection: Selection
    cost: Cost
    capabilities: dict[str, dict[str, bool]] = field(default_factory=dict)
    areas: dict[str, str] = field(default_factory=dict)
    checks: dict[str, CheckInfo]
    verdicts: list[Judgement]
    clients: list[ClientResult] = field(default_factory=list)
    """What breaks for whom."""
    exchanges: list[Exchange]
    unfired: list[Unfired] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    """Exchanges that accuse nobody, for instance those under way when the endpoint went away."""
    notices: list[str] = field(default_factory=list)
    """Remarks on the whole run, for instance that the base URL was corrected."""
    stopped: Stop | None = None
    waivers: list[Waiver] = field(default_factory=list)
    """The waivers of the baseline, used and not."""
    since: Since | None = None
    """The run that this one was compared with."""
    reference: Reference | None = None
    """The endpoint that was asked the same."""
