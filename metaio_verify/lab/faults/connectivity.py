"""Faults of paths, methods, redirects and of what answers in place of the API."""

from __future__ import annotations

from dataclasses import replace

from metaio_verify.lab import fault
from metaio_verify.lab.types import Answer, ApiError, Request

_PAGE = b"<!doctype html><title>Gateway console</title><p>Sign in to continue."
_HTML = [("content-type", "text/html; charset=utf-8")]
_JSON = [("content-type", "application/json")]


def _lacks_betas(request: Request) -> bool:
    """Whether it is a message with `?beta=true`, not streamed and without `anthropic-beta`."""
    return (
        request.is_messages
        and "beta" in request.query
        and request.header("anthropic-beta") is None
        and not request.wants_stream
    )


@fault.request
def messages_route_missing(request: Request) -> Request | Answer:
    """`POST /v1/messages` is answered 404 by the web server, in plain text."""
    if not request.is_messages:
        return request
    return Answer(404, [("content-type", "text/plain")], b"404 page not found\n")


@fault.request
def messages_relay_mode_unsupported(request: Request) -> Request | Answer:
    """`POST /v1/messages` is answered 500, because the gateway knows no such kind of relay."""
    if not request.is_messages:
        return request
    text = "the relay mode of this path is not supported"
    return Answer.of_json({"error": {"message": text, "type": "gateway_error", "code": ""}}, 500)


@fault.request
def messages_redirected(request: Request) -> Request | Answer:
    """`POST /v1/messages` is redirected to another host with 307."""
    if not request.is_messages:
        return request
    return Answer(307, [("location", "https://gateway.example.com/v1/messages")])


@fault.request
def api_below_another_prefix(request: Request) -> Request:
    """Messages are mounted below `/anthropic`; below the base URL there is only the model list."""
    before, found, below = request.path.partition("/anthropic")
    if found and not before:
        return replace(request, path=below)
    return replace(request, path="/nowhere") if request.is_messages else request


@fault.address
def base_url_published_with_v1(url: str) -> str:
    """The base URL is published with `/v1`, which clients append once more."""
    return f"{url}/v1"


@fault.request
def beta_query_not_routed(request: Request) -> Request | Answer:
    """`?beta=true` leads to another route, which is missing unless `anthropic-beta` is sent too."""
    if not _lacks_betas(request):
        return request
    text = "Route POST:/v1/messages?beta=true not found"
    return Answer.of_json({"message": text, "error": "Not Found", "statusCode": 404}, 404)


@fault.request
def beta_query_empty_200(request: Request) -> Request | Answer:
    """A message with `?beta=true` is answered 200 with an empty body."""
    return Answer(200, [*_JSON]) if _lacks_betas(request) else request


@fault.request
def beta_query_html_200(request: Request) -> Request | Answer:
    """A message with `?beta=true` is answered 200 with the sign-in page of the gateway."""
    return Answer(200, [*_HTML], _PAGE) if _lacks_betas(request) else request


@fault.request
def discovery_redirected(request: Request) -> Request | Answer:
    """`GET /v1/models?limit=1000` is redirected to the same path with a trailing slash."""
    if not (request.is_models and request.query.get("limit") == "1000"):
        return request
    return Answer(307, [("location", "/v1/models/?limit=1000")])


@fault.answer
def start_up_probe_hangs(answer: Answer, request: Request) -> Answer:
    """`HEAD` requests are answered after more than 5 seconds."""
    return replace(answer, delay=5.1) if request.method == "HEAD" else answer


@fault.answer
def unknown_path_answered_200(answer: Answer, request: Request) -> Answer:
    """A catch-all answers unknown paths with a page and status 200."""
    if answer.status != 404 or request.is_messages or request.path.startswith("/v1/models"):
        return answer
    return replace(answer, status=200, headers=[*_HTML], body=_PAGE)


@fault.answer
def unknown_path_without_envelope(answer: Answer, request: Request) -> Answer:
    """Unknown paths are answered 404 in the shape of a web framework."""
    if answer.status != 404 or request.is_messages or request.path.startswith("/v1/models"):
        return answer
    return answer.with_json({"detail": "Not Found"})


@fault.refusal
def get_messages_answered_200(refusal: ApiError, request: Request) -> ApiError | Answer:
    """`GET /v1/messages` is answered 200."""
    if refusal.rule == "method.wrong" and request.path == "/v1/messages":
        return Answer.of_json({"message": "Use POST."})
    return refusal


@fault.refusal
def get_messages_crashes(refusal: ApiError, request: Request) -> ApiError:
    """`GET /v1/messages` is answered 500."""
    if refusal.rule == "method.wrong" and request.path == "/v1/messages":
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal
