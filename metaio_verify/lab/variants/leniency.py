"""Variants that accept what the API refuses, as local servers and gateways may."""

from __future__ import annotations

from metaio_verify.lab import variant
from metaio_verify.lab.types import Answer, ApiError, Request

_ALWAYS_REFUSED = (
    "body.",
    "credential.",
    "max_tokens.limit",
    "max_tokens.range",
    "max_tokens.type",
    "messages.empty",
    "messages.missing",
    "messages.role.",
    "messages.type",
    "method.wrong",
    "model.",
    "path.unknown",
    "prompt.too-long",
    "version.",
    "variant",
)
"""What no client may send, whatever the endpoint."""


@variant.refusal
def lenient_validation(refusal: ApiError, _request: Request) -> ApiError | None:
    """Only mistakes that every endpoint has to find are refused."""
    return refusal if refusal.rule.startswith(_ALWAYS_REFUSED) else None


@variant.refusal
def unknown_fields_accepted(refusal: ApiError, _request: Request) -> ApiError | None:
    """Fields that the endpoint does not know are ignored."""
    return None if refusal.rule.endswith(".extra") else refusal


@variant.refusal
def max_tokens_defaulted(refusal: ApiError, _request: Request) -> ApiError | None:
    """A message needs no max_tokens."""
    return None if refusal.rule == "max_tokens.missing" else refusal


@variant.refusal
def any_model_answered(refusal: ApiError, request: Request) -> ApiError | None:
    """A server of a single model answers under any name."""
    return None if refusal.rule == "model.unknown" and request.method == "POST" else refusal


@variant.refusal
def unknown_model_is_400(refusal: ApiError, request: Request) -> ApiError | None:
    """A model that is not there is refused as one that is not allowed: 400."""
    if refusal.rule == "model.unknown" and request.method == "POST":
        return ApiError(400, refusal.message, rule=refusal.rule)
    return refusal


@variant.refusal
def no_authentication(refusal: ApiError, _request: Request) -> ApiError | None:
    """A local server asks for no credential."""
    return None if refusal.rule.startswith("credential.") else refusal


@variant.refusal
def version_not_required(refusal: ApiError, _request: Request) -> ApiError | None:
    """Any API version, or none, will do."""
    return None if refusal.rule.startswith("version.") else refusal


@variant.refusal
def signatures_not_checked(refusal: ApiError, _request: Request) -> ApiError | None:
    """Thinking blocks may come back changed."""
    return None if refusal.rule in ("thinking.signature", "thinking.modified") else refusal


@variant.refusal
def wrong_method_is_404(refusal: ApiError, _request: Request) -> ApiError:
    """A wrong method finds no route."""
    return ApiError(404, "Not found", rule="path.unknown") if refusal.status == 405 else refusal


@variant.refusal
def unknown_path_is_plain_404(refusal: ApiError, _request: Request) -> ApiError | Answer:
    """The web framework answers unknown paths in its own words."""
    return (
        Answer.of_json({"detail": "Not Found"}, 404) if refusal.rule == "path.unknown" else refusal
    )


@variant.refusal
def unknown_path_redirects(refusal: ApiError, _request: Request) -> ApiError | Answer:
    """Whatever is not served leads to the sign-in page of the web interface."""
    if refusal.rule != "path.unknown":
        return refusal
    return Answer(302, [("location", "/login"), ("content-type", "text/html")])


@variant.refusal
def proxy_refuses_large_bodies(refusal: ApiError, _request: Request) -> ApiError | Answer:
    """A 413 comes from the front proxy, as a page."""
    if refusal.rule != "body.size":
        return refusal
    page = b"<html><body><h1>413 Request Entity Too Large</h1></body></html>"
    return Answer(413, [("content-type", "text/html")], page)
