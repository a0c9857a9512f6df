"""Rules on what is around the request: network, models, the client, its running sessions."""

from __future__ import annotations

from metaio_verify.doctor.case import Case, Suspicions, suspect
from metaio_verify.doctor.finding import Severity
from metaio_verify.doctor.installed import Session
from metaio_verify.doctor.models import allowed, main_model
from metaio_verify.doctor.names import (
    API_KEY,
    AUTH_TOKEN,
    BASE_URL,
    CA_FILE,
    DISCOVERY,
    MODEL,
    NO_EXTRA_TRAFFIC,
    PROVIDERS,
    TIMEOUT,
    TLS_CHECK,
    is_on,
)
from metaio_verify.doctor.network import authorities, proxy
from metaio_verify.doctor.remedy import RESTART, set_variable, unset_variable
from metaio_verify.doctor.secrets import shown
from metaio_verify.doctor.settings import Scope

_LONGEST_TIMER = 2_147_483_647
"""Milliseconds; a longer one overflows, and every request fails at once."""
_SHORTEST_TIMER = 5_000
"""Milliseconds; a real turn takes longer, so less was probably meant as seconds."""
_SELF_HEALING = (2, 1, 198)
"""Up to 2.1.197 a session ends when a gateway refuses a field that it does not know."""
_WATCHED = (BASE_URL, AUTH_TOKEN, API_KEY, MODEL, *PROVIDERS)


def unusable_proxy(case: Case) -> Suspicions:
    """A proxy that Claude Code cannot use."""
    used = proxy(case.configuration)
    if used is None or not used.defect:
        return
    yield suspect(
        "proxy-unusable",
        f"{used.value.name} {used.defect}",
        f"Set {used.value.name} to the URL of an HTTP proxy, such as http://proxy.example.com:8080,"
        f" or unset it. {RESTART}",
        detail=f"It holds {used}.",
        origins=[used.value.origin],
        if_answered=Severity.PROBLEM,
    )


def unusable_authority(case: Case) -> Suspicions:
    """A file of certificate authorities that does not serve."""
    found = authorities(case.configuration)
    value = case.configuration.value(CA_FILE)
    if value is not None and found.defect:
        yield suspect(
            "ca-file-unusable",
            f"The file that {CA_FILE} names {found.defect}",
            f"Set {CA_FILE} to the full path of your organisation's authority in PEM form.",
            detail=f"It names {found.file}. Claude Code goes on without it.",
            origins=[value.origin],
        )


def unchecked(case: Case) -> Suspicions:
    """Certificates that nobody checks."""
    value = case.configuration.value(TLS_CHECK)
    if value is None or value.text.strip() != "0":
        return
    action, fix = unset_variable(case.configuration, TLS_CHECK)
    yield suspect(
        "tls-unchecked",
        f"{TLS_CHECK} switches the check of certificates off",
        f"{action} For an authority of your organisation use {CA_FILE}.",
        detail="Whoever is on the way can read the key. The doctor checks all the same.",
        origins=[value.origin],
        fix=fix,
        severity=Severity.WARNING,
    )


def timer(case: Case) -> Suspicions:
    """A bound on requests that ends them before they can be answered."""
    value = case.configuration.value(TIMEOUT)
    if value is None:
        return
    try:
        milliseconds = float(value.text.replace("_", ""))
    except ValueError:
        return
    if milliseconds > _LONGEST_TIMER:
        why = "is too large: the timer overflows and every request fails at once"
    elif 0 < milliseconds < _SHORTEST_TIMER:
        why = f"gives an answer {milliseconds / 1000:g} s; it counts in milliseconds"
    else:
        return
    action, fix = set_variable(case.configuration, TIMEOUT, "600000")
    yield suspect("timeout-unusable", f"{TIMEOUT} {why}", action, origins=[value.origin], fix=fix)


def model_not_allowed(case: Case) -> Suspicions:
    """A model that the user's own settings exclude."""
    configuration = case.configuration
    model = main_model(configuration)
    entries = configuration.settings.get("availableModels")
    if entries is None or allowed(configuration, model):
        return
    yield suspect(
        "model-not-available",
        f"availableModels does not hold {model.id}, so Claude Code takes another model",
        f"Add {model.id} to availableModels, or choose one that it holds.",
        origins=[entries.origin, model.origin],
    )


def discovery_off(case: Case) -> Suspicions:
    """Model discovery that is asked for and switched off."""
    configuration = case.configuration
    asked, silenced = configuration.value(DISCOVERY), configuration.value(NO_EXTRA_TRAFFIC)
    if asked is None or silenced is None or not is_on(asked.text):
        return
    action, fix = unset_variable(configuration, NO_EXTRA_TRAFFIC)
    yield suspect(
        "discovery-off",
        f"{NO_EXTRA_TRAFFIC} switches off the model discovery that {DISCOVERY} asks for",
        f"{action} Setting it to 0 is not enough.",
        detail="The models of the gateway do not appear in /model.",
        origins=[silenced.origin, asked.origin],
        fix=fix,
        severity=Severity.WARNING,
    )


def old_client(case: Case) -> Suspicions:
    """A Claude Code from before it learnt to work with gateways that lag behind."""
    client = case.client
    if client is None or not client.before(*_SELF_HEALING):
        return
    yield suspect(
        "client-old",
        f"Claude Code {client.version} is old",
        "Update it: claude update",
        detail="Up to 2.1.197 a session ends when a gateway refuses a field that it does not "
        "know; newer ones send the request again without it.",
        origins=[client.path],
        severity=Severity.WARNING,
    )


def old_sessions(case: Case) -> Suspicions:
    """A running session that was started before the shell's variables were what they are now."""
    for session in case.sessions or ():
        stale = [name for name in _WATCHED if _is_stale(case, session, name)]
        if not stale:
            continue
        seen = "; ".join(_difference(case, session, name) for name in stale)
        yield suspect(
            "session-older-than-shell",
            f"A running Claude Code (process {session.pid}) was started with other variables",
            "Quit that session and start claude anew from this shell.",
            detail=f"It has {seen}. A session reads its environment once, when it starts.",
            origins=[f"process {session.pid}"],
            severity=Severity.WARNING,
        )


def _is_stale(case: Case, session: Session, name: str) -> bool:
    value = case.configuration.variables.get(name)
    if value is not None and value.origin.scope is not Scope.SHELL:
        return False  # a settings file reaches running sessions too
    return session.environ.get(name, "") != (value.text if value else "")


def _difference(case: Case, session: Session, name: str) -> str:
    has = session.environ.get(name)
    now = case.configuration.text(name)
    before = shown(name, has) if has else "nothing"
    return f"{before} as {name}, your shell has {shown(name, now) if now else 'nothing'}"
