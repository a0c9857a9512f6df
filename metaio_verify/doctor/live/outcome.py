"""What an answer to a message means for the person who waits for it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

from metaio_verify.record import Exchange

_ABOUT_MODELS = re.compile(
    r"\bmodels?\b.*\b(not|no|unknown|invalid|unsupported|access|permission|allowed)\b"
    r"|\b(no|unknown|invalid|unsupported|not)\b.*\bmodels?\b",
    re.IGNORECASE | re.DOTALL,
)
_DENIED = re.compile(r"access|permission|allowed|enabled|entitled|authori[sz]ed", re.IGNORECASE)


class Outcome(StrEnum):
    """What came back."""

    MESSAGE = "a message"
    SILENT = "no answer"
    REDIRECT = "a redirect"
    PROXY = "the proxy wants a credential"
    REFUSED = "the credential is refused"
    BLOCKED = "blocked before the endpoint"
    MODEL = "the model is refused"
    MISSING = "nothing is there"
    NO_API = "something else than an API"
    REJECTED = "the request is rejected"
    UNPAID = "no credit"
    BUSY = "busy"
    FAILS = "the endpoint fails"

    @property
    def is_let_in(self) -> bool:
        """Whether the endpoint took the credential."""
        return self in (Outcome.MESSAGE, Outcome.MODEL)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it looks as if no API lived at this URL."""
        return self in (Outcome.MISSING, Outcome.NO_API)


def classify(exchange: Exchange) -> Outcome:  # noqa: PLR0911 - one line for each outcome
    """Return what the answer to a message means."""
    response = exchange.response
    if response is None:
        return Outcome.SILENT
    status, document = response.status, _document(exchange)
    if 200 <= status < 300:
        is_message = isinstance(document, dict) and document.get("type") == "message"
        return Outcome.MESSAGE if is_message else Outcome.NO_API
    if 300 <= status < 400:
        return Outcome.REDIRECT
    if status == 407:
        return Outcome.PROXY
    if status in (429, 529):
        return Outcome.BUSY
    if _names_model(exchange):
        return Outcome.MODEL
    if status == 402 or error_type(exchange) == "billing_error":
        return Outcome.UNPAID
    if status in (401, 403):
        is_json = isinstance(document, dict)
        return Outcome.REFUSED if status == 401 or is_json else Outcome.BLOCKED
    if status in (404, 405):
        return Outcome.MISSING
    return Outcome.FAILS if status >= 500 else Outcome.REJECTED


def status_of(exchange: Exchange) -> int:
    """Return the status of an answer; 0 when there is none."""
    return exchange.response.status if exchange.response else 0


def is_denied(exchange: Exchange) -> bool:
    """Whether a model is refused because the token may not use it."""
    return status_of(exchange) in (401, 403) or bool(_DENIED.search(said(exchange)))


def said(exchange: Exchange) -> str:
    """Return what the endpoint says about its refusal; a server wrote it."""
    document = _document(exchange)
    if isinstance(document, dict):
        error = document.get("error", document)
        for holder in (error, document):
            for key in ("message", "detail", "error"):
                text = holder.get(key) if isinstance(holder, dict) else None
                if isinstance(text, str) and text.strip():
                    return text.strip()
        return error if isinstance(error, str) else ""
    return ""


def error_type(exchange: Exchange) -> str:
    """Return the type of an error, as far as there is one."""
    document = _document(exchange)
    error = document.get("error") if isinstance(document, dict) else None
    type_ = error.get("type") if isinstance(error, dict) else None
    return type_ if isinstance(type_, str) else ""


def header(exchange: Exchange, name: str) -> str:
    """Return a header of the answer; empty when it has none."""
    lines = exchange.response.headers if exchange.response else []
    return next((value for line, value in lines if line.lower() == name), "")


def model_ids(exchange: Exchange) -> list[str] | None:
    """Return the ids of a model list; none at all when the answer is no list."""
    document = _document(exchange)
    entries = document.get("data") if isinstance(document, dict) else None
    if not 200 <= status_of(exchange) < 300 or not isinstance(entries, list):
        return None
    ids = (entry.get("id") for entry in entries if isinstance(entry, dict))
    return list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str) and id_))


def _names_model(exchange: Exchange) -> bool:
    text = said(exchange)
    model = exchange.model or ""
    if model and model.lower() in text.lower():
        return True
    return status_of(exchange) not in (401, 422) and bool(_ABOUT_MODELS.search(text))


def _document(exchange: Exchange) -> Any:
    text = exchange.response.text if exchange.response else None
    try:
        return msgspec.json.decode(text or "")
    except (msgspec.DecodeError, RecursionError):
        return None
