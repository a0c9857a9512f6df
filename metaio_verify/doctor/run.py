"""One diagnosis, from the machine to the report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from metaio_verify.doctor import helper, installed
from metaio_verify.doctor.case import Case
from metaio_verify.doctor.configuration import Configuration
from metaio_verify.doctor.diagnose import diagnose
from metaio_verify.doctor.facts import facts
from metaio_verify.doctor.finding import Finding, Severity, Suspicion
from metaio_verify.doctor.gather import gather
from metaio_verify.doctor.live.tryout import Tried, try_out
from metaio_verify.doctor.machine import Machine
from metaio_verify.doctor.names import CREDENTIALS, HELPER
from metaio_verify.doctor.report import Report, exit_code, veiled
from metaio_verify.doctor.secrets import Veil, without_user_info
from metaio_verify.doctor.shells import Shell, detect

_HELPER_PATIENCE = 30.0
"""Seconds that an apiKeyHelper may take."""


@dataclass(frozen=True)
class Wishes:
    """What the user of the doctor asks for."""

    base_url: str = ""
    """The base URL that should be reached."""
    model: str = ""
    """What `claude --model` is given."""
    settings: str | None = None
    """What `claude --settings` is given."""
    shell: Shell | None = None
    run_helper: bool | None = None
    """Run the apiKeyHelper or not; undecided, it runs if Claude Code would run it unasked."""
    timeout: float = 30.0
    """Longest wait for the next byte of an answer, in seconds."""


def examine(machine: Machine, wishes: Wishes) -> Report:
    """Gather, diagnose, try, and report. Nothing on the machine is changed."""
    configuration = gather(
        machine, settings=wishes.settings, model=wishes.model, wanted=wishes.base_url
    )
    case = Case(
        configuration,
        client=installed.client(machine),
        sessions=installed.sessions(machine),
        helped=_help(configuration, wishes),
    )
    suspicions = diagnose(case)
    tried = asyncio.run(try_out(case, wishes.timeout))
    findings = combined(suspicions, tried)
    report = Report(
        answered=tried.answered,
        exit_code=exit_code(answered=tried.answered, findings=findings),
        destination=without_user_info(case.destination),
        platform=machine.platform,
        shell=wishes.shell or detect(machine.environ, machine.platform),
        client=_client(case),
        settings=[f"{file.path} ({file.scope})" for file in configuration.files],
        facts=facts(case),
        tries=tried.tries,
        findings=findings,
    )
    return veiled(report, Veil(case.secrets))


def combined(suspicions: list[Suspicion], tried: Tried) -> list[Finding]:
    """Return what is left of the suspicions, and what the live test proved; problems first.

    Where both speak of the same thing, the proof takes the place of the suspicion.
    """
    proved = {finding.id for finding in tried.findings}
    left = [one for one in suspicions if one.finding.id not in proved]
    strong = [one.settled(answered=tried.answered) for one in left if not one.is_weak]
    weak = [one.settled(answered=tried.reached) for one in left if one.is_weak]
    found = [one for one in (*strong, *tried.findings, *weak) if one is not None]
    return sorted(found, key=lambda one: one.severity is not Severity.PROBLEM)


def _help(configuration: Configuration, wishes: Wishes) -> helper.Helped | None:
    """Run the helper, unless a variable hides it or the folder that asks for it is not trusted."""
    value = configuration.helper
    if value is None or configuration.value(*CREDENTIALS):
        return None
    is_foreign = any(one.name == HELPER for one in configuration.untrusted)
    if not (not is_foreign if wishes.run_helper is None else wishes.run_helper):
        return None
    return helper.run(configuration, value.text, _HELPER_PATIENCE)


def _client(case: Case) -> str:
    if case.client is None:
        return ""
    return f"{case.client.version or 'of an unknown version'} at {case.client.path}"
