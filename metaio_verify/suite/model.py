"""What a check file can say, as typed and frozen values.

A check file is data. Nothing in here runs code, opens a file or reads the environment; the
loader (`load.py`) turns YAML into these types and reports every mistake with its position.
Keys in YAML are kebab-case, so the field `at_once` is written `at-once`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from metaio_verify.errors import Place
from metaio_verify.verdict import Level, Verdict

Matcher: TypeAlias = Any
"""A scalar or list stands for equality; a mapping is a JSON Schema that the value must satisfy."""

StatusPattern: TypeAlias = int | str
"""`200`, or a class of codes: `2xx`, `4xx`."""

DEFAULT_VERSION = "2023-06-01"

HEAVY = "heavy"
"""The tag of checks that are off unless they are asked for."""
UPSTREAM = "upstream"
"""The tag of checks that need a look behind the gateway; off unless one is given or they are
named."""


class Auth(StrEnum):
    """The credential headers that a probe sends."""

    DEFAULT = "default"  # the style that was found to work
    OTHER = "other"  # the other one of the two styles, whether it works or not
    X_API_KEY = "x-api-key"
    BEARER = "bearer"
    BOTH = "both"
    NONE = "none"
    INVALID_X_API_KEY = "invalid-x-api-key"
    INVALID_BEARER = "invalid-bearer"
    BEARER_WITH_STALE_X_API_KEY = "bearer-with-stale-x-api-key"
    X_API_KEY_WITH_STALE_BEARER = "x-api-key-with-stale-bearer"


class Scope(StrEnum):
    """Whether a probe is fired once for the endpoint or once for each model under test."""

    ENDPOINT = "endpoint"
    MODEL = "model"


class _Part(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="kebab",
):
    """The base of everything that is written in a check file."""


class Moment(StrEnum):
    """A moment in an answer at which a probe leaves."""

    FIRST_DELTA = "first-delta"  # the first content_block_delta of a stream has come


class Timing(_Part, frozen=True, kw_only=True):
    """Bounds on one exchange, in seconds; `None` means no bound."""

    total: float | None = None
    """Until the answer is complete."""
    first_byte: float | None = None
    """Until the first byte of its body."""
    silence: float | None = None
    """Between two pieces of its body."""


class Expect(_Part, frozen=True, kw_only=True):
    """What an answer has to look like. Every key that is given must hold.

    `json` paths are RFC 9535 JSONPath. They select in the answer's JSON document, which for a
    stream is the message rebuilt from its events; so one expectation serves both forms. A path
    that selects nothing is a deviation; use `json-if-present` where a value may be missing.
    """

    status: StatusPattern | list[StatusPattern] | UnsetType = UNSET
    """A code, a class of codes such as `2xx`, or a list of both."""
    headers: dict[str, Matcher] = field(default_factory=dict)
    """Header name → matcher on its value (several lines joined by `, `); null: must be absent."""
    schema: str | dict[str, Any] | UnsetType = UNSET
    """The name of a schema of the suite, or a JSON Schema, for the whole document."""
    json: dict[str, Matcher] = field(default_factory=dict)
    """JSON path → matcher that every selected value must meet."""
    json_if_present: dict[str, Matcher] = field(default_factory=dict)
    """The same, but a path may select nothing."""
    absent: list[str] = field(default_factory=list)
    """JSON paths that must select nothing."""
    text: Matcher = UNSET
    """Matcher on the message's visible text: all its text blocks, joined."""
    body: Matcher = UNSET
    """Matcher on the raw body, decoded as UTF-8 with replacement."""
    stream: list[str] | UnsetType = UNSET
    """Names of stream violations (see `judge.stream.Violation`) that must not occur."""
    events: dict[str, Matcher] = field(default_factory=dict)
    """JSON paths over the array of all SSE data objects, for instance
    `$[?@.type=='message_start'].message.usage`."""
    timing: Timing | UnsetType = UNSET
    """Bounds in seconds."""


class Alternative(Expect, frozen=True, kw_only=True):
    """A further acceptable answer and the verdict that it gets."""

    verdict: Verdict
    """What the check gets for this answer."""
    because: str
    """Why this answer is acceptable, or what it means; one clause for reports."""


