"""Why a credential is refused: its header, its owner, or what stands beside it."""

from __future__ import annotations

from metaio_verify.doctor.case import is_official
from metaio_verify.doctor.finding import Finding
from metaio_verify.doctor.live.bench import Bench, Step, base_url_origins, found
from metaio_verify.doctor.live.outcome import classify, said, status_of
from metaio_verify.doctor.names import API_KEY, AUTH_TOKEN, CUSTOM_HEADERS, HELPER
from metaio_verify.doctor.remedy import RESTART, rename_variable, unset_variable
from metaio_verify.doctor.secrets import mask
from metaio_verify.doctor.sent import AUTHORIZATION, X_API_KEY, Credential
from metaio_verify.record import Exchange
from metaio_verify.report.text import safe

_VARIABLE = {AUTHORIZATION: AUTH_TOKEN, X_API_KEY: API_KEY}
_SPOKEN = {AUTHORIZATION: "Authorization: Bearer", X_API_KEY: "x-api-key"}
_SAID = 200
"""Characters of a server's sentence that are worth repeating."""


async def refused(bench: Bench, exchange: Exchange) -> Step:
    """The endpoint does not take the credential."""
    credential = bench.setup.credential
    for look in (_without_custom_headers, _one_of_two, _in_the_other_header):
        step = await look(bench)
        if step is not None:
            return step
    if credential is None:
        return Step()  # nothing was sent; the rules say so
    return Step([_cause(bench, credential, exchange)])


async def _without_custom_headers(bench: Bench) -> Step | None:
    custom = bench.setup.custom
    own = [name for name in custom.pairs if name.lower() in _VARIABLE]
    if not own:
        return None
    without = bench.setup.with_headers(custom.without(list(_VARIABLE)))
    if not classify(await bench.asker.message(without)).is_let_in:
        return None
    value = bench.configuration.value(CUSTOM_HEADERS)
    finding = found(
        "custom-header-overrides",
        f"{CUSTOM_HEADERS} replaces the credential with one that is refused",
        f"Take {', '.join(own)} out of {CUSTOM_HEADERS}. {RESTART}",
        detail="Without that header the endpoint takes the credential.",
        origins=[value.origin] if value else [],
    )
    return Step([finding], without)


async def _one_of_two(bench: Bench) -> Step | None:
    credential = bench.setup.credential
    if credential is None or len(credential.styles) < 2:
        return None
    for style in credential.styles:
        alone = bench.setup.sent_as(credential.only(style))
        if classify(await bench.asker.message(alone)).is_let_in:
            return Step([_taken_alone(bench, credential, style)], alone)
    return None


def _taken_alone(bench: Bench, credential: Credential, style: str) -> Finding:
    other = next(one for one in credential.styles if one != style)
    if HELPER in credential.names:
        value = bench.configuration.helper
        return found(
            "both-headers-refused",
            "The endpoint refuses a request with both credential headers, as a helper makes it",
            f"Put the key into {_VARIABLE[style]} instead of using an {HELPER}; tell the operator.",
            detail=f"It takes the key in {_SPOKEN[style]} alone.",
            origins=[value.origin] if value else [],
        )
    names = dict(zip(credential.styles, credential.names, strict=True))
    action, fix = unset_variable(bench.configuration, names[other])
    values = [bench.configuration.value(name) for name in credential.names]
    return found(
        "credentials-differ" if credential.differ else "both-headers-refused",
        f"{names[other]} beside {names[style]} makes the endpoint refuse both",
        action,
        detail=f"Claude Code sends both. The endpoint takes {names[style]} when it comes alone.",
        origins=[value.origin for value in values if value],
        fix=fix,
    )


async def _in_the_other_header(bench: Bench) -> Step | None:
    credential = bench.setup.credential
    if credential is None or len(credential.styles) > 1:
        return None
    other = bench.setup.sent_as(credential.other_style())
    if not classify(await bench.asker.message(other)).is_let_in:
        return None
    style, better = credential.styles[0], credential.other_style().styles[0]
    name, instead = credential.names[0], _VARIABLE[better]
    action, fix = rename_variable(bench.configuration, name, instead)
    value = bench.configuration.value(name)
    finding = found(
        "credential-style",
        f"The endpoint does not read {_SPOKEN[style]}, in which {name} is sent",
        action,
        detail=f"It takes the same key in {_SPOKEN[better]}, as {instead} is sent.",
        origins=[value.origin] if value else [],
        fix=fix,
    )
    return Step([finding], other)


def _cause(bench: Bench, credential: Credential, exchange: Exchange) -> Finding:
    """Nothing helps, so the key itself is wrong."""
    configuration = bench.configuration
    names = " and ".join(dict.fromkeys(credential.names))
    values = [configuration.value(name) or configuration.helper for name in credential.names]
    origins = list(dict.fromkeys(str(value.origin) for value in values if value))
    text = safe(said(exchange), _SAID)
    answer = f"It answers {status_of(exchange)}" + (f": “{text}”." if text else ".")
    secret = next(iter(credential.secrets.values()))
    base = str(bench.setup.base)
    if is_official(base) and not secret.startswith("sk-ant-"):
        return found(
            "gateway-token-for-anthropic",
            f"{names} is no key of Anthropic, but the base URL points there",
            f"Set the base URL to that of the gateway that gave you the token. {RESTART}",
            detail=answer,
            origins=[*origins, *base_url_origins(configuration)],
        )
    if not is_official(base) and secret.startswith("sk-ant-"):
        return found(
            "console-key-for-gateway",
            f"{names} is a key of Anthropic, and {base} refuses it",
            f"Put in the token that the operator of the gateway gave you. {RESTART}",
            detail=f"{mask(secret)} begins like a key of the Anthropic console. {answer}",
            origins=origins,
        )
    return found(
        "credential-refused",
        f"{base} refuses {names}",
        "Is it the token of this gateway, complete, and not revoked? Is it enabled? Get a new one "
        "from the operator if in doubt.",
        detail=f"It was sent as {mask(secret)} in {_headers(credential)}, and in each header "
        f"alone. {answer}",
        origins=origins,
    )


def _headers(credential: Credential) -> str:
    return " and ".join(_SPOKEN[style] for style in credential.styles)


def blocked(bench: Bench, exchange: Exchange) -> Step:
    """Something in front of the endpoint answered 403 with a page."""
    finding = found(
        "blocked-on-the-way",
        f"Something in front of {bench.setup.base} blocks the request",
        "Is a VPN needed, or is your address not on the list of those that are let in? Ask the "
        "operator about firewall and proxy.",
        detail=f"It answers {status_of(exchange)} with a page instead of an error of the API.",
        origins=base_url_origins(bench.configuration),
    )
    return Step([finding])
