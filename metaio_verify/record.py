"""The run record: everything a run saw and judged, as JSON. Every report is made from it alone.

Secrets are replaced before a value enters one of these types (`probe.redact`). Times are seconds;
an exchange's times count from the moment its request was sent.
"""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

from metaio_verify.verdict import Level, Verdict

FORMAT = "metaio-verify/run/1"

REDACTED = "[redacted]"
"""Stands wherever the credential stood, in requests and in answers."""


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of the record's parts."""


class SentRequest(Value, frozen=True, kw_only=True):
    """A request as it was sent, with the credential replaced."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: str = ""
    """The body as text; bodies that the program sends are always UTF-8."""
    padding: int = 0
    """Bytes of white space that were sent after the body."""


class Received(Value, frozen=True, kw_only=True):
    """An answer as it arrived, after its content-coding was taken off."""

    status: int
    http_version: str
    headers: list[tuple[str, str]]
    text: str | None = None
    """The body, when it is valid UTF-8."""
    base64: str | None = None
    """The body otherwise."""

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        return (self.text or "").encode()


class Failure(Value, frozen=True, kw_only=True):
    """Why an exchange has no answer, or only a part of one."""

    kind: Literal[
        "dns", "connect", "tls", "timeout", "reset", "protocol", "encoding", "too-large", "unsent"
    ]
    detail: str
    """One sentence for a person."""


class Clock(Value, frozen=True, kw_only=True):
    """When things happened."""

    headers: float | None = None
    """Arrival of the response head."""
    total: float
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """Each piece of the body: arrival, length in bytes. The lengths add up to the body."""
    lag: float = 0.0
    """The longest time for which the program itself was too busy to read, so that what had come
    seemed to come late."""
    alone: bool = False
    """Whether the request was sent again, with nothing beside it, to measure its time."""


class StreamEvent(Value, frozen=True, kw_only=True):
    """One server-sent event, for readers of the record; judges parse the body themselves."""

    at: float
    event: str | None
    data: Any
    """The decoded JSON, or the text when it is none."""


class Dialect(StrEnum):
    """The API that a gateway speaks to its upstream, by the path that it asks for."""

    ANTHROPIC = "anthropic"
    CHAT = "chat"  # OpenAI chat completions
    RESPONSES = "responses"  # OpenAI responses
    OTHER = "other"


class ForwardedRequest(Value, frozen=True, kw_only=True):
    """A request as it arrived at the upstream; header lines in their order."""

    method: str
    target: str
    """The path, with the query."""
    headers: list[tuple[str, str]]
    text: str | None = None
    """The body, when it is valid UTF-8."""
    base64: str | None = None
    """The body otherwise."""

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        return (self.text or "").encode()


class Played(Value, frozen=True, kw_only=True):
    """What the upstream answered, as it sent it."""

    status: int
    headers: list[tuple[str, str]]
    text: str = ""
    """The body; what the upstream plays is always UTF-8."""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """When each piece of the body was sent, and its length in bytes."""
    ended: Literal["whole", "cut", "left"] = "whole"
    """Sent to the end; dropped by the upstream, as its script says; left by the gateway."""
    ended_at: float = 0.0


class Forwarded(Value, frozen=True, kw_only=True):
    """One request that a gateway made of ours, and what was played for it.

    All times count from the moment in which our request was sent, as those of the exchange do.
    """

    at: float
    dialect: Dialect
    request: ForwardedRequest
    played: Played
    leaks: list[str] = field(default_factory=list)
    """Where the client's credential stood: `header x-api-key`, `body`."""


class Exchange(Value, frozen=True, kw_only=True):
    """The evidence of one fired request."""

    id: str
    probe: str
    model: str | None = None
    attempt: int = 1
    copy: int = 1
    request: SentRequest
    response: Received | None = None
    failure: Failure | None = None
    timing: Clock
    events: list[StreamEvent] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    """What was filled in for this request, for instance its token."""
    until_met: bool | None = None
    """Whether the model did what was asked; none when the probe does not ask."""
    leaks: list[str] = field(default_factory=list)
    """Where the answer repeated the credential: `header x-echo`, `body`."""
    retry_of: str | None = None
    """The exchange that was refused for load before this one was sent."""
    aborted: bool = False
    """Whether we closed the connection on purpose; that the answer has no end is then our doing."""
    forwarded: list[Forwarded] | None = None
    """What arrived at the upstream behind the gateway; none when nobody looked there."""
    upstream_leaks: list[str] = field(default_factory=list)
    """Where the answer showed the credential of the upstream."""


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