class Request(_Part, frozen=True, kw_only=True):
    """The parts of a probe that an attempt may change."""

    auth: Auth = Auth.DEFAULT
    """The credential headers."""
    version: str | None = DEFAULT_VERSION
    """`anthropic-version`; null sends no such header."""
    beta: list[str] = field(default_factory=list)
    """Flags for `anthropic-beta`, sent as one line."""
    headers: dict[str, str | list[str] | None] = field(default_factory=dict)
    """Further headers. A list sends several lines; null removes a default header."""
    query: dict[str, str] = field(default_factory=dict)
    """The query of the URL."""


class Probe(Request, frozen=True, kw_only=True):
    """One HTTP exchange to fire. Exactly one of `get`, `post`, `head`, `options` gives the path."""

    id: str = ""
    purpose: str
    """One sentence: what is sent and why."""
    get: str | UnsetType = UNSET
    """The path below the base URL, for a GET."""
    post: str | UnsetType = UNSET
    """The path below the base URL, for a POST."""
    head: str | UnsetType = UNSET
    """The path below the base URL, for a HEAD."""
    options: str | UnsetType = UNSET
    """The path below the base URL, for an OPTIONS."""
    json: Any = UNSET
    """The body as data; strings may hold `${…}` references."""
    body: str | UnsetType = UNSET
    """The body as text, for requests that are wrong on purpose; `${…}` works here too."""
    padding: int = 0
    """Bytes of white space after the body: JSON allows them, so they cost no tokens."""
    chunked: bool = False
    """Send the body in chunks, without a `content-length`."""
    scope: Scope = Scope.ENDPOINT
    """Fired once for the endpoint, or once for each model."""
    needs: list[str] = field(default_factory=list)
    """Probes that must have been answered 2xx before this one is fired."""
    requires: list[str] = field(default_factory=list)
    """Capabilities that the target must have; without them the probe is not fired."""
    when_refused: str | UnsetType = UNSET
    """A probe; this one is fired only if that one was refused (4xx or 5xx), to find out why."""
    capture: dict[str, str] = field(default_factory=dict)
    """Name → JSON path in the answer; later probes write `${this-probe.name}`."""
    capture_all: dict[str, str] = field(default_factory=dict)
    """Name → JSON path; all values that it selects, for `for-each` in a list of a later probe:
    `{for-each: "${this-probe.name}", send: …}` is one item for each value, which is `${each}`."""
    learns: dict[str, Expect] = field(default_factory=dict)
    """Capability → expectation. Met: the target has it. A 4xx or 501 otherwise: it has not."""
    until: Expect | UnsetType = UNSET
    """Did the model do what was asked? If not, the next of `attempts` is tried."""
    attempts: list[dict[str, Any]] = field(default_factory=list)
    """JSON merge patches (RFC 7396) on `json`, one for each further attempt."""
    capture_sent: dict[str, str] = field(default_factory=dict)
    """Name → JSON path in the request as it was sent; all values, as with `capture-all`. What is
    tied to a conversation has to go on behind the very same one."""
    times: int = 1
    """How often the same request is sent, one after the other."""
    at_once: int = 1
    """How many copies are sent in parallel."""
    timeout: float | UnsetType = UNSET
    """Seconds until the exchange is given up; the run's own bound when not set."""
    upstream: str | UnsetType = UNSET
    """The script that the upstream behind the gateway plays; its mark stands at `${upstream}`.
    Such a probe is fired only when an upstream was given."""
    abort_after: Moment | UnsetType = UNSET
    """When to close the connection, as a client does whose user has seen enough."""

    @property
    def method(self) -> str:
        """The HTTP method in capitals."""
        return next(name.upper() for name in METHODS if getattr(self, name) is not UNSET)

    @property
    def path(self) -> str:
        """The path below the base URL."""
        return next(str(path) for name in METHODS if (path := getattr(self, name)) is not UNSET)

    @property
    def captures(self) -> dict[str, str]:
        """Everything that later probes can take from the exchange, by name."""
        return {**self.capture, **self.capture_all, **self.capture_sent}

    @property
    def max_exchanges(self) -> int:
        """How many requests this probe sends to one target in the worst case."""
        return self.times * self.at_once * (1 + len(self.attempts))


