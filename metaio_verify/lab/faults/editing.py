"""What faults have in common: looking into requests and events, refusing and changing them."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any, TypeAlias

from metaio_verify.lab.types import ApiError, Event, Request

Events: TypeAlias = list[Event]
Json: TypeAlias = dict[str, Any]


def asked(request: Request) -> Json:
    """Return the body of a request for a message; of any other request nothing."""
    return request.json if request.is_messages and isinstance(request.json, dict) else {}


def messages_of(body: Json) -> list[Json]:
    """Return the messages of a body that may be wrong."""
    messages = body.get("messages")
    return [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []


def blocks_of(body: Json, kind: str) -> list[Json]:
    """Return all blocks of this type in the conversation; the body may be wrong."""
    contents = [message.get("content") for message in messages_of(body)]
    return [
        block
        for content in contents
        if isinstance(content, list)
        for block in content
        if isinstance(block, dict) and block.get("type") == kind
    ]


def rewritten(request: Request, body: Json) -> Request:
    """Return the request with another body."""
    return replace(request, body=json.dumps(body).encode())


def refused(message: str, status: int = 400) -> ApiError:
    """Return a refusal in words that the lab itself does not use."""
    return ApiError(status, message, rule="fault")


def block_of(event: Event) -> dict[str, Any]:
    """Return the block that an event opens; empty for other events."""
    block = event.data.get("content_block")
    return block if isinstance(block, dict) else {}


def delta_of(event: Event) -> dict[str, Any]:
    """Return the delta of a block that an event brings; empty for other events."""
    return event.data["delta"] if event.name == "content_block_delta" else {}


def has(kind: str, events: Events) -> bool:
    """Tell whether the stream has a block of this type."""
    return any(block_of(event).get("type") == kind for event in events)


def without(name: str, events: Events) -> Events:
    """Return the events but those of this name."""
    return [event for event in events if event.name != name]


def copy(event: Event, **changes: Any) -> Event:
    """Return the event with other fields in its data."""
    return Event(event.name, {**deepcopy(event.data), **changes})


def after(name: str, events: Events, make: Callable[[Event], Event]) -> Events:
    """Return the events with one more behind the first of this name, made from that one."""
    place = next((place for place, event in enumerate(events) if event.name == name), None)
    if place is None:
        return events
    return [*events[: place + 1], make(events[place]), *events[place + 1 :]]
