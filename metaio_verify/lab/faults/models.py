"""Faults of model discovery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from metaio_verify.lab import fault
from metaio_verify.lab.types import Answer, ApiError, Request

_RETIRED = {
    "type": "model",
    "id": "claude-lab-0",
    "display_name": "Claude Lab 0",
    "created_at": "2026-11-01T00:00:00Z",
}
_BY_ID = "/v1/models/"
_SEVERAL = 2


def _page(answer: Answer, request: Request) -> dict[str, Any] | None:
    """The model list of an answer; none when it is something else."""
    return answer.json if request.is_models and answer.status == 200 else None


def _with_entries(
    answer: Answer, request: Request, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Answer:
    """Change each entry of the model list."""
    page = _page(answer, request)
    if page is None:
        return answer
    return answer.with_json({**page, "data": [change(entry) for entry in page["data"]]})


def _without(request: Request, name: str) -> Request:
    """The same request without a part of its query."""
    return replace(request, query={k: v for k, v in request.query.items() if k != name})


@fault.answer
def models_crash(answer: Answer, request: Request) -> Answer:
    """The model list is answered 500 unless a limit is given."""
    if _page(answer, request) is None or "limit" in request.query:
        return answer
    return replace(answer, status=500).with_json(
        {"type": "error", "error": {"type": "api_error", "message": "Internal server error"}}
    )


@fault.answer
def models_answered_with_html(answer: Answer, request: Request) -> Answer:
    """The model list is the page of a web interface."""
    if _page(answer, request) is None:
        return answer
    page = replace(answer, body=b"<!doctype html><title>Models</title>")
    return page.with_header("content-type", "text/html")


@fault.answer
def models_empty(answer: Answer, request: Request) -> Answer:
    """The model list has no entries."""
    if _page(answer, request) is None:
        return answer
    return answer.with_json({"data": [], "has_more": False, "first_id": None, "last_id": None})


@fault.answer
def models_in_openai_shape(answer: Answer, request: Request) -> Answer:
    """The model list has OpenAI's shape."""
    page = _page(answer, request)
    if page is None:
        return answer
    entries = [
        {"id": entry["id"], "object": "model", "created": 1790812800, "owned_by": "gateway"}
        for entry in page["data"]
    ]
    return answer.with_json({"object": "list", "data": entries})


@fault.answer
def models_entry_without_id(answer: Answer, request: Request) -> Answer:
    """The last of several listed models has a name and no id."""
    page = _page(answer, request)
    if page is None or len(page["data"]) < _SEVERAL:
        return answer
    *others, last = page["data"]
    nameless = {key: value for key, value in last.items() if key != "id"}
    return answer.with_json({**page, "data": [*others, {**nameless, "name": last["id"]}]})


@fault.answer
def models_without_display_name(answer: Answer, request: Request) -> Answer:
    """The entries of the model list have no `display_name`."""
    return _with_entries(
        answer, request, lambda entry: {k: v for k, v in entry.items() if k != "display_name"}
    )


@fault.answer
def models_created_as_number(answer: Answer, request: Request) -> Answer:
    """The entries of the model list say in seconds since 1970 when they were created."""
    return _with_entries(answer, request, lambda entry: {**entry, "created_at": 1790812800})


@fault.request
def discovery_limit_refused(request: Request) -> Request | ApiError:
    """A page of more than a hundred models is refused."""
    if request.is_models and request.query.get("limit") == "1000":
        text = "limit: Input should be less than or equal to 100"
        return ApiError(400, text, rule="limit.range")
    return request


@fault.answer
def discovery_answered_with_html(answer: Answer, request: Request) -> Answer:
    """`GET /v1/models?limit=1000` is answered by the web interface."""
    if request.is_models and request.query.get("limit") == "1000":
        page = replace(answer, body=b"<!doctype html><title>Models</title>")
        return page.with_header("content-type", "text/html")
    return answer


@fault.answer
def discovery_slow(answer: Answer, request: Request) -> Answer:
    """`GET /v1/models?limit=1000` asks all upstreams first, which takes more than 3 seconds."""
    if request.is_models and request.query.get("limit") == "1000":
        return replace(answer, delay=3.1)
    return answer


@fault.request
def limit_ignored(request: Request) -> Request:
    """The model list ignores `limit`."""
    return _without(request, "limit") if request.is_models else request


@fault.answer
def has_more_always_false(answer: Answer, request: Request) -> Answer:
    """Every page of models says that it is the last."""
    page = _page(answer, request)
    return answer if page is None else answer.with_json({**page, "has_more": False})


