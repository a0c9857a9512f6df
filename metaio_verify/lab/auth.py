"""Who may ask, and in which version of the API."""

from __future__ import annotations

import hmac

from metaio_verify.lab.conversation import LATEST_VERSION
from metaio_verify.lab.types import ApiError, Request

VERSIONS = ("2023-06-01", LATEST_VERSION)


def problem_of_credential(request: Request, key: str) -> ApiError | None:
    """Return why the request is not let in; one valid credential header is enough."""
    api_key = request.header("x-api-key")
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    if any(_same(given, key) for given in (api_key, bearer) if given):
        return None
    if not api_key and not bearer:
        return ApiError(401, "x-api-key header is required", rule="credential.missing")
    text = "invalid x-api-key" if api_key else "Invalid bearer token"
    return ApiError(401, text, rule="credential.invalid")


def problem_of_version(request: Request) -> ApiError | None:
    """Return what is wrong with `anthropic-version`."""
    version = request.header("anthropic-version")
    if version is None:
        return ApiError(400, "anthropic-version: header is required", rule="version.missing")
    if version not in VERSIONS:
        return ApiError(
            400, f'anthropic-version: "{version}" is not a valid version', rule="version.unknown"
        )
    return None


def _same(given: str, key: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), key.encode())
