"""Faults of paths, methods, redirects and of what answers in place of the API."""

from __future__ import annotations

import gzip
from dataclasses import replace

from metaio_verify.lab import fault
from metaio_verify.lab.rawline import raw
from metaio_verify.lab.types import Answer, ApiError, Request

_PAGE = b"<!doctype html><title>Gateway console</title><p>Sign in to continue."
_HTML = [("content-type", "text/html; charset=utf-8")]
_JSON = [("content-type", "application/json")]
_GET_MESSAGES = ("GET", "/v1/messages")


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
    if refusal.rule == "method.wrong" and (request.method, request.path) == _GET_MESSAGES:
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


# --- bodies -------------------------------------------------------------------------------------

_MIB = 1024 * 1024
_LONG_STREAM = 60
"""Pieces of a stream that is long enough for its arrival to be seen."""


@fault.request
def tags_blocked(request: Request) -> Request | Answer:
    """A firewall answers 403 with a page when a body holds a script tag."""
    if request.is_messages and b"<script>" in request.body:
        return Answer(403, [*_HTML], b"<html><title>403 Forbidden</title></html>")
    return request


@fault.request
def system_prompt_filtered(request: Request) -> Request | Answer:
    """A filter takes the reminders in a plain system prompt for a client that is not allowed."""
    body = request.json if request.is_messages else None
    system = body.get("system") if isinstance(body, dict) else None
    if not (isinstance(system, str) and "<system-reminder>" in system):
        return request
    error = {"code": 11128, "message": "Illegal invocation from an unapproved channel"}
    return Answer.of_json({"error": error}, 400)


def _too_large() -> Answer:
    page = b"<html><title>413 Request Entity Too Large</title></html>"
    return Answer(413, [*_HTML], page)


@fault.request
def bodies_over_1mb_refused(request: Request) -> Request | Answer:
    """The proxy in front refuses bodies of more than 1 MiB, which is its default."""
    return _too_large() if len(request.body) > _MIB else request


@fault.request
def bodies_over_4mb_refused(request: Request) -> Request | Answer:
    """The proxy in front refuses bodies of more than 4 MiB."""
    return _too_large() if len(request.body) > 4 * _MIB else request


@fault.refusal
def too_large_body_crashes(refusal: ApiError, _request: Request) -> ApiError:
    """A body above the limit is answered 500."""
    if refusal.rule == "body.size":
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


@fault.request
def chunked_body_refused(request: Request) -> Request | Answer:
    """A body without a content-length is refused with 411."""
    if request.header("transfer-encoding") is None:
        return request
    return Answer(411, [*_HTML], b"<html><title>411 Length Required</title></html>")


# --- codings and connections --------------------------------------------------------------------


@fault.answer
def compression_forced(answer: Answer, request: Request) -> Answer:
    """The list of models is compressed, whether the client takes that or not."""
    if not (request.is_models and answer.status == 200):
        return answer
    packed = replace(answer, body=gzip.compress(answer.body, mtime=0))
    return packed.with_header("content-encoding", "gzip")


@fault.answer
def not_found_labelled_gzip(answer: Answer, request: Request) -> Answer:
    """The 404 of an unknown path keeps the upstream's label gzip, and is plain."""
    if answer.status == 404 and "no-such-path" in request.path:
        return answer.with_header("content-encoding", "gzip")
    return answer


@fault.answer
def stream_compressed_in_one_block(answer: Answer, _request: Request) -> Answer:
    """A long stream is compressed as a whole, and comes when it is finished."""
    pieces = answer.stream or []
    if len(pieces) < _LONG_STREAM:
        return answer
    packed = gzip.compress(b"".join(part for part in pieces if isinstance(part, bytes)), mtime=0)
    return replace(answer, stream=[1.1, packed]).with_header("content-encoding", "gzip")


@fault.answer
def connection_closed(answer: Answer, request: Request) -> Answer:
    """The connection is closed after each plain answer to a message."""
    if request.is_messages and answer.stream is None:
        return answer.with_header("connection", "close")
    return answer


@fault.answer
def length_beside_chunks(answer: Answer, request: Request) -> Answer:
    """A plain message comes in chunks and keeps the upstream's `content-length`."""
    if not (request.is_messages and answer.stream is None and answer.status == 200):
        return answer
    kept = [*answer.headers, raw(f"content-length: {len(answer.body)}")]
    return replace(answer, headers=kept, stream=[answer.body])


@fault.address
def base_url_published_without_tls(url: str) -> str:
    """The base URL is http, on an address that is not this machine's own."""
    return url.replace("//127.0.0.1:", "//0.0.0.0:")


# --- load ---------------------------------------------------------------------------------------


def second_of_user(request: Request, fault_id: str) -> bool:
    """Whether a message of one token is not the first of its user, as in a burst of them."""
    body = request.json if request.is_messages else None
    if not isinstance(body, dict) or body.get("max_tokens") != 1:
        return False
    metadata = body.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    if not isinstance(user, str):
        return False
    seen: set[str] = request.memory.setdefault(fault_id, set())
    if user in seen:
        return True
    seen.add(user)
    return False


@fault.request
def parallel_streams_queued(request: Request) -> Request | Answer:
    """The second tiny stream of a user is put into a queue, with a 202 that says so."""
    if request.wants_stream and second_of_user(request, "parallel-streams-queued"):
        return Answer.of_json({"event": "queued", "position": 1}, 202)
    return request


@fault.request
def overload_crashes(request: Request) -> Request | Answer:
    """The second tiny message of a user is answered 503 with a page."""
    if second_of_user(request, "overload-crashes"):
        return Answer(503, [*_HTML], b"<html><title>503 Service Unavailable</title></html>")
    return request


# --- optional routes ----------------------------------------------------------------------------


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and request.path == "/v1/messages"


@fault.request
def preflight_incomplete(request: Request) -> Request | Answer:
    """The preflight allows every origin, but not the headers of the SDK."""
    if not _is_preflight(request):
        return request
    allowed = [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", "authorization, content-type"),
    ]
    return Answer(204, allowed)


@fault.request
def preflight_echoes_origin(request: Request) -> Request | Answer:
    """The preflight allows whatever origin and headers ask."""
    if not _is_preflight(request):
        return request
    asked = request.header("access-control-request-headers") or ""
    allowed = [
        ("access-control-allow-origin", request.header("origin") or "*"),
        ("access-control-allow-headers", asked),
    ]
    return Answer(204, allowed)


def _is_batches(request: Request) -> bool:
    return request.method == "GET" and request.path == "/v1/messages/batches"


@fault.request
def batches_crash(request: Request) -> Request | ApiError:
    """The list of message batches is answered 500."""
    if _is_batches(request):
        return ApiError(500, "Internal server error", rule="batches.crash")
    return request


@fault.request
def batches_answered_200(request: Request) -> Request | Answer:
    """The list of message batches is 200 without a list."""
    return Answer.of_json({"message": "ok"}) if _is_batches(request) else request


@fault.request
def side_route_crashes(request: Request) -> Request | ApiError:
    """Unknown routes below `/api` are answered 502, because they are sent to an upstream."""
    if request.path.startswith("/api/") and request.method == "POST":
        return ApiError(502, "Bad gateway", rule="route.crash", type="api_error")
    return request
