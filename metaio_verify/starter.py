"""The configuration that `init` writes, with what the environment says except for secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from metaio_verify.errors import UserError
from metaio_verify.probe.target import parse_base_url

_EXAMPLE = "https://gateway.example.com"

_TEXT = """\
# metaio-verify: what `metaio-verify check` verifies in this folder.
# Flags win over the environment, and the environment over this file. Each key is optional.

# The address that customers set: without /v1.
{base_url}

# A file is no place for a key: this names the environment variable that holds it.
{api_key_env}

# How the key is sent: auto finds out which header works; or x-api-key, bearer.
# auth: auto

# Model ids; `all` for every model that discovery lists. Without any: the first that answers.
{models}

# What is checked: quick, onboarding, claude-code, sdk, gateway or full. What a profile holds is
# listed by `metaio-verify checks list --profile quick`.
profile: full
# only: [auth.*, streaming.*]
# skip: [models.picker-ids]
# tags: [heavy]            # adds costly checks
# checks: [my-checks/]     # check files of your own
# strict: true             # a should-check fails the run, too
# baseline: baseline.yaml  # known deviations that may stay until a day

# Reports: FORMAT=PATH.
reports:
  - markdown=onboarding.md
  - json=run.json

# How it is run; times are in seconds.
# concurrency: 8
# timeout: 60              # longest wait for the next byte
# request-timeout: 120     # for a request and its whole answer
# run-timeout: 900         # for the run
# ca-bundle: company-ca.pem

# Several endpoints: `metaio-verify check --target staging`, or `--target all`. A target has what
# stands above, unless it says something else; each needs an address. Reports of several targets
# need {{target}} in their path.
#
# targets:
#   staging:
#     base-url: https://staging.example.com
#     api-key-env: STAGING_TOKEN
#     profile: quick
#     reports: ["json=run-{{target}}.json"]
#   production:
#     base-url: https://gateway.example.com
#     api-key-env: PRODUCTION_TOKEN
#     models: [all]
#     reports: ["json=run-{{target}}.json", "markdown=onboarding-{{target}}.md"]
"""


def starter(environ: Mapping[str, str] = os.environ) -> str:
    """Return the text of a configuration to begin with."""
    base_url = _address(environ.get("ANTHROPIC_BASE_URL", "").strip())
    model = environ.get("ANTHROPIC_MODEL", "").strip()
    key = next((name for name in _KEYS if environ.get(name, "").strip()), None)
    secrets = [value for name in _KEYS if (value := environ.get(name, "").strip())]
    known = model and not any(secret in model for secret in secrets)
    return _TEXT.format(
        base_url=f"base-url: {base_url}" if base_url else f"base-url: {_EXAMPLE}",
        api_key_env=f"api-key-env: {key}" if key else f"# api-key-env: {_KEYS[0]}",
        models=f"models: [{_quoted(model)}]" if known else "# models: [all]",
    )


_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


def _address(text: str) -> str:
    """Return an address that holds neither a credential nor anything that YAML would act on."""
    try:
        url = parse_base_url(text)
    except UserError:
        return ""
    return str(url.without_mistake() or url)


def _quoted(text: str) -> str:
    """Return a YAML scalar; JSON's strings are YAML's, too."""
    return msgspec.json.encode(text).decode()
