"""From evidence to verdicts: what came of each check on each model."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from msgspec import UNSET, Struct
from msgspec.structs import replace

from metaio_verify.judge.document import decode
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.expect import findings, lacks_stream, names_status, status_fits
from metaio_verify.judge.grounds import heard, own_limit
from metaio_verify.judge.match import Schemas
from metaio_verify.judge.path import compile_path
from metaio_verify.judge.rules import RULES
from metaio_verify.judge.rules.registry import (
    NothingToJudgeError,
    NotSeenError,
    UnsureError,
    misuse,
)
from metaio_verify.record import Exchange, Finding, Judgement, Target
from metaio_verify.suite.model import Check, Expect, Probe, Scope, Suite
from metaio_verify.verdict import Verdict

Key: TypeAlias = tuple[str, str | None]
"""Probe id, and the model for which it was fired; none for probes of the endpoint's scope."""

Collected: TypeAlias = Mapping[Key, Sequence[Evidence]]
"""The exchanges that are judged, in the order of their copies."""

Capabilities: TypeAlias = Mapping[str, bool]

_MOST_FINDINGS = 12
"""So many deviations of one check are kept; the judgement says how many there were."""

_PRECEDENCE = (Verdict.SKIPPED, Verdict.BLOCKED, Verdict.INCONCLUSIVE)
"""Of several reasons why a check cannot be judged the first of these is given."""

_UNWILLING = Verdict.INCONCLUSIVE
"""What a check gets when it is the model that gives no answer to judge."""

_NEVER_ARRIVED = frozenset({"unsent", "dns", "connect", "tls"})
"""Failures of requests that the endpoint never saw, which say nothing about it."""

_UNRELATED_4XX = frozenset({401, 402, 403, 408, 429})
"""Refusals of the credential, the account or the moment; they say nothing of a capability."""

_NOT_SUPPORTED = 501
"""The one status above 499 that says what an endpoint lacks."""


_OF_THE_ENDPOINT = (None,)
"""The models of a probe that is fired once for all of them."""


class Absent(Struct, frozen=True):
    """Why a probe was not fired, and what that makes of the checks on it."""

    verdict: Verdict
    reason: str


class _Outcome(NamedTuple):
    """A verdict and its grounds."""

    verdict: Verdict
    reason: str = ""
    findings: Sequence[Finding] = ()


def judge(  # noqa: PLR0917 - the stages of a run, in their order
    suite: Suite,
    checks: Sequence[Check],
    evidence: Collected,
    target: Target,
    absent: Mapping[Key, Absent],
    capabilities: Mapping[str, Capabilities],
) -> list[Judgement]:
    """Judge checks on all evidence of a run, in the order of the suite and then of the models.

    Args:
        suite: where the probes and schemas of the checks are defined
        checks: those that were selected
        evidence: what `collect` makes of everything that was fired
        target: what was verified
        absent: why probes that are missing from the exchanges were not fired
        capabilities: model → what was learnt about it

    """
    order = {id_: position for position, id_ in enumerate(suite.checks)}
    further = _further(suite, checks)
    judgements = []
    for check in sorted(checks, key=lambda check: order.get(check.id, len(order))):
        for model in _models(check, suite, target):
            known = capabilities.get(model or next(iter(target.models), ""), {})
            case = _Case(check, suite, target, model, known, absent, further)
            judgements.append(case.judge(evidence))
    return judgements


def judge_check(
    check: Check,
    exchanges: Iterable[Exchange],
    *,
    suite: Suite,
    target: Target,
    capabilities: Capabilities,
    model: str | None,
    absent: Mapping[Key, Absent] | None = None,
) -> Judgement:
    """Judge one check on one model (none: a check that is about the endpoint as a whole)."""
    further = _further(suite, [check])
    case = _Case(check, suite, target, model, capabilities, absent or {}, further)
    return case.judge(collect(map(Evidence, exchanges)))


def met(expect: Expect, exchange: Exchange, schemas: Schemas) -> bool:
    """Tell whether an exchange meets an expectation."""
    return not findings(expect, Evidence(exchange), schemas)


def learn(probe: Probe, evidence: Evidence, schemas: Schemas) -> dict[str, bool]:
    """Return the capabilities that an answer proves (true) or rules out (false).

    What is not in the result stays unknown: after 5xx (but 501), without an answer, and after
    refusals of the credential, the account or the moment (401, 402, 403, 408, 429).
    """
    refused = is_refusal(evidence) and status_fits(["4xx", _NOT_SUPPORTED], evidence.status or 0)
    learnt = {}
    for capability, expect in probe.learns.items():
        if not findings(expect, evidence, schemas):
            learnt[capability] = True
        elif refused:
            learnt[capability] = False
    return learnt


def is_refusal(evidence: Evidence) -> bool:
    """Tell whether an answer refuses the request for what it says, not for who asks or when."""
    status = evidence.status or 0
    return status_fits(["4xx", "5xx"], status) and not (
        status in _UNRELATED_4XX or evidence.throttled
    )


