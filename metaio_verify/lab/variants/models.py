"""Variants of the list of models and of token counts."""

from __future__ import annotations

from dataclasses import replace

from metaio_verify.lab import variant
from metaio_verify.lab.catalogue import MODELS
from metaio_verify.lab.types import Answer, ApiError, Request


@variant.request
def models_not_served(request: Request) -> Request | ApiError:
    """There is no discovery."""
    if request.path.startswith("/v1/models"):
        return ApiError(404, "Not found", rule="variant")
    return request


@variant.request
def all_models_on_one_page(request: Request) -> Request:
    """A server of few models ignores limits and cursors, and says that nothing is left."""
    return replace(request, query={"limit": "1000"}) if request.is_models else request


@variant.answer
def one_model_listed(answer: Answer, request: Request) -> Answer:
    """A server has a single model, so there is never a second page."""
    page = answer.json
    if not request.is_models or answer.status != 200:
        return answer
    first = [entry for entry in page["data"] if entry["id"] == MODELS[0].id]
    end = MODELS[0].id if first else None
    return answer.with_json({"data": first, "has_more": False, "first_id": end, "last_id": end})


@variant.answer
def models_without_details(answer: Answer, request: Request) -> Answer:
    """Entries have only what the first version of the list had."""
    page = answer.json
    if not request.is_models or answer.status != 200:
        return answer
    known = ("type", "id", "display_name", "created_at")
    page["data"] = [{name: entry[name] for name in known} for entry in page["data"]]
    return answer.with_json(page)


@variant.answer
def models_with_new_fields(answer: Answer, request: Request) -> Answer:
    """Entries and pages have fields that no client knows yet."""
    page = answer.json
    if not request.is_models or answer.status != 200:
        return answer
    page["data"] = [{**entry, "prices": [{"usd": 1.5}]} for entry in page["data"]]
    return answer.with_json({**page, "next_page": None, "total": len(page["data"])})


@variant.answer
def model_alias_resolved(answer: Answer, request: Request) -> Answer:
    """A model that is asked for by its alias shows its full id."""
    if not request.path.startswith("/v1/models/") or answer.status != 200:
        return answer
    entry = answer.json
    return answer.with_json({**entry, "id": f"{entry['id']}-20261001"})


@variant.answer
def count_is_an_estimate(answer: Answer, request: Request) -> Answer:
    """The count is a few tokens more than what the message will use."""
    count = answer.json
    if not request.is_count or answer.status != 200:
        return answer
    return answer.with_json({**count, "input_tokens": count["input_tokens"] * 21 // 20 + 2})
