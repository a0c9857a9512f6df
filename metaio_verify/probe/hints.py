"""The sentences for a target that cannot be verified: what happened, and what usually helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from metaio_verify.judge.evidence import Evidence
from metaio_verify.probe.failures import NO_CONNECTION, WANTS_CREDENTIALS
from metaio_verify.probe.proxies import proxy_variables
from metaio_verify.record import Exchange, Stop

USUAL_PREFIXES = ("/anthropic", "/api/anthropic", "/api")
"""Where gateways put their Anthropic-style API when it is not at the root."""

NO_MODEL: Final = "no-model"
"""The kind of a stop for want of a model that the endpoint serves."""

_SHOWN = 5

_DISCOVERY = {
    401: "is refused",
    403: "is refused",
    404: "is not served",
    405: "is not served",
    501: "is not served",
}
"""What statuses of GET /v1/models mean; with any other it fails."""


def corrected(given: str, better: str) -> str:
    """The base URL ends in what clients append by themselves."""
    return (
        f"Nothing answers below {given}, but {better} does: clients append /v1/messages by "
        f"themselves, so set ANTHROPIC_BASE_URL={better}. The run went on there."
    )


def elsewhere(given: str, better: str) -> str:
    """Another base URL answers."""
    return f"Nothing answers below {given}, but an Anthropic-style API answers below {better}."


def redirected(base: str, status: int, location: str) -> str:
    """Every first answer leads elsewhere."""
    return (
        f"{base} answers with a redirect to {location} ({status}). It was not followed: the key "
        "goes to the base URL alone, and clients do not follow it either. If the API lives there, "
        "that is the base URL to set."
    )


def nothing_works(exchange: Exchange) -> str:
    """Messages are answered, but none with a message, and not for a refused credential."""
    outcome = Evidence(exchange).outcome.rstrip(".")
    return (
        f"No first message is answered with a message, but with {outcome}. Are base URL, key and "
        "model right? Some gateways take an unknown key for another mistake."
    )


def unreachable(base: str, exchange: Exchange) -> Stop:
    """No answer at all, or none but that of a proxy on the way."""
    failure = exchange.failure
    kind = failure.kind if failure else "proxy"
    detail = failure.detail if failure else f"a proxy on the way {WANTS_CREDENTIALS}"
    hints = {
        "dns": ["Check the spelling of the host name and that this machine can resolve it."],
        "connect": ["Check host and port, and that the server is running."],
        "tls": ["Is the certificate valid for this host, and signed by an authority you trust?"],
        "timeout": ["A firewall or proxy may swallow the connection, or the server is stuck."],
        "protocol": [
            "Check the scheme: https:// where the server expects http://, or the reverse."
        ],
        "reset": ["Check the scheme: https:// where the server expects http://, or the reverse."],
    }
    # What swallows packets refuses nothing.
    swallowed = kind == "connect" and detail.startswith(NO_CONNECTION)
    told = hints.get("timeout" if swallowed else kind, [])
    if proxies := proxy_variables():
        names = " and ".join(proxies)
        verb = "names" if len(proxies) == 1 else "name"
        told = [*told, f"{names} of the environment {verb} a proxy; NO_PROXY lists exceptions."]
    if kind == "tls" and ("self" in detail or "issuer" in detail):
        told = [*told, "Trust an authority of your own with --ca-bundle FILE."]
    return Stop(kind="unreachable", message=f"{base} cannot be reached: {detail}.", hints=told)


def refused(base: str, answer: Exchange, styles: int) -> Stop:
    """The credential is not taken in any of the styles that were tried."""
    status = answer.response.status if answer.response else 0
    how = "as x-api-key and as Authorization: Bearer" if styles > 1 else "as it was sent"
    return Stop(
        kind="refused",
        message=f"{base} refuses the credential {how} ({status}).",
        hints=[
            "Is it a token of this gateway? A key of the Anthropic console is not known there.",
            "Is the token enabled for the model?",
            "Was the token revoked, or copied only in part?",
        ],
    )


def no_model(exchange: Exchange | None) -> Stop:
    """No model was named and discovery lists none."""
    status = exchange.response.status if exchange and exchange.response else 0
    if 200 <= status < 300:
        message = "No model was given and discovery lists none."
        hints = ["Can the token access at least one model?", "Name a model with --model."]
    else:
        state = _DISCOVERY.get(status, "fails")
        seen = Evidence(exchange).outcome.rstrip(".") if exchange else "no answer"
        message = f"No model was given and discovery {state} (GET /v1/models: {seen})."
        hints = ["Name a model with --model or in ANTHROPIC_MODEL."]
        if status in (404, 405):
            hints.append("Is the base URL right? Without a model no message could be tried there.")
        elif status not in _DISCOVERY:
            hints.append("Is the key right? Some gateways take an unknown key for another mistake.")
    return Stop(kind=NO_MODEL, message=message, hints=hints)


def model_refused(model: str, exchange: Exchange, listed: Sequence[str]) -> Stop:
    """The endpoint answers, but not for this model."""
    status = exchange.response.status if exchange.response else 0
    shown = ", ".join(listed[:_SHOWN]) + (", …" if len(listed) > _SHOWN else "")
    hints = [f"Discovery lists: {shown}."] if shown else []
    hints.append("Is the token enabled for the model?")
    return Stop(
        kind=NO_MODEL,
        message=f"The endpoint does not serve the model {model!r} ({status}).",
        hints=hints,
    )
