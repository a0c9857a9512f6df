"""Rules on where requests go: the base URL, and what overrides it."""

from __future__ import annotations

import re

from metaio_verify.doctor.case import Case, Suspicions, suspect
from metaio_verify.doctor.configuration import Configuration
from metaio_verify.doctor.finding import Fix, Severity
from metaio_verify.doctor.names import BASE_URL, PROVIDERS, is_on
from metaio_verify.doctor.profiles import Assignment, assignments
from metaio_verify.doctor.remedy import RESTART, set_variable, unset_variable
from metaio_verify.doctor.secrets import shown, without_user_info
from metaio_verify.doctor.shells import detect
from metaio_verify.errors import UserError
from metaio_verify.probe.target import BaseUrl, parse_base_url

_WRAPPING = "\"'“”„‘’`<>"
_NO_URL = "https://…"


def parsed(text: str) -> BaseUrl | None:
    """Return a base URL, or nothing when the text is none."""
    try:
        return parse_base_url(text)
    except UserError:
        return None


def mended(text: str) -> BaseUrl | None:
    """Return what a base URL with a slip in it was meant to be."""
    bare = re.split(r"[?#]", re.sub(r"\s", "", text).strip(_WRAPPING))[0]
    bare = re.sub(r"(?<=://)[^/@]*@", "", bare)
    if "://" not in bare:
        local = bare.startswith(("localhost", "127.", "[::1]"))
        bare = f"{'http' if local else 'https'}://{bare.lstrip('/')}"
    return parsed(bare)


def unset(case: Case) -> Suspicions:
    """No base URL, so requests go to Anthropic."""
    configuration = case.configuration
    if configuration.base_url:
        return
    found = list(assignments(configuration.machine, BASE_URL))
    if found:
        yield from _not_loaded(configuration, found)
        return
    detail = "Claude Code still talks to Anthropic itself."
    value = configuration.variables.get(BASE_URL)
    if value is not None and value.origin.is_file:
        detail += f" An empty value stands in {value.origin.path}."
    if configuration.wanted:
        action, fix = set_variable(configuration, BASE_URL, configuration.wanted)
    else:
        action = f"Set {BASE_URL} to the URL that your gateway publishes. {RESTART}"
        fix = Fix()
    yield suspect(
        "base-url-unset",
        f"{BASE_URL} is not set",
        action,
        detail=f"{detail} If you did set it, then in another terminal or without export.",
        origins=[value.origin] if value else [],
        fix=fix,
        if_answered=Severity.PROBLEM,
    )


def _not_loaded(configuration: Configuration, found: list[Assignment]) -> Suspicions:
    """The base URL stands in a shell's start-up file, and this terminal does not have it."""
    machine = configuration.machine
    shell = detect(machine.environ, machine.platform)
    own = [one for one in found if one.shell is shell]
    if own and not own[-1].exported:
        line = own[-1]
        sentence = f"Write export before {BASE_URL} in {line.path}, line {line.line}. {RESTART}"
        title = f"{line.path} sets {BASE_URL} without exporting it"
        fix = Fix(file=f"{line.path}, line {line.line}")
    elif own:
        line = own[-1]
        sentence = f"Open a new terminal, or load the file: source {line.path}. {RESTART}"
        title = f"This terminal is older than {BASE_URL} in {line.path}"
        fix = Fix(commands={str(shell): [f"source {line.path}"]})
    else:
        line = found[-1]
        sentence = f"Set it in the start-up file of {shell}. {RESTART}"
        title = f"{BASE_URL} stands in {line.path}, which {shell} does not read"
        fix = Fix()
    yield suspect(
        "base-url-not-loaded",
        title,
        sentence,
        detail="Claude Code still talks to Anthropic itself.",
        origins=[f"{line.path}:{line.line} {BASE_URL}"],
        fix=fix,
        if_answered=Severity.PROBLEM,
    )


def other(case: Case) -> Suspicions:
    """A base URL that is not the one its user wants to reach."""
    configuration = case.configuration
    value = configuration.value(BASE_URL)
    wanted = parsed(configuration.wanted) if configuration.wanted else None
    if value is None or wanted is None:
        return
    given = parsed(value.text) or mended(value.text)
    if given == wanted or (given and given.without_mistake() == wanted):
        return
    action, fix = set_variable(configuration, BASE_URL, str(wanted))
    yield suspect(
        "base-url-other",
        f"Claude Code is set to {shown(BASE_URL, value.text)}, not to {wanted}",
        action,
        origins=[value.origin],
        fix=fix,
        if_answered=Severity.PROBLEM,
    )


def malformed(case: Case) -> Suspicions:
    """A base URL with quotes, spaces, a query, a password, or without a scheme."""
    configuration = case.configuration
    value = configuration.value(BASE_URL)
    if value is None or parsed(value.text) is not None:
        return
    meant = mended(value.text)
    action, fix = set_variable(configuration, BASE_URL, str(meant) if meant else _NO_URL)
    yield suspect(
        "base-url-malformed",
        f"{BASE_URL} {_defect(value.text)}",
        action,
        detail=f"It holds {without_user_info(value.text)!r}.",
        origins=[value.origin],
        fix=fix if meant else Fix(),
        if_answered=Severity.PROBLEM,
    )


def _defect(text: str) -> str:
    inner = text.strip()
    if inner != text or re.search(r"\s", inner):
        return "holds a space or a line break"
    if inner[:1] in _WRAPPING or inner[-1:] in _WRAPPING:
        return "holds the quotes that should have been around it"
    if re.search(r"\$\{?\w+|%\w+%", inner):
        return "holds the name of a variable instead of its value"
    if "://" not in inner:
        return "does not begin with https:// or http://"
    if "@" in inner:
        return "holds a user name or password"
    if "?" in inner or "#" in inner:
        return "has a query or a fragment"
    return "is not a URL"


def with_version(case: Case) -> Suspicions:
    """A base URL that ends in what Claude Code appends by itself."""
    configuration = case.configuration
    value = configuration.value(BASE_URL)
    url = (parsed(value.text) or mended(value.text)) if value else None
    better = url.without_mistake() if url else None
    if value is None or better is None:
        return
    mistake = str(url).removeprefix(str(better))
    action, fix = set_variable(configuration, BASE_URL, str(better))
    yield suspect(
        "base-url-with-v1",
        f"{BASE_URL} ends in {mistake}",
        action,
        detail=f"Claude Code appends /v1/messages by itself, so it asks {url}/v1/messages.",
        origins=[value.origin],
        fix=fix,
        if_answered=None,
    )


def provider(case: Case) -> Suspicions:
    """A switch that sends Claude Code to a cloud provider instead."""
    configuration = case.configuration
    for name, where in PROVIDERS.items():
        value = configuration.value(name)
        if value is None or not is_on(value.text):
            continue
        action, fix = unset_variable(configuration, name)
        yield suspect(
            "provider-overrides",
            f"{name} sends Claude Code to {where}",
            action,
            detail=f"{BASE_URL} has no effect beside it.",
            origins=[value.origin],
            fix=fix,
            if_answered=Severity.PROBLEM,
        )
