"""Broken configurations of the table: the credential."""

from __future__ import annotations

import json

from doctor.loopback import (
    KEY,
    Reply,
    Seen,
    error,
    gateway,
)
from doctor.machines import (
    STATE,
    USER_SETTINGS,
)
from doctor.row import CONSOLE_KEY, OTHER_KEY, RIGHT, Row, env


def _both_refused(seen: Seen) -> Reply:
    if {"x-api-key", "authorization"} <= set(seen.headers):
        return error(401, "two credentials", "authentication_error")
    return gateway()(seen)


CREDENTIAL = {
    # The credential
    "no-credential": Row(("credential-missing",), environ={"ANTHROPIC_BASE_URL": "@url@"}),
    "login-in-its-place": Row(
        ("credential-missing",),
        environ={"ANTHROPIC_BASE_URL": "@url@"},
        files={STATE: '{"oauthAccount": {"emailAddress": "ada@example.com"}}'},
    ),
    "console-key-for-a-gateway": Row(
        ("console-key-for-gateway",), environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": CONSOLE_KEY}
    ),
    "revoked-token": Row(
        ("credential-refused",), environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": OTHER_KEY}
    ),
    "token-with-quotes": Row(
        ("credential-malformed",), environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": f'"{KEY}"'}
    ),
    "token-with-bearer": Row(
        ("credential-malformed",), environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": f"Bearer {KEY}"}
    ),
    "token-with-line-break": Row(
        ("credential-malformed",), environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": f"{KEY}\n"}
    ),
    "token-with-line-break-inside": Row(
        ("credential-malformed", "request-unsendable"),
        environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": f"{KEY[:9]}\n{KEY[9:]}"},
    ),
    "token-not-replaced": Row(
        ("credential-malformed", "credential-refused"),
        files={USER_SETTINGS: env(ANTHROPIC_AUTH_TOKEN="${GATEWAY_KEY}")},
        environ={"ANTHROPIC_BASE_URL": "@url@"},
    ),
    "token-of-the-manual": Row(
        ("credential-malformed", "credential-refused"),
        environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": "sk-your-token"},
    ),
    "two-that-differ": Row(
        ("credentials-differ",),
        environ={**RIGHT, "ANTHROPIC_API_KEY": CONSOLE_KEY},
    ),
    "two-that-differ-and-one-is-taken": Row(
        warns=("credentials-differ",),
        environ={**RIGHT, "ANTHROPIC_API_KEY": CONSOLE_KEY},
        serve=gateway(reads=("authorization",)),
    ),
    "two-that-agree-and-are-too-many": Row(
        ("both-headers-refused",), environ={**RIGHT, "ANTHROPIC_API_KEY": KEY}, serve=_both_refused
    ),
    "bearer-is-not-read": Row(("credential-style",), serve=gateway(reads=("x-api-key",))),
    "x-api-key-is-not-read": Row(
        ("credential-style",),
        environ={"ANTHROPIC_BASE_URL": "@url@", "ANTHROPIC_API_KEY": KEY},
        serve=gateway(reads=("authorization",)),
    ),
    "key-declined": Row(
        ("key-declined",),
        environ={"ANTHROPIC_BASE_URL": "@url@", "ANTHROPIC_API_KEY": KEY},
        files={STATE: json.dumps({"customApiKeyResponses": {"rejected": [KEY[-20:]]}})},
    ),
    "helper-fails": Row(
        ("helper-fails",),
        environ={"ANTHROPIC_BASE_URL": "@url@"},
        files={USER_SETTINGS: '{"apiKeyHelper": "echo session expired >&2; exit 3"}'},
    ),
    "helper-is-missing": Row(
        ("helper-fails",),
        environ={"ANTHROPIC_BASE_URL": "@url@"},
        files={USER_SETTINGS: '{"apiKeyHelper": "/no/such/program"}'},
    ),
    "helper-prints-a-banner": Row(
        ("helper-fails",),
        environ={"ANTHROPIC_BASE_URL": "@url@"},
        files={USER_SETTINGS: json.dumps({"apiKeyHelper": f"echo Welcome; echo {KEY}"})},
    ),
    "helper-hidden-by-a-stale-key": Row(
        ("credential-refused", "helper-unused"),
        environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": OTHER_KEY},
        files={USER_SETTINGS: json.dumps({"apiKeyHelper": f"echo {KEY}"})},
    ),
    "custom-header-replaces-the-key": Row(
        ("custom-header-overrides",),
        environ={**RIGHT, "ANTHROPIC_CUSTOM_HEADERS": f"Authorization: Bearer {OTHER_KEY}"},
    ),
    "custom-header-is-refused": Row(
        ("custom-headers-refused",),
        environ={**RIGHT, "ANTHROPIC_CUSTOM_HEADERS": "X-Org-Route: prod"},
        serve=gateway(forbids="x-org-route"),
    ),
    "beta-is-refused": Row(
        ("betas-refused",),
        environ={**RIGHT, "ANTHROPIC_BETAS": "context-1m-2025-08-07"},
        serve=gateway(forbids="anthropic-beta"),
    ),
    "custom-header-without-colon": Row(
        warns=("custom-headers-malformed",),
        environ={**RIGHT, "ANTHROPIC_CUSTOM_HEADERS": "X-Org-Route prod"},
    ),
}
"""Name → configuration."""
