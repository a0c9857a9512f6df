"""Broken configurations of the table: the base URL, and what overrides it."""

from __future__ import annotations

from doctor.loopback import (
    Reply,
    Seen,
    always,
    gateway,
    redirects,
)
from doctor.machines import (
    LOCAL_SETTINGS,
    MANAGED_SETTINGS,
    PROJECT_SETTINGS,
    STATE,
    TRUST,
    USER_SETTINGS,
)
from doctor.row import NO_URL, OTHER_KEY, OWN, RIGHT, Row, env


def _within(seen: Seen) -> str:
    return seen.target.replace("/old", "/new")


def _page(_: Seen) -> Reply:
    return Reply(200, "<html>Sign in</html>")


def _beta_lost(seen: Seen) -> Reply:
    return Reply(404, "gone") if "beta" in seen.target else gateway()(seen)


def _moved(seen: Seen) -> Reply:
    if seen.path.startswith("/old"):
        return redirects(_within)(seen)
    return gateway(prefix="/new")(seen)


ADDRESS = {
    # The base URL
    "base-url-unset": Row(("base-url-unset",), environ=NO_URL),
    "base-url-unset-and-wanted": Row(
        ("base-url-unset",), environ=NO_URL, wishes={"base_url": "@url@"}
    ),
    "base-url-emptied-by-settings": Row(
        ("base-url-unset", "setting-beats-shell"),
        files={USER_SETTINGS: env(ANTHROPIC_BASE_URL="")},
    ),
    "base-url-in-profile-of-an-older-terminal": Row(
        ("base-url-not-loaded",),
        environ=NO_URL,
        files={"/home/ada/.bashrc": "export ANTHROPIC_BASE_URL=https://gateway.example.com\n"},
    ),
    "base-url-not-exported": Row(
        ("base-url-not-loaded",),
        environ=NO_URL,
        files={"/home/ada/.bashrc": "ANTHROPIC_BASE_URL=https://gateway.example.com\n"},
    ),
    "base-url-in-profile-of-another-shell": Row(
        ("base-url-not-loaded",),
        environ=NO_URL,
        files={"/home/ada/.config/fish/config.fish": "set -gx ANTHROPIC_BASE_URL https://g.x\n"},
    ),
    "base-url-misspelt": Row(
        ("base-url-unset", "variable-misspelt"),
        environ={**NO_URL, "ANTHROPIC_API_BASE": "@url@"},
    ),
    "base-url-of-another-endpoint": Row(
        ("base-url-other",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "https://other.example.com"},
        wishes={"base_url": "@url@"},
    ),
    "base-url-with-v1": Row(
        ("base-url-with-v1",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/v1"}
    ),
    "base-url-with-v1-messages": Row(
        ("base-url-with-v1",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/v1/messages"}
    ),
    "base-url-with-quotes": Row(
        ("base-url-malformed",), environ={**RIGHT, "ANTHROPIC_BASE_URL": '"@url@"'}
    ),
    "base-url-with-space": Row(
        ("base-url-malformed",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@ "}
    ),
    "base-url-without-scheme": Row(
        ("base-url-malformed",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "127.0.0.1:@port@"}
    ),
    "base-url-with-password": Row(
        ("base-url-malformed",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://ada:hunter2@127.0.0.1:@port@"},
    ),
    "base-url-http-for-https": Row(
        ("base-url-http",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://127.0.0.1:@port@"},
        certificate=OWN,
    ),
    "base-url-https-for-http": Row(
        ("base-url-https",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "https://127.0.0.1:@port@"}
    ),
    "base-url-redirects-to-https": Row(
        ("base-url-http",), serve=redirects(lambda s: f"https://{s.headers['host']}{s.target}", 301)
    ),
    "base-url-redirects-elsewhere": Row(
        ("base-url-redirects",), serve=redirects(lambda s: f"https://new.example.com{s.target}")
    ),
    "base-url-redirects-within": Row(
        ("base-url-redirects",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/old"},
        serve=_moved,
    ),
    "base-url-redirects-to-sign-in": Row(
        ("base-url-redirects",), serve=redirects(lambda _: "https://sso.example.com/login", 302)
    ),
    "api-below-a-prefix": Row(("base-url-other-path",), serve=gateway(prefix="/anthropic")),
    "base-url-with-a-path-too-many": Row(
        ("base-url-other-path",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/openai"}
    ),
    "no-anthropic-api": Row(("no-messages-api",), serve=always(404, {"detail": "Not Found"})),
    "a-web-page": Row(("no-messages-api",), serve=_page),
    "beta-query-not-routed": Row(("beta-query-not-routed",), serve=_beta_lost),
    "nobody-listens": Row(
        ("endpoint-unreachable",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://127.0.0.1:@closed@"},
    ),
    "host-misspelt": Row(
        ("host-not-found",), environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://gateway.invalid"}
    ),
    # What overrides
    "bedrock-overrides": Row(
        ("provider-overrides",), environ={**RIGHT, "CLAUDE_CODE_USE_BEDROCK": "1"}
    ),
    "vertex-overrides-from-settings": Row(
        ("provider-overrides",), files={USER_SETTINGS: env(CLAUDE_CODE_USE_VERTEX="true")}
    ),
    "foundry-overrides": Row(
        ("provider-overrides",), environ={**RIGHT, "CLAUDE_CODE_USE_FOUNDRY": "1"}
    ),
    "stale-url-in-settings": Row(
        ("endpoint-unreachable", "setting-beats-shell"),
        files={USER_SETTINGS: env(ANTHROPIC_BASE_URL="http://127.0.0.1:@closed@")},
    ),
    "stale-key-in-local-settings": Row(
        ("credential-refused", "setting-beats-shell"),
        files={LOCAL_SETTINGS: env(ANTHROPIC_AUTH_TOKEN=OTHER_KEY), STATE: TRUST},
    ),
    "managed-url": Row(
        ("endpoint-unreachable", "setting-beats-shell"),
        files={MANAGED_SETTINGS: env(ANTHROPIC_BASE_URL="http://127.0.0.1:@closed@")},
    ),
    "managed-login": Row(
        ("login-demanded",), files={MANAGED_SETTINGS: '{"forceLoginMethod": "claudeai"}'}
    ),
    "host-owns-the-endpoint": Row(
        ("managed-by-host", "base-url-unset"),
        environ={"CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST": "1"},
        files={USER_SETTINGS: env(**RIGHT)},
    ),
    "other-config-dir": Row(
        ("base-url-unset", "config-dir-elsewhere"),
        environ={"CLAUDE_CONFIG_DIR": "/home/ada/.claude-work"},
        files={USER_SETTINGS: env(**RIGHT)},
    ),
    "settings-in-folder-above": Row(
        ("base-url-unset", "settings-in-folder-above"),
        environ={},
        files={PROJECT_SETTINGS: env(**RIGHT), STATE: TRUST},
        cwd="/home/ada/project/src",
    ),
    "folder-not-trusted": Row(
        ("folder-not-trusted",), environ=NO_URL, files={PROJECT_SETTINGS: env(**RIGHT)}
    ),
    "session-older-than-the-export": Row(
        warns=("session-older-than-shell",),
        files={"/proc/4711/cmdline": "claude\0", "/proc/4711/environ": "HOME=/home/ada\0"},
    ),
    # Settings files
    "settings-with-trailing-comma": Row(
        ("base-url-unset", "settings-not-json"),
        environ={},
        files={USER_SETTINGS: '{\n  "env": {\n    "ANTHROPIC_BASE_URL": "@url@",\n  }\n}'},
    ),
    "settings-with-comment": Row(
        ("base-url-unset", "settings-not-json"),
        environ={},
        files={USER_SETTINGS: '{\n  // mine\n  "env": {"ANTHROPIC_BASE_URL": "@url@"}\n}'},
    ),
    "settings-with-curly-quotes": Row(
        ("base-url-unset", "settings-not-json"),
        environ={},
        files={USER_SETTINGS: '{“env”: {"ANTHROPIC_BASE_URL": "@url@"}}'},
    ),
    "variable-beside-env": Row(
        ("base-url-unset", "settings-variable-outside-env"),
        environ=NO_URL,
        files={USER_SETTINGS: '{"ANTHROPIC_BASE_URL": "@url@"}'},
    ),
    "env-twice": Row(
        ("base-url-unset", "settings-duplicate-key"),
        environ=NO_URL,
        files={USER_SETTINGS: '{"env": {"ANTHROPIC_BASE_URL": "@url@"}, "env": {}}'},
    ),
    "env-is-no-object": Row(
        ("base-url-unset", "settings-env-no-object"),
        environ=NO_URL,
        files={USER_SETTINGS: '{"env": "ANTHROPIC_BASE_URL=@url@"}'},
    ),
    "value-is-no-text": Row(
        ("base-url-unset", "settings-value-no-text"),
        environ=NO_URL,
        files={USER_SETTINGS: '{"env": {"ANTHROPIC_BASE_URL": ["@url@"]}}'},
    ),
    "settings-in-another-encoding": Row(
        ("base-url-unset", "settings-unreadable"),
        environ={},
        files={USER_SETTINGS: '{"env": {"ANTHROPIC_BASE_URL": "@url@", "NAME": "\udce9"}}'},
    ),
}
"""Name → configuration."""