def capture(probe: Probe, evidence: Evidence) -> dict[str, Any]:
    """Return what later probes take from an answer; a path that selects nothing is left out.

    Of `capture` it is the first value that a path selects, of the others the list of all.
    """
    if not (probe.captures and evidence.has_document):
        return {}
    first = _selected(probe.capture, evidence.document)
    found: dict[str, Any] = {name: values[0] for name, values in first.items()}
    found |= _selected(probe.capture_all, evidence.document)
    if probe.capture_sent:
        found |= _selected(probe.capture_sent, decode(evidence.exchange.request.body))
    return found


def _selected(paths: Mapping[str, str], document: Any) -> dict[str, list[Any]]:
    """Return the values that each path selects, if there are any."""
    found = {name: compile_path(path)(document) for name, path in paths.items()}
    return {name: [node.value for node in nodes] for name, nodes in found.items() if nodes}


def collect(evidence: Iterable[Evidence]) -> Collected:
    """Return the exchanges that are judged, for each probe and model in the order of the copies.

    Of several attempts the last one counts: the model did what was asked, or never did. An
    exchange that was refused for load and sent again is replaced by its repetition.
    """
    everything = list(evidence)
    replaced = {one.exchange.retry_of for one in everything} - {None}
    last: dict[tuple[str, str | None, int], Evidence] = {}
    for one in everything:
        sent = one.exchange
        place = (sent.probe, sent.model, sent.copy)
        before = last.get(place)
        if sent.id not in replaced and (before is None or before.exchange.attempt <= sent.attempt):
            last[place] = one
    collected: dict[Key, list[Evidence]] = {}
    for (probe, model, _), one in sorted(last.items(), key=lambda item: item[0][2]):
        collected.setdefault((probe, model), []).append(one)
    return collected


def _models(check: Check, suite: Suite, target: Target) -> Sequence[str | None]:
    scopes = {suite.probes[probe].scope for probe in check.probes}
    return target.models or [None] if Scope.MODEL in scopes else [None]


def _listed(probes: Iterable[str]) -> str:
    return ", ".join(f"`{probe}`" for probe in probes)


def _further(suite: Suite, checks: Iterable[Check]) -> dict[str, list[str]]:
    """Return the probes that each pattern under `also` stands for.

    What a script made the upstream say is not the endpoint's own doing, so it is left out.
    """
    own = {id_: None for id_, probe in suite.probes.items() if probe.upstream is UNSET}
    patterns = dict.fromkeys(pattern for check in checks for pattern in check.also)
    # Most of them are names.
    return {one: [one] if one in own else fnmatch.filter(own, one) for one in patterns}


