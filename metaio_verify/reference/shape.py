"""The shape of an answer: what stays when texts, ids, tokens and times are taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, field

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.record import Exchange, StreamEvent

_FRAMING = frozenset(
    {
        *("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"),
        *("date", "content-type"),
    }
)
"""Headers of the transport, and the one that is compared by its value."""

_BY_VALUE = frozenset({"type", "role", "stop_reason", "object"})
"""Keys whose values are words of the API; a client branches on them."""

_FREE = frozenset({"input", "input_schema"})
"""Keys whose values are the model's or the user's own JSON."""

_SIMPLE = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_PING = "ping"
_DEEPEST = 40
_MOST_PATHS = 3000
_LONGEST_CYCLE = 8
_LONGEST_WORD = 60


class Shape(Struct, frozen=True):
    """What two endpoints of the same kind have in common."""

    failure: str = ""
    status: int = 0
    headers: frozenset[str] = frozenset()
    content_type: str = ""
    body: str = ""
    """`a JSON object`, `an event stream`, `text`, `nothing` …"""
    json: dict[str, frozenset[str]] = field(default_factory=dict)
    """Path → the types or, where a client branches on them, the values that stand there."""
    events: tuple[str, ...] = ()
    """The order of the events, with repetitions taken once."""
    is_cut: bool = False
    """Whether we left before the end, so that the body says nothing of its own end."""


def shape_of(exchange: Exchange) -> Shape:
    """Return the shape of an answer."""
    response = exchange.response
    if response is None or exchange.failure is not None:
        why = exchange.failure.kind if exchange.failure else "no answer"
        return Shape(failure=why, status=response.status if response else 0)
    names = {name.lower() for name, _ in response.headers}
    kind = next((v for n, v in response.headers if n.lower() == "content-type"), "")
    body, paths = _body(exchange)
    return Shape(
        status=response.status,
        headers=frozenset(names - _FRAMING),
        content_type="".join(kind.lower().split()),
        body=body,
        json=_merged(paths),
        events=tuple(collapsed([_described(one) for one in _events(exchange)])),
        is_cut=exchange.aborted,
    )


def _body(exchange: Exchange) -> tuple[str, Iterator[tuple[str, str]]]:
    """The kind of a body, and the paths of the JSON in it."""
    assert exchange.response is not None
    nothing: Iterator[tuple[str, str]] = iter(())
    if exchange.events:
        return "an event stream", _event_paths(_events(exchange))
    text = exchange.response.text
    if text is None:
        return "bytes that are no text", nothing
    if not text.strip():
        return "nothing", nothing
    try:
        document = decode(text)
    except NotJSONError:
        return "text", nothing
    kind = _TYPES.get(_type(document, ""), "a JSON value")
    return kind, _paths(document, "$")


_TYPES = {"object": "a JSON object", "array": "a JSON array"}


def _events(exchange: Exchange) -> list[StreamEvent]:
    """The events without pings, which come when they like."""
    return [one for one in exchange.events if _name(one) != _PING]


def _name(event: StreamEvent) -> str:
    inner = event.data.get("type") if isinstance(event.data, dict) else None
    return event.event or (inner if isinstance(inner, str) else "") or "an event without a name"


def _described(event: StreamEvent) -> str:
    """An event with the type of its block or delta."""
    data = event.data if isinstance(event.data, dict) else {}
    for key in ("content_block", "delta"):
        part = data.get(key)
        if isinstance(part, dict) and isinstance(part.get("type"), str):
            return f"{_name(event)} {part['type'][:_LONGEST_WORD]}"
    return _name(event)


def collapsed(words: Sequence[str]) -> list[str]:
    """Return a sequence with what is repeated taken once, short cycles too."""
    found = list(words)
    for length in range(1, _LONGEST_CYCLE + 1):
        kept: list[str] = []
        for word in found:
            kept.append(word)
            if len(kept) >= 2 * length and kept[-length:] == kept[-2 * length : -length]:
                del kept[-length:]
        found = kept
    return found


def _event_paths(events: Sequence[StreamEvent]) -> Iterator[tuple[str, str]]:
    for event in events:
        yield from _paths(event.data, f"{_described(event)} $")


def _merged(paths: Iterator[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for path, kind in paths:
        if path in found or len(found) < _MOST_PATHS:
            found.setdefault(path, set()).add(kind)
    return {path: frozenset(kinds) for path, kinds in found.items()}


def _paths(value: Any, path: str, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each path of a document with the type that stands there; items of a list share one."""
    yield path, _type(value, key)
    if depth > _DEEPEST or key in _FREE:
        return
    match value:
        case dict():
            for name, item in value.items():
                step = f".{name}" if _SIMPLE.fullmatch(name) else f"['{name[:_LONGEST_WORD]}']"
                yield from _paths(item, path + step, name, depth + 1)
        case list():
            for item in value:
                yield from _paths(item, f"{path}[{_kind(item)}]", "", depth + 1)


def _kind(item: Any) -> str:
    """The type that an item gives itself, so that blocks of a kind are compared with each other."""
    kind = item.get("type") if isinstance(item, dict) else None
    return kind[:_LONGEST_WORD] if isinstance(kind, str) else ""


def _type(value: Any, key: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return f'"{value[:_LONGEST_WORD]}"' if key in _BY_VALUE else "string"
        case dict():
            return "object"
        case _:
            return "array"
