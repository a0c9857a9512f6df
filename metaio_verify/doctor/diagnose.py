"""All rules over one case, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Callable

from metaio_verify.doctor.case import Case, Suspicions
from metaio_verify.doctor.finding import Suspicion
from metaio_verify.doctor.rules import credentials, endpoint, files, surroundings

RULES: tuple[Callable[[Case], Suspicions], ...] = (
    files.flaws,
    files.login_demanded,
    files.host,
    endpoint.provider,
    endpoint.unset,
    endpoint.malformed,
    endpoint.with_version,
    endpoint.other,
    files.misspelt,
    files.not_read,
    files.trust,
    credentials.missing,
    credentials.malformed,
    credentials.foreign,
    credentials.helper,
    credentials.helper_not_run,
    credentials.declined,
    surroundings.unusable_proxy,
    surroundings.unusable_authority,
    files.hidden,
    credentials.different,
    credentials.helper_unused,
    credentials.headers,
    surroundings.model_not_allowed,
    surroundings.timer,
    surroundings.unchecked,
    surroundings.discovery_off,
    surroundings.old_client,
    surroundings.old_sessions,
)


def diagnose(case: Case) -> list[Suspicion]:
    """Return what the configuration alone gives reason to suspect."""
    return [suspicion for rule in RULES for suspicion in rule(case)]