METHODS = ("get", "post", "head", "options")


class Check(_Part, frozen=True, kw_only=True):
    """One requirement, judged on the evidence of one or more probes."""

    id: str = ""
    title: str
    """The requirement, as a sentence that is true when the check passes."""
    level: Level
    """`must`: a client breaks. `should`: clients degrade. `info`: worth knowing."""
    contract: str | list[str]
    """Requirement ids, for instance `AUT-02`."""
    source: str | list[str]
    """Where the requirement is documented or was measured."""
    on: str | list[str]
    """The probes whose answers are judged."""
    also: list[str] = field(default_factory=list)
    """Ids or globs of further probes whose answers are judged too, where other checks have them
    sent; the check itself neither sends nor misses them."""
    expect: Expect | UnsetType = UNSET
    """What each of these answers has to look like."""
    rule: str | UnsetType = UNSET
    """A named rule (`judge/rules`) for what an expectation cannot say."""
    args: dict[str, Any] = field(default_factory=dict)
    """Arguments of the rule."""
    accept: list[Alternative] = field(default_factory=list)
    """Further acceptable answers, tried in order when the expectation is not met."""
    regardless: bool = False
    """Judge also when the probe's `until` was never met (otherwise: inconclusive)."""
    requires: list[str] = field(default_factory=list)
    """Capabilities without which the check does not apply."""
    breaks: dict[str, str]
    """Client → what its user sees."""
    fix: str
    """How the operator mends it."""
    workaround: str = ""
    """What a customer can do until then; goes into the onboarding page."""
    faults: list[str] = field(default_factory=list)
    """Faults of the lab that make exactly this check fail; every built-in check names one."""
    tags: list[str] = field(default_factory=list)
    """Words for `--tag` and for profiles; `heavy` marks a check that is off unless asked for."""

    @property
    def area(self) -> str:
        """The first segment of the id."""
        return self.id.partition(".")[0]

    @property
    def probes(self) -> tuple[str, ...]:
        """The ids of the probes that it is judged on."""
        return (self.on,) if isinstance(self.on, str) else tuple(self.on)

    @property
    def requirements(self) -> tuple[str, ...]:
        """The contract ids."""
        return (self.contract,) if isinstance(self.contract, str) else tuple(self.contract)

    @property
    def sources(self) -> tuple[str, ...]:
        """The documents or measurements behind it."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source)


class Profile(_Part, frozen=True, kw_only=True):
    """A named selection of checks."""

    id: str = ""
    title: str
    """What it is for, in one line."""
    checks: list[str] = field(default_factory=list)
    """Check ids or globs."""
    tags: list[str] = field(default_factory=list)
    """Checks that have one of these tags belong to it too."""


class CheckFile(_Part, frozen=True, kw_only=True):
    """One YAML file, as written."""

    area: str | UnsetType = UNSET
    """The heading of this file's checks in reports."""
    shared: Any = UNSET
    """A place for YAML anchors; not read."""
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name → JSON Schema, for `schema: NAME` and `$ref: NAME`."""
    probes: dict[str, Probe] = field(default_factory=dict)
    """Id → what is sent. Ids are small letters, digits and dashes."""
    checks: dict[str, Check] = field(default_factory=dict)
    """Id → what is judged. Ids have dots: `streaming.no-done-sentinel`."""
    profiles: dict[str, Profile] = field(default_factory=dict)
    """Name → which checks `--profile NAME` selects."""


class Suite(Struct, frozen=True):
    """Everything that was loaded, by id, in the order of the files."""

    probes: dict[str, Probe]
    checks: dict[str, Check]
    profiles: dict[str, Profile]
    schemas: dict[str, dict[str, Any]]
    areas: dict[str, str]
    """First segment of a check id → heading."""
    places: dict[str, Place] = field(default_factory=dict)
    """Check id → where it stands, for checks that did not come with the program."""