class _Case(NamedTuple):
    """One check on one target."""

    check: Check
    suite: Suite
    target: Target
    model: str | None
    capabilities: Capabilities
    absent: Mapping[Key, Absent]
    further: Mapping[str, Sequence[str]]
    """Pattern → the probes that it stands for."""

    def judge(self, evidence: Collected) -> Judgement:
        """Return what came of the check."""
        answers = {probe: evidence.get(self._key(probe), ()) for probe in self.check.probes}
        hindrance = self._hindrance(answers)
        answers |= self._further(evidence)
        judged = [one for copies in answers.values() for one in copies]
        outcome = hindrance or self._compare(answers, judged)
        kept = outcome.findings[:_MOST_FINDINGS]
        reason = outcome.reason
        if len(kept) < len(outcome.findings):
            reason = reason or f"{len(outcome.findings)} deviations; the first {len(kept)} are kept"
        return Judgement(
            check=self.check.id,
            level=self.check.level,
            verdict=outcome.verdict,
            model=self.model,
            contract=list(self.check.requirements),
            reason=reason,
            findings=list(kept),
            exchanges=[one.exchange.id for one in judged],
        )

    def _key(self, probe: str) -> Key:
        scope = self.suite.probes[probe].scope
        return (probe, self.model if scope is Scope.MODEL else None)

    def _further(self, evidence: Collected) -> dict[str, list[Evidence]]:
        """Return what was answered to the probes of `also`; what says nothing is left out."""
        own, probes = self.check.probes, self.suite.probes
        models = [self.model] if self.model else self.target.models
        further: dict[str, list[Evidence]] = {}
        for id_ in dict.fromkeys(chain.from_iterable(self.further[one] for one in self.check.also)):
            if id_ not in own:
                of = models if probes[id_].scope is Scope.MODEL else _OF_THE_ENDPOINT
                copies = [one for model in of for one in evidence.get((id_, model), ())]
                if grounded := [one for one in copies if self._is_about(one)]:
                    further[id_] = grounded
        return further

    def _is_about(self, evidence: Evidence) -> bool:
        """Tell whether a further answer says something of the requirement.

        A plain answer that broke off is the business of the checks that are about it; rules see it.
        """
        if evidence.is_plain:
            return True
        broke_off = evidence.exchange.failure is not None and not evidence.is_sse
        if (broke_off or evidence.unpaid) and self.check.expect is not UNSET:
            return False
        return self._no_ground(evidence) is None

    def _hindrance(self, answers: Mapping[str, Sequence[Evidence]]) -> _Outcome | None:
        """Return why the check cannot be judged, if so. What does not apply is not blocked."""
        missing = [self._absence(probe) for probe, copies in answers.items() if not copies]
        for name in self.check.requires:
            if self.capabilities.get(name) is False:
                missing.append(Absent(Verdict.SKIPPED, f"the target does not offer {name}"))
            elif name not in self.capabilities:
                reason = f"it is not known whether the target offers {name}"
                missing.append(Absent(Verdict.BLOCKED, reason))
        causes = (self._no_ground(one) or self._unpaid(one) for one in chain(*answers.values()))
        missing += [cause for cause in causes if cause]
        missing.sort(key=lambda one: _PRECEDENCE.index(one.verdict))
        return _Outcome(missing[0].verdict, missing[0].reason) if missing else None

    def _absence(self, probe: str) -> Absent:
        known = self.absent.get(self._key(probe))
        return known or Absent(Verdict.BLOCKED, f"`{probe}` was not fired")

    def _no_ground(self, evidence: Evidence) -> Absent | None:
        """Return why one exchange says nothing about the requirement, if so."""
        if evidence.speaks:
            return None
        exchange = evidence.exchange
        failure = exchange.failure
        if failure is not None and failure.kind in _NEVER_ARRIVED:
            return Absent(Verdict.BLOCKED, f"`{exchange.probe}` was not sent: {failure.detail}")
        if limit := own_limit(self.check, evidence):
            return Absent(Verdict.INCONCLUSIVE, f"`{exchange.probe}`: {limit}")
        if evidence.throttled and not self._names(evidence.status or 0):
            reason = f"the endpoint is rate-limited or overloaded: `{exchange.probe}` was answered"
            return Absent(Verdict.INCONCLUSIVE, f"{reason} {evidence.status}")
        if exchange.until_met is False and not self.check.regardless:
            tries = f"in {exchange.attempt} attempts" if exchange.attempt > 1 else "when asked once"
            reason = (
                f"the model did not do what `{exchange.probe}` asks for, {tries}; "
                "run again, or with a model that follows instructions (--model)"
            )
            return Absent(Verdict.INCONCLUSIVE, reason)
        return None

    def _unpaid(self, evidence: Evidence) -> Absent | None:
        """Return why an answer that asks for money says nothing, if it is one."""
        if not evidence.unpaid:
            return None
        reason = f"the account has no money left: `{evidence.exchange.probe}` was answered"
        return Absent(Verdict.INCONCLUSIVE, f"{reason} {evidence.outcome}")

    def _names(self, status: int) -> bool:
        expects: list[Expect] = [*self.check.accept]
        if self.check.expect is not UNSET:
            expects.append(self.check.expect)
        return any(names_status(expect, status) for expect in expects)

    def _compare(
        self, answers: Mapping[str, Sequence[Evidence]], judged: Sequence[Evidence]
    ) -> _Outcome:
        """Hold the evidence against expectation and rule, then against the alternatives."""
        found, blocked = self._expectation(judged)
        unknown = Verdict.BLOCKED
        try:
            found += self._rule(answers)
        except NotSeenError as error:
            if not found:
                return _Outcome(Verdict.SKIPPED, str(error))
        except UnsureError as error:
            unknown, blocked = (unknown, blocked) if blocked else (_UNWILLING, str(error))
        except NothingToJudgeError as error:
            blocked = blocked or str(error)
        if not found and not blocked:
            return _Outcome(Verdict.PASS)
        for alternative in self.check.accept:
            if all(not findings(alternative, one, self.suite.schemas) for one in judged):
                kept = found if alternative.verdict.is_deviation else ()
                return _Outcome(alternative.verdict, alternative.because, kept)
        if not found:
            return _Outcome(unknown, blocked)
        if not (found := heard(self.check, found, judged)):
            probes = dict.fromkeys(one.exchange.probe for one in judged if one.is_refusal)
            return _Outcome(_UNWILLING, f"the model refused to answer {_listed(probes)}")
        return _Outcome(self.check.level.when_violated, "", found)

    def _expectation(self, judged: Sequence[Evidence]) -> tuple[list[Finding], str]:
        """Return the deviations, and why nothing can be said, if so.

        An answer that is no stream says nothing about how streams are written: that it should be
        one is a requirement of its own, and not each of the others fails with it.
        """
        expect = self.check.expect
        if expect is UNSET:
            return [], ""
        silent = [one for one in judged if lacks_stream(expect, one)]
        rest = replace(expect, stream=UNSET, events={}) if silent else expect
        found: list[Finding] = []
        for one in judged:
            found += findings(rest if one in silent else expect, one, self.suite.schemas)
        if silent and len(silent) == len(judged):
            return found, f"the answer is not a stream of events: {silent[0].outcome}"
        return found, ""

    def _rule(self, answers: Mapping[str, Sequence[Evidence]]) -> list[Finding]:
        name = self.check.rule
        if name is UNSET:
            return []
        if problem := misuse(name, len(self.check.probes), self.check.args):
            raise NothingToJudgeError(f"the check uses `{name}` wrongly: {problem}")
        return RULES[name](answers, self.check.args, self.target, self.model)
