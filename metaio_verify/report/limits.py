"""The limits of a model, as the endpoint stated them in its list or in a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec

from metaio_verify.record import Exchange, RunRecord

_LISTS = "/v1/models"
_OUTPUT = (
    re.compile(r"max_tokens: \d+ > (\d+)"),
    re.compile(r"supports at most (\d+) completion tokens"),
    re.compile(
        r"(?i)max_tokens\b[^.\d]{0,60}?"
        r"(?:at most|less than or equal to|cannot exceed|must not exceed|maximum(?: value)?(?: of)?"
        r"(?: is)?|<=|\[1, ?)\s*(\d+)"
    ),
)
_WINDOW = (
    re.compile(r"prompt is too long: \d+ tokens > (\d+) maximum"),
    re.compile(r"maximum context length is (\d+) tokens"),
)
_TOGETHER = (
    re.compile(r"exceed context limit: \d+ \+ \d+ > (\d+)"),
    re.compile(r"maximum context length is (\d+) tokens\b.{0,200}\bcompletion\b", re.DOTALL),
)
"""How a refusal says that prompt and max_tokens together are too much."""
_WINDOW_KEYS = ("max_input_tokens", "context_window", "context_length", "max_model_len")
_SMALLEST = 256
"""A limit below it is no limit of a model but a slip of this reading."""


def output_tokens(record: RunRecord, model: str) -> int | None:
    """Return how many tokens the model writes at most, as far as the endpoint said so."""
    return _least([*_listed(record, model, ("max_tokens",)), *_refused(record, model, _OUTPUT)])


def input_tokens(record: RunRecord, model: str) -> int | None:
    """Return how many tokens the model reads at most, as far as the endpoint said so."""
    return _least([*_listed(record, model, _WINDOW_KEYS), *_refused(record, model, _WINDOW)])


def together(record: RunRecord, model: str) -> int | None:
    """Return how many tokens prompt and max_tokens may be together, if a refusal said so."""
    return _least(list(_refused(record, model, _TOGETHER)))


def _least(found: list[int]) -> int | None:
    return min((limit for limit in found if limit >= _SMALLEST), default=None)


def _listed(record: RunRecord, model: str, keys: tuple[str, ...]) -> Iterator[int]:
    """Yield what the model lists say of a model under any of these keys."""
    for exchange in record.exchanges:
        path = exchange.request.url.partition("?")[0]
        if exchange.request.method != "GET" or _LISTS not in path:
            continue
        for entry in _entries(_document(exchange)):
            if entry.get("id") == model:
                found = [entry.get(key) for key in keys]
                yield from (limit for limit in found if _is_limit(limit))


def _entries(document: Any) -> list[dict[str, Any]]:
    listed = document.get("data") if isinstance(document, dict) else None
    entries = listed if isinstance(listed, list) else [document]
    return [entry for entry in entries if isinstance(entry, dict)]


def _refused(record: RunRecord, model: str, patterns: tuple[re.Pattern[str], ...]) -> Iterator[int]:
    """Yield the limits that refusals name."""
    for exchange in record.exchanges:
        if exchange.model not in (None, model) or not _is_refusal(exchange):
            continue
        text = exchange.response.text or "" if exchange.response else ""
        yield from (int(found[1]) for one in patterns if (found := one.search(text)))


def _is_refusal(exchange: Exchange) -> bool:
    return exchange.response is not None and 400 <= exchange.response.status < 500


def _document(exchange: Exchange) -> Any:
    if exchange.response is None or exchange.response.status != 200:
        return None
    try:
        return msgspec.json.decode(exchange.response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_limit(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
