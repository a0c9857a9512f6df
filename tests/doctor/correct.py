"""Correct configurations of the table, in all the forms that people use."""

from __future__ import annotations

import json

from doctor.loopback import (
    KEY,
    Reply,
    Seen,
    Serve,
    error,
    gateway,
    message,
    relay,
)
from doctor.machines import (
    LOCAL_SETTINGS,
    MANAGED_SETTINGS,
    PROJECT_SETTINGS,
    STATE,
    TRUST,
    USER_SETTINGS,
)
from doctor.row import CONSOLE_KEY, NO_URL, OWN, RIGHT, Row, env


def _aliased(seen: Seen) -> Reply:
    target = seen.target.replace("/v1/v1", "/v1")
    return gateway()(Seen(seen.method, target, seen.headers, seen.body))


def _custom_is_key(seen: Seen) -> Reply:
    if seen.headers.get("x-tenant-key") != KEY:
        return error(401, "no tenant", "authentication_error")
    return message()


def _through(port: int) -> Serve:
    return relay(port)


CORRECT = {
    "token-in-the-shell": Row(),
    "key-in-the-shell": Row(environ={"ANTHROPIC_BASE_URL": "@url@", "ANTHROPIC_API_KEY": KEY}),
    "both-alike": Row(environ={**RIGHT, "ANTHROPIC_API_KEY": KEY}),
    "wanted-and-set": Row(wishes={"base_url": "@url@"}),
    "trailing-slash": Row(environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/"}),
    "user-settings": Row(environ={}, files={USER_SETTINGS: env(**RIGHT)}),
    "project-settings": Row(environ={}, files={PROJECT_SETTINGS: env(**RIGHT), STATE: TRUST}),
    "local-settings-with-models": Row(
        environ={},
        files={
            LOCAL_SETTINGS: env(
                **RIGHT, ANTHROPIC_MODEL="gpt", ANTHROPIC_DEFAULT_HAIKU_MODEL="gpt"
            ),
            STATE: TRUST,
        },
        serve=gateway(models=("gpt",), listed=("gpt",)),
    ),
    "managed-settings": Row(environ={}, files={MANAGED_SETTINGS: env(**RIGHT)}),
    "managed-drop-in": Row(
        environ=NO_URL,
        files={
            "/etc/claude-code/managed-settings.d/10-gateway.json": env(ANTHROPIC_BASE_URL="@url@")
        },
    ),
    "command-line-settings": Row(
        environ=NO_URL, wishes={"settings": '{"env": {"ANTHROPIC_BASE_URL": "@url@"}}'}
    ),
    "same-value-in-shell-and-settings": Row(files={USER_SETTINGS: env(**RIGHT)}),
    "team-url-and-own-token": Row(
        environ=NO_URL, files={PROJECT_SETTINGS: env(ANTHROPIC_BASE_URL="@url@"), STATE: TRUST}
    ),
    "url-below-a-prefix": Row(
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/anthropic"},
        serve=gateway(prefix="/anthropic"),
    ),
    "endpoint-that-aliases-v1": Row(
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/v1"}, serve=_aliased
    ),
    "console-key-that-is-passed-on": Row(
        environ={"ANTHROPIC_BASE_URL": "@url@", "ANTHROPIC_API_KEY": CONSOLE_KEY},
        serve=gateway(key=CONSOLE_KEY),
    ),
    "no-model-list": Row(serve=gateway(listed=None)),
    "alias-in-the-settings": Row(files={USER_SETTINGS: '{"model": "opus[1m]"}'}),
    "provider-switched-off": Row(environ={**RIGHT, "CLAUDE_CODE_USE_BEDROCK": "0"}),
    "provider-cancelled-by-settings": Row(
        environ={**RIGHT, "CLAUDE_CODE_USE_BEDROCK": "0"},
        files={USER_SETTINGS: env(CLAUDE_CODE_USE_VERTEX="")},
    ),
    "helper": Row(
        environ={"ANTHROPIC_BASE_URL": "@url@"},
        files={USER_SETTINGS: json.dumps({"apiKeyHelper": f"echo {KEY}"})},
    ),
    "helper-beside-a-token": Row(files={USER_SETTINGS: '{"apiKeyHelper": "exit 1"}'}),
    "custom-header": Row(environ={**RIGHT, "ANTHROPIC_CUSTOM_HEADERS": "X-Org-Route: prod"}),
    "token-in-a-custom-header": Row(
        environ={
            "ANTHROPIC_BASE_URL": "@url@",
            "ANTHROPIC_CUSTOM_HEADERS": f"X-Tenant-Key: {KEY}",
            "ANTHROPIC_AUTH_TOKEN": "unused",
        },
        serve=_custom_is_key,
    ),
    "endpoint-without-keys": Row(
        environ={**RIGHT, "ANTHROPIC_AUTH_TOKEN": "ollama"}, serve=gateway(key=None)
    ),
    "private-authority-that-is-named": Row(
        environ={**RIGHT, "NODE_EXTRA_CA_CERTS": "/etc/certificates/authority.pem"}, certificate=OWN
    ),
    "proxy-that-works": Row(environ={**RIGHT, "HTTP_PROXY": "@proxy@"}, proxy=_through),
    "proxy-with-password-that-works": Row(
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://gateway.invalid"}
        | {"HTTPS_PROXY": "http://ada:hunter2-proxy-password@127.0.0.1:@proxyport@"},
        proxy=_through,
    ),
    "proxy-and-no-proxy": Row(
        environ={**RIGHT, "HTTPS_PROXY": "http://127.0.0.1:@closed@", "NO_PROXY": "127.0.0.1"}
    ),
    "new-client-and-new-session": Row(
        environ={**RIGHT, "PATH": "/opt/claude:/usr/bin:/bin"},
        files={
            "/opt/claude/claude": "#!/bin/sh\necho '2.1.330 (Claude Code)'\n",
            "/proc/4711/cmdline": "node\0/usr/bin/claude\0",
            "/proc/4711/environ": f"ANTHROPIC_BASE_URL=@url@\0ANTHROPIC_AUTH_TOKEN={KEY}\0",
        },
    ),
    "available-models": Row(
        environ={**RIGHT, "ANTHROPIC_MODEL": "opus"},
        files={USER_SETTINGS: '{"availableModels": ["opus", "haiku"]}'},
    ),
    "discovery": Row(environ={**RIGHT, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"}),
}
"""Name → configuration."""