@fault.request
def limit_range_ignored(request: Request) -> Request:
    """A `limit` of 0 is taken for the default."""
    if request.is_models and request.query.get("limit") == "0":
        return _without(request, "limit")
    return request


@fault.request
def after_id_ignored(request: Request) -> Request:
    """The model list ignores `after_id`, so that every page is the first."""
    return _without(request, "after_id") if request.is_models else request


@fault.request
def model_by_id_missing(request: Request) -> Request | ApiError:
    """`GET /v1/models/{id}` knows no model."""
    if request.method == "GET" and request.path.startswith(_BY_ID):
        return ApiError(404, "Not found", rule="path.unknown")
    return request


@fault.answer
def model_by_id_answers_another(answer: Answer, request: Request) -> Answer:
    """`GET /v1/models/{id}` answers with the id that the upstream uses."""
    if request.path.startswith(_BY_ID) and answer.status == 200:
        return answer.with_json({**answer.json, "id": f"upstream/{answer.json['id']}"})
    return answer


@fault.refusal
def unknown_model_by_id_answered_200(refusal: ApiError, request: Request) -> ApiError | Answer:
    """`GET /v1/models/{id}` makes up a model for an unknown id."""
    if refusal.rule == "model.unknown" and request.path.startswith(_BY_ID):
        return Answer.of_json({**_RETIRED, "id": request.path.removeprefix(_BY_ID)})
    return refusal


@fault.refusal
def unknown_model_by_id_crashes(refusal: ApiError, request: Request) -> ApiError:
    """`GET /v1/models/{id}` is answered 500 for an unknown id."""
    if refusal.rule == "model.unknown" and request.path.startswith(_BY_ID):
        return ApiError(500, "Internal server error", rule=refusal.rule)
    return refusal


@fault.answer
def models_without_claude_in_id(answer: Answer, request: Request) -> Answer:
    """The list ends with a model of another family."""
    page = _page(answer, request)
    if page is None or page["has_more"] or not page["data"]:
        return answer
    named = {"id": "qwen-lab-1", "display_name": "Qwen Lab 1"}
    other = {**_RETIRED, **named, "created_at": "2024-10-01T00:00:00Z"}
    return answer.with_json({**page, "data": [*page["data"], other], "last_id": other["id"]})


@fault.answer
def retired_model_listed(answer: Answer, request: Request) -> Answer:
    """The list begins with a model that messages no longer know."""
    if request.path == _BY_ID + str(_RETIRED["id"]):
        return replace(answer, status=200).with_json(_RETIRED)
    if request.is_models and request.query.get("before_id") == _RETIRED["id"]:
        empty = {"data": [], "has_more": False, "first_id": None, "last_id": None}
        return replace(answer, status=200).with_json(empty)
    page = _page(answer, request)
    if page is None or "after_id" in request.query:
        return answer
    listed = [_RETIRED, *page["data"]][: int(request.query.get("limit", "20"))]
    ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
    return answer.with_json({**page, "data": listed, **ends})


@fault.answer
def capabilities_as_list(answer: Answer, request: Request) -> Answer:
    """The capabilities of listed models are a list of words."""
    return _with_entries(
        answer, request, lambda entry: {**entry, "capabilities": ["vision", "thinking"]}
    )


@fault.answer
def first_id_is_a_cursor(answer: Answer, request: Request) -> Answer:
    """`first_id` of a page is a cursor, not the id of its first model."""
    page = _page(answer, request)
    return answer if page is None else answer.with_json({**page, "first_id": "page-1"})


@fault.request
def before_id_ignored(request: Request) -> Request:
    """The model list ignores `before_id`."""
    return _without(request, "before_id") if request.is_models else request


@fault.answer
def models_oldest_first(answer: Answer, request: Request) -> Answer:
    """The whole list of models begins with the oldest."""
    page = _page(answer, request)
    if page is None or "limit" in request.query:
        return answer
    ends = {"first_id": page["last_id"], "last_id": page["first_id"]}
    return answer.with_json({**page, **ends, "data": page["data"][::-1]})


@fault.refusal
def suffix_takes_account_out(refusal: ApiError, request: Request) -> ApiError:
    """A model name with `[1m]` takes the account out of service: 503."""
    if request.is_messages and refusal.rule == "model.unknown" and "[1m]" in refusal.message:
        text = "No available accounts"
        return ApiError(503, text, rule=refusal.rule, type="overloaded_error")
    return refusal
