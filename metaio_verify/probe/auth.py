"""Credential headers."""

from __future__ import annotations

from metaio_verify.probe.target import Credential
from metaio_verify.suite.model import Auth

INVALID_KEY = "sk-ant-invalid-metaio-verify"
"""A made-up key. It is no secret, so it stays readable in the record."""

STYLES = (Auth.X_API_KEY, Auth.BEARER)
"""The ways in which a client may send its key."""


def headers(auth: Auth, style: Auth, credential: Credential | None) -> list[tuple[str, str]]:
    """The credential headers of a probe.

    `style` is what `Auth.DEFAULT` stands for. Without a credential (an endpoint that needs none)
    only the made-up key is ever sent.
    """
    key = credential.secret if credential else None
    if auth is Auth.OTHER:
        auth = next(other for other in STYLES if other is not style)
    match style if auth is Auth.DEFAULT else auth:
        case Auth.X_API_KEY:
            pairs = [("x-api-key", key)]
        case Auth.BEARER:
            pairs = [("authorization", key)]
        case Auth.BOTH:
            pairs = [("x-api-key", key), ("authorization", key)]
        case Auth.INVALID_X_API_KEY:
            pairs = [("x-api-key", INVALID_KEY)]
        case Auth.INVALID_BEARER:
            pairs = [("authorization", INVALID_KEY)]
        case Auth.BEARER_WITH_STALE_X_API_KEY:
            pairs = [("x-api-key", INVALID_KEY), ("authorization", key)]
        case Auth.X_API_KEY_WITH_STALE_BEARER:
            pairs = [("x-api-key", key), ("authorization", INVALID_KEY)]
        case _:
            pairs = []
    return [
        (name, f"Bearer {value}" if name == "authorization" else value)
        for name, value in pairs
        if value is not None
    ]


def styles_needed(auth: Auth) -> frozenset[Auth]:
    """The styles in which a probe sends the valid key, apart from the run's own."""
    match auth:
        case Auth.X_API_KEY | Auth.X_API_KEY_WITH_STALE_BEARER:
            return frozenset({Auth.X_API_KEY})
        case Auth.BEARER | Auth.BEARER_WITH_STALE_X_API_KEY:
            return frozenset({Auth.BEARER})
        case Auth.BOTH | Auth.OTHER:
            return frozenset(STYLES)
        case _:
            return frozenset()
