"""Rules on the credential: none, broken, two of them, or one that is not used."""

from __future__ import annotations

from metaio_verify.doctor.case import Case, Suspicions, suspect
from metaio_verify.doctor.configuration import Configuration, Value
from metaio_verify.doctor.finding import Severity
from metaio_verify.doctor.names import (
    API_KEY,
    AUTH_TOKEN,
    BASE_URL,
    CREDENTIALS,
    CUSTOM_HEADERS,
    HELPER,
    OAUTH_TOKEN,
)
from metaio_verify.doctor.remedy import RESTART, correct_secret, unset_variable
from metaio_verify.doctor.secrets import mask, shown
from metaio_verify.doctor.sent import (
    AUTHORIZATION,
    X_API_KEY,
    bare,
    custom_headers,
    misread,
)

_REMEMBERED = 20
"""Of an approved or declined key Claude Code remembers so many characters, from its end."""
_OWN_HEADERS = ("anthropic-version", "content-type", "content-length", "host", "accept")


def missing(case: Case) -> Suspicions:
    """No credential for the endpoint."""
    configuration = case.configuration
    if configuration.value(*CREDENTIALS) or configuration.helper or case.is_official:
        return
    if not configuration.base_url and not configuration.wanted:
        return
    if _in_custom_headers(configuration):
        return
    oauth = configuration.value(OAUTH_TOKEN)
    login = case.configuration.state.get("oauthAccount")
    if oauth is not None:
        detail = f"{OAUTH_TOKEN} is a Claude login, which a gateway does not know."
    elif login:
        detail = "Claude Code is logged in to Anthropic, and a gateway does not know that login."
    else:
        detail = "Claude Code asks for a login instead of using the endpoint."
    yield suspect(
        "credential-missing",
        f"Neither {AUTH_TOKEN} nor {API_KEY} is set",
        f"Set {AUTH_TOKEN} to the token of your gateway. {RESTART} If the endpoint wants no "
        "token, any text will do.",
        detail=detail,
        origins=[oauth.origin] if oauth else [],
        if_answered=Severity.PROBLEM,
    )


def malformed(case: Case) -> Suspicions:
    """A key with something around it, or something else in its place."""
    for value, why in misread(case.configuration):
        yield suspect(
            "credential-malformed",
            f"{value.name} {why}",
            correct_secret(case.configuration, value.name),
            origins=[value.origin],
            if_answered=Severity.WARNING if why == "holds a space" else Severity.PROBLEM,
        )


def different(case: Case) -> Suspicions:
    """Two credentials that contradict each other; Claude Code sends both."""
    configuration = case.configuration
    token, key = configuration.value(AUTH_TOKEN), configuration.value(API_KEY)
    if token is None or key is None or bare(token.text) == bare(key.text):
        return
    yield suspect(
        "credentials-differ",
        f"{AUTH_TOKEN} and {API_KEY} are both set, to different values",
        "Keep the one that your gateway gave you, and unset the other. " + RESTART,
        detail=f"Claude Code sends both: {shown(AUTH_TOKEN, token.text)} as Authorization: "
        f"Bearer, {shown(API_KEY, key.text)} as x-api-key. Which one counts is up to the "
        "endpoint.",
        origins=[token.origin, key.origin],
    )


def declined(case: Case) -> Suspicions:
    """A key that its user once told Claude Code not to use."""
    configuration = case.configuration
    value = configuration.value(API_KEY)
    answers = configuration.state.get("customApiKeyResponses")
    rejected = answers.get("rejected") if isinstance(answers, dict) else None
    if value is None or not isinstance(rejected, list) or configuration.value(AUTH_TOKEN):
        return
    if value.text[-_REMEMBERED:] in rejected:
        yield suspect(
            "key-declined",
            f"Claude Code was told not to use this {API_KEY}",
            "In Claude Code open /config and switch “Use custom API key” on.",
            detail="It asked once whether to use the key; the answer was no, so sessions ignore "
            "it without asking again. claude -p uses it.",
            origins=[value.origin, configuration.machine.shown(configuration.machine.state_file)],
            if_answered=Severity.PROBLEM,
        )


