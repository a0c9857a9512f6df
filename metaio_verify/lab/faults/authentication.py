"""Faults of the credential headers."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from metaio_verify.lab import fault
from metaio_verify.lab.types import Answer, ApiError, Request

_CREDENTIAL_RULES = ("credential.missing", "credential.invalid")


def _carries_both(request: Request) -> bool:
    return request.header("x-api-key") is not None and request.header("authorization") is not None


def _given(request: Request) -> str:
    """The credential of a request, as it stands in its header."""
    return request.header("x-api-key") or request.header("authorization") or ""


def _is_credential(refusal: ApiError) -> bool:
    return refusal.rule in _CREDENTIAL_RULES


@fault.request
def auth_ignores_bearer(request: Request) -> Request:
    """The key is read from `x-api-key` only."""
    return request.without_header("authorization")


@fault.request
def auth_ignores_x_api_key(request: Request) -> Request:
    """The key is read from `Authorization` only."""
    return request.without_header("x-api-key")


@fault.request
def bearer_not_passed_on(request: Request) -> Request | Answer:
    """Messages fail when the key is a Bearer: it is sent to the upstream in its place."""
    if request.is_messages and request.header("x-api-key") is None and _given(request):
        refusal = ApiError(401, "invalid x-api-key", rule="credential.invalid")
        return refusal.answer().with_header("x-should-retry", "false")
    return request


@fault.request
def x_api_key_not_passed_on(request: Request) -> Request:
    """A plug-in in front of messages removes `x-api-key` when nothing else is sent."""
    if request.is_messages and request.header("authorization") is None:
        return request.without_header("x-api-key")
    return request


@fault.request
def both_headers_refused(request: Request) -> Request | ApiError:
    """A request with both credential headers is refused."""
    if _carries_both(request):
        return ApiError(400, "send either x-api-key or Authorization", rule="credential.both")
    return request


@fault.request
def stale_x_api_key_wins(request: Request) -> Request:
    """Of two credentials only `x-api-key` is looked at."""
    return request.without_header("authorization") if _carries_both(request) else request


@fault.request
def stale_bearer_wins(request: Request) -> Request:
    """Of two credentials only `Authorization` is looked at."""
    return request.without_header("x-api-key") if _carries_both(request) else request


@fault.refusal
def missing_key_answered_403(refusal: ApiError, _request: Request) -> ApiError:
    """A request without a credential is answered 403."""
    if refusal.rule == "credential.missing":
        return ApiError(403, "no API key was passed", rule=refusal.rule)
    return refusal


@fault.refusal
def missing_key_crashes(refusal: ApiError, _request: Request) -> ApiError:
    """A request without a credential is answered 500."""
    if refusal.rule == "credential.missing":
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


@fault.refusal
def wrong_key_answered_400(refusal: ApiError, _request: Request) -> ApiError:
    """A wrong key is answered 400, because the key store is not connected."""
    if refusal.rule == "credential.invalid":
        return ApiError(400, "no key store is connected", rule=refusal.rule)
    return refusal


@fault.refusal
def wrong_key_answered_403(refusal: ApiError, _request: Request) -> ApiError:
    """A wrong key is answered 403."""
    if refusal.rule == "credential.invalid":
        return ApiError(403, "this key is not allowed", rule=refusal.rule)
    return refusal


@fault.refusal
def wrong_bearer_crashes(refusal: ApiError, request: Request) -> ApiError:
    """A wrong key is answered 500 on messages when it comes as a Bearer."""
    is_bearer = request.header("x-api-key") is None
    if refusal.rule == "credential.invalid" and request.is_messages and is_bearer:
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


@fault.refusal
def any_key_accepted(refusal: ApiError, _request: Request) -> ApiError | None:
    """A credential has to be there, but nobody compares it with anything."""
    return None if refusal.rule == "credential.invalid" else refusal


@fault.refusal
def models_open_to_all(refusal: ApiError, request: Request) -> ApiError | None:
    """The model list needs no credential, though messages do."""
    return None if _is_credential(refusal) and request.is_models else refusal


@fault.refusal
def count_tokens_masks_wrong_key(refusal: ApiError, request: Request) -> ApiError | Answer:
    """A token count under a wrong key is answered with a local estimate."""
    if _is_credential(refusal) and request.is_count:
        return Answer.of_json({"input_tokens": 7})
    return refusal


@fault.refusal
def unauthorized_with_other_type(refusal: ApiError, _request: Request) -> ApiError:
    """A 401 says `auth_error`."""
    if _is_credential(refusal):
        return ApiError(401, refusal.message, rule=refusal.rule, type="auth_error")
    return refusal


@fault.refusal
def models_bearer_sent_to_other_vendor(refusal: ApiError, request: Request) -> ApiError | Answer:
    """The model list of a Bearer is asked of another vendor, whose 401 comes back."""
    if not (refusal.rule == "credential.invalid" and request.is_models):
        return refusal
    error = {
        "message": "Incorrect API key provided. You can find your key in the other console.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
    return Answer.of_json({"error": error}, 401)


@fault.refusal
def body_validated_before_key(refusal: ApiError, request: Request) -> ApiError:
    """A body that is no JSON is refused before the credential is looked at."""
    if _is_credential(refusal) and request.is_messages and request.json is None:
        return ApiError(400, "The request body is not valid JSON", rule="body.syntax")
    return refusal


@fault.request
def models_ignore_x_api_key(request: Request) -> Request:
    """The model list reads the key from `Authorization` only."""
    return request.without_header("x-api-key") if request.is_models else request


@fault.request
def models_ignore_bearer(request: Request) -> Request:
    """The model list reads the key from `x-api-key` only."""
    return request.without_header("authorization") if request.is_models else request


@fault.refusal
def key_echoed_in_error(refusal: ApiError, request: Request) -> ApiError:
    """A 401 repeats the key that was sent."""
    if refusal.rule == "credential.invalid":
        return ApiError(401, f"the key {_given(request)} is not known", rule=refusal.rule)
    return refusal


@fault.answer
def key_echoed_in_header(answer: Answer, request: Request) -> Answer:
    """Every answer repeats the credential in a header for debugging."""
    return answer.with_header("x-debug-credential", _given(request) or "none")


@fault.refusal
def key_hash_in_error(refusal: ApiError, request: Request) -> ApiError:
    """A 401 tells the key's hash and the table that was searched for it."""
    if refusal.rule != "credential.invalid":
        return refusal
    digest = sha256(_given(request).encode()).hexdigest()
    text = f"Key hash {digest} was not found in the table VerificationTokenTable"
    return ApiError(401, text, rule=refusal.rule)


@fault.answer
def unauthorized_in_openai_shape(answer: Answer, _request: Request) -> Answer:
    """A 401 has OpenAI's envelope, without the outer `type`."""
    if answer.status != 401:
        return answer
    error = {**answer.json["error"], "param": None, "code": "invalid_api_key"}
    return answer.with_json({"error": error})


@fault.request
def key_read_from_url(request: Request) -> Request:
    """Without a credential header the key is read from the query."""
    key = request.query.get("api_key") or request.query.get("key")
    if key is None or _given(request):
        return request
    return replace(request, headers=[*request.headers, ("x-api-key", key)])


@fault.answer
def unauthorized_invites_retry(answer: Answer, _request: Request) -> Answer:
    """A 401 does not say that repeating does not help."""
    return answer.with_header("x-should-retry", None)


@fault.refusal
def forbidden_with_other_type(refusal: ApiError, request: Request) -> ApiError:
    """A model that the key may not use is a 403 `forbidden`."""
    if request.is_messages and refusal.rule == "model.unknown" and "no-such" in refusal.message:
        return ApiError(403, refusal.message, rule=refusal.rule, type="forbidden")
    return refusal
