"""The live test: a message, and as long as none comes back, one look after the other at why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from metaio_verify.doctor.case import Case
from metaio_verify.doctor.finding import Finding
from metaio_verify.doctor.live import others, place, reach, refusal, selection
from metaio_verify.doctor.live.asker import Asker, Setup, Try
from metaio_verify.doctor.live.bench import Bench, Step
from metaio_verify.doctor.live.outcome import Outcome, classify, said
from metaio_verify.doctor.models import main_model
from metaio_verify.doctor.names import (
    BASE_URL,
    BETAS,
    CA_FILE,
    CA_STORES,
    CUSTOM_HEADERS,
    NO_PROXY,
    PROXIES,
    TLS_CHECK,
)
from metaio_verify.doctor.network import authorities, exempt, proxy
from metaio_verify.doctor.rules.endpoint import mended, parsed
from metaio_verify.doctor.sent import credential, custom_headers, misread
from metaio_verify.record import Exchange

_ROUNDS = 6
"""Messages with one more thing mended each time."""
_LEADS_ELSEWHERE = frozenset(
    {BASE_URL, CUSTOM_HEADERS, CA_FILE, CA_STORES, TLS_CHECK, *PROXIES, *NO_PROXY}
)
"""Variables that decide who gets to see the key."""


@dataclass(frozen=True)
class Tried:
    """What the live test saw."""

    answered: bool = False
    """Whether a real message came back, with nothing mended on the way."""
    reached: bool = False
    """Whether one came back in the end."""
    findings: list[Finding] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)


def setup(case: Case) -> tuple[Setup, bool] | None:
    """Return how Claude Code would send a message, and whether something was mended for it.

    Nothing is returned when there is nothing to try, or nobody to trust with the key.
    """
    configuration = case.configuration
    if _is_untrusted(case):
        return None
    base = parsed(case.destination)
    meant = base or mended(case.destination) if case.destination else None
    if meant is None or (configuration.helper and case.helped is None and not _has_key(case)):
        return None
    used = proxy(configuration)
    through = used if used and not used.defect and not exempt(configuration, str(meant)) else None
    plan = Setup(
        base=meant,
        credential=credential(configuration, case.helped.key if case.helped else None),
        custom=custom_headers(configuration),
        model=main_model(configuration).id,
        proxy=through,
        betas=configuration.text(BETAS),
    )
    outer_space = all(why == "holds a space" for _, why in misread(configuration))
    return plan, base is None or not outer_space or bool(used and used.defect)


def _has_key(case: Case) -> bool:
    return credential(case.configuration) is not None


def _is_untrusted(case: Case) -> bool:
    names = {value.name for value in case.configuration.untrusted}
    if case.configuration.wanted:
        names.discard(BASE_URL)  # its user named the address
    return bool(names & _LEADS_ELSEWHERE)


async def try_out(case: Case, patience: float) -> Tried:
    """Send a message as Claude Code would; `patience` is the wait for a byte, in seconds."""
    planned = setup(case)
    if planned is None:
        return Tried()
    first, mended_ = planned
    trust = authorities(case.configuration)
    async with Asker(trust, first.base.origin, case.secrets, patience) as asker:
        bench = Bench(case, asker, first, main_model(case.configuration))
        findings, bench, outcome, onward = await _go(bench)
        answered = outcome is Outcome.MESSAGE and not mended_ and not onward
        if outcome is Outcome.MESSAGE:
            findings += await selection.around(bench, answered=answered)
            findings += await _in_the_clear(bench)
        return Tried(answered, outcome is Outcome.MESSAGE, findings, asker.tries)


async def _go(bench: Bench) -> tuple[list[Finding], Bench, Outcome, bool]:
    """Send, look, mend, send again; the last value says whether anything was mended."""
    findings: list[Finding] = []
    mended_ = False
    for _ in range(_ROUNDS):
        exchange = await bench.asker.message(bench.setup)
        outcome = classify(exchange)
        if outcome is Outcome.MESSAGE:
            break
        step = await _look(outcome, bench, exchange)
        findings += step.findings
        if step.onward is None:
            break
        bench = replace(bench, setup=step.onward)
        mended_ = True
    return findings, bench, outcome, mended_


async def _look(outcome: Outcome, bench: Bench, exchange: Exchange) -> Step:
    if _of_the_proxy(outcome, bench, exchange):
        directly = bench.setup.through(None)
        if reach.is_there(await bench.asker.knock(directly)):
            return reach.proxy_in_the_way(bench, onward=directly)
    match outcome:
        case Outcome.SILENT:
            return await reach.silent(bench, exchange)
        case Outcome.REFUSED:
            return await refusal.refused(bench, exchange)
        case Outcome.MODEL:
            return await selection.refused(bench, exchange)
        case Outcome.MISSING | Outcome.NO_API:
            return await place.missing(bench, exchange)
        case Outcome.REJECTED:
            return await others.rejected(bench, exchange)
    looks: dict[Outcome, Callable[[Bench, Exchange], Step]] = {
        Outcome.REDIRECT: reach.redirect,
        Outcome.PROXY: reach.proxy_wants_credential,
        Outcome.BLOCKED: refusal.blocked,
        Outcome.UNPAID: others.unpaid,
        Outcome.BUSY: others.busy,
    }
    return looks.get(outcome, others.failing)(bench, exchange)


def _of_the_proxy(outcome: Outcome, bench: Bench, exchange: Exchange) -> bool:
    """Whether the proxy itself may have answered: an API says what is wrong, as JSON."""
    if bench.setup.proxy is None or said(exchange):
        return False
    return outcome in (Outcome.PROXY, Outcome.BLOCKED, Outcome.FAILS, Outcome.MISSING)


async def _in_the_clear(bench: Bench) -> list[Finding]:
    """See whether a key that crosses the network in the clear need not; without sending it."""
    other = reach.encrypted(bench.setup.base)
    if other is None or not reach.is_there(await bench.asker.knock(bench.setup.at(other))):
        return []
    return [reach.in_the_clear(bench, other)]
