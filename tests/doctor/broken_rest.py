"""Broken configurations of the table: the network, models, the endpoint, Claude Code."""

from __future__ import annotations

from doctor.loopback import (
    KEY,
    Serve,
    always,
    gateway,
    relay,
)
from doctor.machines import (
    USER_SETTINGS,
)
from doctor.row import OWN, RIGHT, Row


def _through(port: int) -> Serve:
    return relay(port)


def _refusing(_: int) -> Serve:
    return always(502, "<html>Bad gateway</html>")


def _locked(_: int) -> Serve:
    return always(407, "")


REST = {
    # The way
    "proxy-in-the-way": Row(
        ("proxy-in-the-way",), environ={**RIGHT, "HTTPS_PROXY": "@proxy@"}, proxy=_refusing
    ),
    "proxy-is-gone": Row(
        ("proxy-in-the-way",), environ={**RIGHT, "HTTP_PROXY": "http://127.0.0.1:@closed@"}
    ),
    "proxy-is-gone-and-so-is-the-endpoint": Row(
        ("proxy-fails",),
        environ={
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:@closed@",
            "ANTHROPIC_AUTH_TOKEN": KEY,
            "HTTP_PROXY": "http://127.0.0.1:@closed@",
        },
    ),
    "proxy-wants-a-password": Row(
        ("proxy-credential",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "http://gw.invalid", "HTTP_PROXY": "@proxy@"},
        proxy=_locked,
    ),
    "no-proxy-keeps-off-the-proxy": Row(
        ("no-proxy-in-the-way",),
        environ={
            **RIGHT,
            "ANTHROPIC_BASE_URL": "http://gateway.invalid",
            "HTTP_PROXY": "@proxy@",
            "NO_PROXY": "localhost,.invalid",
        },
        proxy=_through,
    ),
    "socks-proxy": Row(
        ("proxy-unusable",), environ={**RIGHT, "HTTPS_PROXY": "socks5://127.0.0.1:1080"}
    ),
    "proxy-without-scheme": Row(
        ("proxy-unusable",), environ={**RIGHT, "https_proxy": "proxy.example.com:8080"}
    ),
    "private-authority": Row(("ca-unknown",), certificate=OWN),
    "private-authority-of-another-program": Row(
        ("ca-unknown",),
        environ={**RIGHT, "SSL_CERT_FILE": "/etc/certificates/authority.pem"},
        certificate=OWN,
    ),
    "another-authority": Row(
        ("ca-unknown",),
        environ={**RIGHT, "NODE_EXTRA_CA_CERTS": "/etc/certificates/other-authority.pem"},
        certificate=OWN,
    ),
    "certificate-of-another-host": Row(
        ("certificate-invalid",),
        environ={**RIGHT, "NODE_EXTRA_CA_CERTS": "/etc/certificates/authority.pem"},
        certificate="of-another-host.pem",
    ),
    "authority-file-missing": Row(
        ("ca-unknown", "ca-file-unusable"),
        environ={**RIGHT, "NODE_EXTRA_CA_CERTS": "/etc/certificates/lost.pem"},
        certificate=OWN,
    ),
    "authority-file-is-no-pem": Row(
        warns=("ca-file-unusable",),
        environ={**RIGHT, "NODE_EXTRA_CA_CERTS": "/home/ada/ca.der"},
        files={"/home/ada/ca.der": "0\x82\x01"},
    ),
    "certificates-unchecked": Row(
        warns=("tls-unchecked",), environ={**RIGHT, "NODE_TLS_REJECT_UNAUTHORIZED": "0"}
    ),
    "timeout-in-seconds": Row(
        warns=("timeout-unusable",), environ={**RIGHT, "API_TIMEOUT_MS": "600"}
    ),
    "blocked-by-a-firewall": Row(
        ("blocked-on-the-way",), serve=always(403, "<html>Forbidden</html>")
    ),
    # Models
    "default-model-unknown": Row(
        ("default-model-unknown",),
        ("background-model-unknown",),
        serve=gateway(models=("gpt-5.4",), listed=("gpt-5.4",)),
    ),
    "model-misspelt": Row(
        ("model-unknown",), environ={**RIGHT, "ANTHROPIC_MODEL": "claude-opus-55"}
    ),
    "model-of-a-settings-file": Row(
        ("model-unknown",), files={USER_SETTINGS: '{"model": "claude-opus-4-0"}'}
    ),
    "model-of-the-command-line": Row(("model-unknown",), wishes={"model": "no-such-model"}),
    "model-denied": Row(
        ("model-denied",),
        environ={**RIGHT, "ANTHROPIC_MODEL": "claude-fable-5-2"},
        serve=gateway(denied=("claude-fable-5-2",)),
    ),
    "alias-pinned-to-an-unknown-model": Row(
        ("model-unknown",),
        environ={
            **RIGHT,
            "ANTHROPIC_MODEL": "sonnet",
            "ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-sonnet-4",
        },
    ),
    "model-list-empty": Row(
        ("model-list-empty", "default-model-unknown"), serve=gateway(models=(), listed=())
    ),
    "model-list-empty-though-one-answers": Row(
        warns=("model-list-empty",), serve=gateway(listed=())
    ),
    "background-model-unknown": Row(
        warns=("background-model-unknown",), serve=gateway(models=("claude-opus-5-5",))
    ),
    "background-model-of-the-old-variable": Row(
        warns=("background-model-unknown",),
        environ={**RIGHT, "ANTHROPIC_SMALL_FAST_MODEL": "claude-3-haiku"},
    ),
    "sub-agent-model-unknown": Row(
        warns=("further-model-unknown",),
        environ={**RIGHT, "CLAUDE_CODE_SUBAGENT_MODEL": "claude-sonnet-4"},
    ),
    "model-outside-available-models": Row(
        warns=("model-not-available",),
        environ={**RIGHT, "ANTHROPIC_MODEL": "claude-opus-5-5"},
        files={USER_SETTINGS: '{"availableModels": ["sonnet", "haiku"]}'},
    ),
    "discovery-silenced": Row(
        warns=("discovery-off",),
        environ={
            **RIGHT,
            "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
    ),
    "discovery-without-a-list": Row(
        warns=("discovery-fails",),
        environ={**RIGHT, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"},
        serve=gateway(listed=None),
    ),
    "discovery-that-shows-nothing": Row(
        warns=("discovery-hides-models",),
        environ={**RIGHT, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"},
        serve=gateway(listed=("gpt-5.4",)),
    ),
    # The endpoint and the client
    "out-of-credit": Row(
        ("out-of-credit",), serve=always(402, {"error": {"message": "insufficient balance"}})
    ),
    "rate-limited": Row(
        ("endpoint-busy",), serve=always(429, {"error": {"message": "too many requests"}})
    ),
    "endpoint-crashes": Row(
        ("endpoint-fails",), serve=always(500, {"error": {"message": "internal error"}})
    ),
    "old-client": Row(
        warns=("client-old",),
        environ={**RIGHT, "PATH": "/opt/claude:/usr/bin:/bin"},
        files={"/opt/claude/claude": "#!/bin/sh\necho '2.1.150 (Claude Code)'\n"},
    ),
    # Several at once
    "three-at-once": Row(
        ("base-url-with-v1", "credential-style", "default-model-unknown"),
        ("background-model-unknown",),
        environ={**RIGHT, "ANTHROPIC_BASE_URL": "@url@/v1"},
        serve=gateway(reads=("x-api-key",), models=("gpt-5.4",), listed=("gpt-5.4",)),
    ),
}
"""Name → configuration."""
