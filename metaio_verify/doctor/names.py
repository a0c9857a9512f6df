"""The names that Claude Code knows: variables, settings, models, and what people write instead."""

from __future__ import annotations

from typing import Final

BASE_URL: Final = "ANTHROPIC_BASE_URL"
API_KEY: Final = "ANTHROPIC_API_KEY"
AUTH_TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - a variable's name
OAUTH_TOKEN: Final = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - a variable's name
CUSTOM_HEADERS: Final = "ANTHROPIC_CUSTOM_HEADERS"
BETAS: Final = "ANTHROPIC_BETAS"
MODEL: Final = "ANTHROPIC_MODEL"
DEFAULT_MODEL: Final = "ANTHROPIC_DEFAULT_MODEL"
HAIKU_MODEL: Final = "ANTHROPIC_DEFAULT_HAIKU_MODEL"
SMALL_FAST_MODEL: Final = "ANTHROPIC_SMALL_FAST_MODEL"
SUBAGENT_MODEL: Final = "CLAUDE_CODE_SUBAGENT_MODEL"
CONFIG_DIR: Final = "CLAUDE_CONFIG_DIR"
CA_FILE: Final = "NODE_EXTRA_CA_CERTS"
CA_STORES: Final = "CLAUDE_CODE_CERT_STORE"
TLS_CHECK: Final = "NODE_TLS_REJECT_UNAUTHORIZED"
TIMEOUT: Final = "API_TIMEOUT_MS"
DISCOVERY: Final = "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"
NO_EXTRA_TRAFFIC: Final = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"
MANAGED_BY_HOST: Final = "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST"

HELPER: Final = "apiKeyHelper"

CREDENTIALS: Final = (AUTH_TOKEN, API_KEY)
SECRETS: Final = (API_KEY, AUTH_TOKEN, OAUTH_TOKEN)

PROVIDERS: Final = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Cloud's Agent Platform (Vertex AI)",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
    "CLAUDE_CODE_USE_MANTLE": "Amazon Bedrock (Mantle)",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS": "the Claude Platform on AWS",
}
"""Variables that send Claude Code elsewhere, whatever the base URL says."""

PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
"""In the order of Claude Code: the first one that is set counts, for http and https alike."""
NO_PROXY: Final = ("no_proxy", "NO_PROXY")

ALIASES: Final = {
    "opus": ("ANTHROPIC_DEFAULT_OPUS_MODEL", "claude-opus-5-5"),
    "sonnet": ("ANTHROPIC_DEFAULT_SONNET_MODEL", "claude-sonnet-5-5"),
    "haiku": (HAIKU_MODEL, "claude-haiku-5-5"),
    "fable": ("ANTHROPIC_DEFAULT_FABLE_MODEL", "claude-fable-5-2"),
}
"""Alias → the variable that says what it stands for, and what it stands for otherwise."""
DEFAULT_ALIAS: Final = "opus"
"""What a session with an API key starts on when nothing names a model."""
DEFAULTS_OF: Final = "2.1.330"
"""The version of Claude Code that the defaults above belong to."""

VARIABLES: Final = (
    BASE_URL,
    AUTH_TOKEN,
    API_KEY,
    OAUTH_TOKEN,
    CUSTOM_HEADERS,
    BETAS,
    MODEL,
    DEFAULT_MODEL,
    SMALL_FAST_MODEL,
    SUBAGENT_MODEL,
    *(variable for variable, _ in ALIASES.values()),
    *PROVIDERS,
    *PROXIES,
    *NO_PROXY,
    CA_FILE,
    CA_STORES,
    TLS_CHECK,
    TIMEOUT,
    DISCOVERY,
    NO_EXTRA_TRAFFIC,
    MANAGED_BY_HOST,
)
"""Everything that decides whether a message comes back, in the order of a report."""

SETTINGS: Final = (
    HELPER,
    "model",
    "availableModels",
    "enforceAvailableModels",
    "forceLoginMethod",
    "forceLoginOrgUUID",
)
"""The keys of a settings file that matter here, beside `env`."""

HARMLESS: Final = frozenset(
    {MODEL, DEFAULT_MODEL, SMALL_FAST_MODEL, SUBAGENT_MODEL, TIMEOUT, DISCOVERY, NO_EXTRA_TRAFFIC}
    | {variable for variable, _ in ALIASES.values()}
)
"""Variables that a project's settings may set before the folder is trusted."""

MISSPELT: Final = {
    "ANTHROPIC_URL": BASE_URL,
    "ANTHROPIC_BASEURL": BASE_URL,
    "ANTHROPIC_API_URL": BASE_URL,
    "ANTHROPIC_API_BASE": BASE_URL,
    "ANTHROPIC_API_BASE_URL": BASE_URL,
    "ANTHROPIC_ENDPOINT": BASE_URL,
    "ANTHROPIC_HOST": BASE_URL,
    "CLAUDE_BASE_URL": BASE_URL,
    "CLAUDE_CODE_BASE_URL": BASE_URL,
    "CLAUDE_API_BASE_URL": BASE_URL,
    "ANTHROPIC_APIKEY": API_KEY,
    "ANTHROPIC_KEY": API_KEY,
    "ANTHROPIC_API_TOKEN": API_KEY,
    "ANTROPIC_API_KEY": API_KEY,
    "CLAUDE_API_KEY": API_KEY,
    "CLAUDE_CODE_API_KEY": API_KEY,
    "ANTHROPIC_TOKEN": AUTH_TOKEN,
    "ANTHROPIC_AUTHTOKEN": AUTH_TOKEN,
    "ANTHROPIC_AUTH_KEY": AUTH_TOKEN,
    "CLAUDE_AUTH_TOKEN": AUTH_TOKEN,
}
"""What people write → what they mean."""

_ON = ("1", "true", "yes", "on")


def is_on(text: str) -> bool:
    """Whether the value of a switch turns it on."""
    return text.strip().lower() in _ON