def helper(case: Case) -> Suspicions:
    """An apiKeyHelper that gives no key."""
    value = case.configuration.helper
    if value is None or case.helped is None or not case.helped.defect:
        return
    complaint = f" It says: {case.helped.complaint}" if case.helped.complaint else ""
    yield suspect(
        "helper-fails",
        f"The {HELPER} {case.helped.defect}",
        "Run the command in your shell and mend it: it has to print the key and nothing else, and "
        "to end with exit code 0.",
        detail=f"Its command is {value.text!r}.{complaint}",
        origins=[value.origin],
        if_answered=Severity.WARNING,
    )


def helper_not_run(case: Case) -> Suspicions:
    """An apiKeyHelper that its user kept from running."""
    configuration = case.configuration
    value = configuration.helper
    if value is None or case.helped is not None or configuration.value(*CREDENTIALS):
        return
    if value.name not in {one.name for one in configuration.untrusted}:
        yield suspect(
            "helper-not-run",
            f"The {HELPER} was not run, so there was no key to try",
            "Run the doctor again with --run-helper.",
            origins=[value.origin],
            severity=Severity.WARNING,
        )


def helper_unused(case: Case) -> Suspicions:
    """An apiKeyHelper that a variable hides."""
    configuration = case.configuration
    value, winner = configuration.helper, configuration.value(*CREDENTIALS)
    if value is None or winner is None:
        return
    action, fix = unset_variable(configuration, winner.name)
    yield suspect(
        "helper-unused",
        f"{winner.name} hides the {HELPER}",
        f"If the helper is right: {action[0].lower()}{action[1:]}",
        detail="A variable with a key counts before the helper, so the helper never runs.",
        origins=[winner.origin, value.origin],
        fix=fix,
        if_answered=None,
    )


def headers(case: Case) -> Suspicions:
    """Custom headers that cannot be sent, or that replace what Claude Code sends."""
    configuration = case.configuration
    value = configuration.value(CUSTOM_HEADERS)
    if value is None:
        return
    read = custom_headers(configuration)
    for why in read.broken:
        yield suspect(
            "custom-headers-malformed",
            f"{CUSTOM_HEADERS}: {why}",
            "Write one “Name: Value” a line. In JSON a line break is \\n, in a shell it is a real "
            "one.",
            origins=[value.origin],
        )
    names = {name.lower(): name for name in read.pairs}
    credential = _credential_sent(configuration)
    for header in (*credential, *_OWN_HEADERS):
        if header in names:
            yield suspect(
                "custom-header-overrides",
                f"{CUSTOM_HEADERS} replaces {names[header]}, which Claude Code sends by itself",
                f"Take {names[header]} out of {CUSTOM_HEADERS}.",
                detail=f"It holds {mask(read.pairs[names[header]])}.",
                origins=[value.origin],
            )


def _credential_sent(configuration: Configuration) -> list[str]:
    sent = []
    if configuration.value(AUTH_TOKEN):
        sent.append(AUTHORIZATION)
    if configuration.value(API_KEY):
        sent.append(X_API_KEY)
    return sent or ([X_API_KEY, AUTHORIZATION] if configuration.helper else [])


def _in_custom_headers(configuration: Configuration) -> bool:
    names = {name.lower() for name in custom_headers(configuration).pairs}
    return bool(names & {X_API_KEY, AUTHORIZATION})


def foreign(case: Case) -> Suspicions:
    """A gateway's token that goes to Anthropic itself."""
    if not case.is_official:
        return
    for name in CREDENTIALS:
        value: Value | None = case.configuration.value(name)
        if value is not None and not bare(value.text).startswith("sk-ant-"):
            yield suspect(
                "gateway-token-for-anthropic",
                f"{name} is no key of Anthropic, but {BASE_URL} points there",
                f"Set {BASE_URL} to the URL of the gateway that gave you the token. {RESTART}",
                detail="Keys of Anthropic begin with sk-ant-.",
                origins=[value.origin, *_base_url_origin(case.configuration)],
                if_answered=None,
            )


def _base_url_origin(configuration: Configuration) -> list[object]:
    value = configuration.value(BASE_URL)
    return [value.origin] if value else []
