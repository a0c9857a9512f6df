"""What breaks for whom: the troubles of each client, from the evidence and verdicts of a run.

Two sources tell what a client's user sees. For the defects of streams it is the measured table
(`reactions`), held against every recorded stream. For everything else it is the `breaks` of the
checks that failed, as far as they are about something that this client sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from msgspec import UNSET

from metaio_verify.judge.check import Collected
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.reactions import CLIENTS, DEFECTS, Defect, defects
from metaio_verify.record import ClientResult, Judgement, Reach, Target, Trouble
from metaio_verify.suite.model import Auth, Check, Suite
from metaio_verify.verdict import Verdict

_CLAUDE_CODE = "claude-code"
_ANY = "any-client"
_FALLBACK = "CCO-05"
_CREDENTIALS = frozenset({"AUT-01", "AUT-02", "AUT-08"})
_TURNS = frozenset({"CCO-01", "CCO-02"})
"""Requests that Claude Code changes and sends again after some refusals."""

_NEEDS = {
    "claude-code": ("CCO-01", "CCO-02"),
    "anthropic-sdk-python>=2": ("AUT-02", "HDR-02", "MSG-01", "STR-01"),
    "anthropic-sdk-python<2": ("AUT-01", "HDR-01", "MSG-01", "STR-01"),
    "anthropic-sdk-typescript>=1": ("AUT-02", "HDR-02", "MSG-01", "STR-01"),
    "anthropic-sdk-typescript<1": ("AUT-01", "HDR-01", "MSG-01", "STR-01"),
}
"""What has to be measured before a client can be said to work: its credential, its version, and a
whole answer to what it sends."""

_CALLED = {
    "CCO-01": "its first request",
    "CCO-02": "its second request, with a tool result",
    "AUT-01": "its key in x-api-key",
    "AUT-02": "its key as Authorization Bearer",
    "HDR-01": "its API version 2023-06-01",
    "HDR-02": "its API version 2026-10-21",
    "MSG-01": "a plain message",
    "STR-01": "a streamed message",
}
"""What a client needs, in words that its user knows."""

_WORST_FIRST = (Reach.BREAKS, Reach.FALLBACK, Reach.WORKS)

_MATTERS_MOST = "quick"
"""The tag of the requirements that most broken endpoints violate."""
_CORE = frozenset({"claude-code", "messages", "streaming", "tools"})
"""The areas of what every session needs."""
_NO_CREDENTIAL = frozenset({Auth.NONE, Auth.INVALID_X_API_KEY, Auth.INVALID_BEARER})

_FIRST_TURN = "claude-code-first-turn"
_BY_ITSELF = (
    "claude-code-without-context-management",
    "claude-code-without-system-message",
    "claude-code-without-deferred-tool",
    "claude-code-with-thinking-budget",
)
"""The variants that Claude Code 2.1.330 sends by itself, after a refusal in words that it knows."""
_WITHOUT_EFFORT = "claude-code-without-output-config"
_HAS_NO_EFFORT = re.compile(r"claude-sonnet-4-5")
"""The model that Claude Code was seen to ask for no level of effort, by the name that it sends."""

_SWITCHES = {
    "claude-code-with-thinking-budget": ("CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING", "1"),
    "claude-code-without-experimental-betas": ("CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS", "1"),
    "claude-code-without-thinking": ("MAX_THINKING_TOKENS", "0"),
}
"""The variants of the first request that a variable of Claude Code makes; the mildest first."""

_SENT_IN_VAIN = 'each turn ends in "API Error": what is sent after the refusal is refused, too'


def clients(
    suite: Suite,
    verdicts: Sequence[Judgement],
    collected: Collected,
    target: Target,
) -> list[ClientResult]:
    """Return what each of the measured clients makes of the endpoint, Claude Code first."""
    # What a script made the upstream say is not how the endpoint serves its clients.
    copies = chain.from_iterable(collected.values())
    evidence = [one for one in copies if one.exchange.forwarded is None]
    streams = {one.exchange.id: found for one in evidence if (found := defects(one))}
    by_id = {one.exchange.id: one for one in evidence}
    case = _Case(suite, verdicts, by_id, streams, target)
    return [case.result(client) for client in CLIENTS]


class _Case:
    """The evidence and the verdicts of one run."""

    def __init__(
        self,
        suite: Suite,
        verdicts: Sequence[Judgement],
        evidence: Mapping[str, Evidence],
        streams: Mapping[str, Sequence[Defect]],
        target: Target,
    ) -> None:
        self._suite = suite
        self._checks = suite.checks
        self._verdicts = verdicts
        self._evidence = evidence
        self._streams = streams
        self._target = target

    def result(self, client: str) -> ClientResult:
        """Return what becomes of one client."""
        troubles = [*self._of_streams(client), *self._of_checks(client)]
        troubles.sort(key=self._rank)
        if troubles and troubles[0].reach is Reach.BREAKS:
            switches = self._switches() if client == _CLAUDE_CODE else {}
            mended = switches and all(map(self._is_mended, troubles))
            reach = Reach.SETTING if mended else Reach.BREAKS
            return ClientResult(client=client, reach=reach, switches=switches, troubles=troubles)
        if reason := self._unknown(client):
            return ClientResult(
                client=client, reach=Reach.UNKNOWN, reason=reason, troubles=troubles
            )
        reach = troubles[0].reach if troubles else Reach.WORKS
        # A fallback that a variable spares is still one.
        switches = self._switches() if client == _CLAUDE_CODE and reach is Reach.FALLBACK else {}
        return ClientResult(client=client, reach=reach, switches=switches, troubles=troubles)

    def _unknown(self, client: str) -> str:
        """Say what of a client's needs is not known, and why; empty when all of it is."""
        judged = {id_ for one in self._verdicts if self._is_judged(one) for id_ in one.contract}
        tried = {
            id_
            for one in self._verdicts
            if one.verdict is not Verdict.SKIPPED
            for id_ in one.contract
        }
        missing = [id_ for id_ in _NEEDS[client] if id_ not in judged]
        groups = (
            ("this run did not test", [id_ for id_ in missing if id_ not in tried]),
            ("this run could not judge", [id_ for id_ in missing if id_ in tried]),
        )
        return "; ".join(
            f"{said} {' and '.join(_CALLED[id_] for id_ in ids)}" for said, ids in groups if ids
        )

    def _rank(self, trouble: Trouble) -> tuple[int, bool, bool]:
        """What breaks comes first, and of that what matters most: the first one is shown."""
        check = self._checks.get(trouble.check)
        reach = _WORST_FIRST.index(trouble.reach)
        if check is None:
            return reach, False, False
        return reach, _MATTERS_MOST not in check.tags, check.area not in _CORE

    def _is_judged(self, judgement: Judgement) -> bool:
        """Whether it is known what becomes of a requirement, by a verdict or by the table."""
        if judgement.verdict.is_unknown:
            return bool(judgement.exchanges) and self._streams.keys() >= {*judgement.exchanges}
        return judgement.verdict is not Verdict.SKIPPED

    def _of_streams(self, client: str) -> list[Trouble]:
        """What the client makes of the recorded streams; each defect once."""
        position = CLIENTS.index(client)
        troubles = []
        for defect in DEFECTS:
            shown = [id_ for id_, found in self._streams.items() if defect in found]
            reaction = defect.reactions[position]
            if not shown or reaction.reach is Reach.WORKS:
                continue
            reach, sees = reaction
            if reach is Reach.FALLBACK and self._no_fallback():
                reach = Reach.BREAKS
                sees = (
                    "each turn ends with an error: the stream breaks, and so does what replaces it"
                )
            troubles.append(
                Trouble(
                    reach=reach,
                    sees=sees,
                    because=f"stream: {defect.name}",
                    model=self._evidence[shown[0]].exchange.model,
                    exchanges=shown,
                )
            )
        return troubles

    def _no_fallback(self) -> bool:
        return any(
            _FALLBACK in one.contract and one.verdict is Verdict.FAIL for one in self._verdicts
        )

    def _of_checks(self, client: str) -> list[Trouble]:
        troubles = []
        for one in self._verdicts:
            check = self._checks.get(one.check)
            if check is None:
                continue
            if client == _CLAUDE_CODE and _is_known_refusal(one):
                reach, sees = self._after_refusal(one)
                if reach is not Reach.WORKS:
                    troubles.append(_trouble(one, check, reach, sees))
            elif one.verdict is Verdict.FAIL and (sees := self._effect(one, check, client)):
                reach = Reach.WORKS if self._is_about_refusals(check) else Reach.BREAKS
                troubles.append(_trouble(one, check, reach, sees))
        return troubles

    def _after_refusal(self, judgement: Judgement) -> tuple[Reach, str]:
        """What Claude Code makes of a turn that is refused in words that it, or the API, knows.

        It leaves something out and sends the turn again. Where the variants were sent it is known
        whether that helps; the level of effort it leaves out for one model only.
        """
        model = judgement.model
        if _HAS_NO_EFFORT.match(model or "") and model in self._models(_WITHOUT_EFFORT):
            return Reach.WORKS, ""
        sent = [probe for probe in _BY_ITSELF if model in self._models(probe, succeeded=None)]
        if sent and not any(model in self._models(probe) for probe in sent):
            return Reach.BREAKS, _SENT_IN_VAIN
        return Reach.FALLBACK, judgement.reason

    def _is_about_refusals(self, check: Check) -> bool:
        """Whether a check is about what a client gets that is to be refused.

        Then nothing breaks that worked otherwise: its user is told less, or the wrong thing.
        """
        if check.area == "errors":
            return True
        probes = [self._suite.probes[id_] for id_ in check.probes]
        if all(probe.auth in _NO_CREDENTIAL for probe in probes):
            return True
        wanted = UNSET if check.expect is UNSET else check.expect.status
        codes = wanted if isinstance(wanted, list) else [wanted]
        return all(str(code).startswith("4") for code in codes)

    def _switches(self) -> dict[str, str]:
        """What makes Claude Code leave out the part for which its first request is refused."""
        refused = self._models(_FIRST_TURN, succeeded=False)
        for probe, (name, value) in _SWITCHES.items():
            if refused and refused <= self._models(probe):
                return {name: value}
        return {}

    def _models(self, probe: str, *, succeeded: bool | None = True) -> set[str | None]:
        """Return the models with which a probe succeeded, or did not; with none: was sent."""
        return {
            one.exchange.model
            for one in self._evidence.values()
            if one.exchange.probe == probe and succeeded in (None, _answers(one))
        }

    def _is_mended(self, trouble: Trouble) -> bool:
        """Whether a trouble is one of the refused turns, or none that breaks."""
        check = self._checks.get(trouble.check)
        turn = check is not None and not _TURNS.isdisjoint(check.requirements)
        return turn or trouble.reach is not Reach.BREAKS

    def _effect(self, judgement: Judgement, check: Check, client: str) -> str:
        """What a client's user sees of a failure; empty when it is not for the check to say."""
        if self._is_told(judgement, check) or self._chooses(client, judgement):
            return ""
        # What is said of the client itself wins over what every client's user sees.
        family = client.partition(">=")[0].partition("<")[0]
        return next((check.breaks[n] for n in (client, family, _ANY) if n in check.breaks), "")

    def _is_told(self, judgement: Judgement, check: Check) -> bool:
        """Whether the measured table says it all: what this check found are defects in it."""
        found = {finding.exchange for finding in judgement.findings}
        if not found or not found <= self._streams.keys():
            return False
        if check.expect is UNSET or check.expect.stream is UNSET:
            grave = all(any(map(_matters, self._streams[id_])) for id_ in found)
            return check.area == "streaming" and grave
        wanted = set(check.expect.stream)
        for id_ in found:
            covered = {str(defect.kind) for defect in self._streams[id_]}
            if wanted & self._evidence[id_].violations_by_kind.keys() - covered:
                return False
        return True

    def _chooses(self, client: str, judgement: Judgement) -> bool:
        """Whether it is a credential header that this client can do without.

        Claude Code sends the one whose variable is set, and the report names the right one.
        """
        works = any(self._target.auth_styles.values())
        return client == _CLAUDE_CODE and works and set(judgement.contract) <= _CREDENTIALS


def _answers(evidence: Evidence) -> bool:
    """Whether an answer is a message, and not an error within a stream that began well."""
    return evidence.succeeded and evidence.value("type") == "message"


def _is_known_refusal(judgement: Judgement) -> bool:
    """Whether a turn is refused in a way that Claude Code may get over."""
    accepted = judgement.verdict in (Verdict.WARN, Verdict.DECLINED)
    return accepted and bool(judgement.reason) and not _TURNS.isdisjoint(judgement.contract)


def _matters(defect: Defect) -> bool:
    return any(reaction.reach is not Reach.WORKS for reaction in defect.reactions)


def _trouble(judgement: Judgement, check: Check, reach: Reach, sees: str) -> Trouble:
    return Trouble(
        reach=reach,
        sees=sees,
        because=check.title,
        check=check.id,
        model=judgement.model,
        exchanges=judgement.exchanges,
    )
