"""A client of the lab for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from metaio_verify.lab.app import DEFAULT_KEY, Lab
from metaio_verify.lab.server import running

MODEL = "claude-lab-3"
VERSION = "2023-06-01"
NEW_VERSION = "2026-10-21"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a place.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
Json = dict[str, Any]


def user(content: Any) -> Json:
    """Return a user message."""
    return {"role": "user", "content": content}


def assistant(content: Any) -> Json:
    """Return an assistant message."""
    return {"role": "assistant", "content": content}


def text(words: str, **fields: Any) -> Json:
    """Return a text block."""
    return {"type": "text", "text": words, **fields}


def valid(**fields: Any) -> Json:
    """Return a minimal valid body with some fields changed; None takes a field out."""
    body = {"model": MODEL, "max_tokens": 256, "messages": [user("Reply with one word.")]}
    return {name: value for name, value in {**body, **fields}.items() if value is not None}


class Api:
    """One connection to a lab."""

    def __init__(self, client: httpx.Client, lab: Lab) -> None:
        self.client = client
        self.lab = lab

    def post(self, body: Any, path: str = "/v1/messages", **headers: str) -> httpx.Response:
        """Send a body; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, json=body, headers=named)

    def message(self, prompt: Any = "Reply with one word.", **fields: Any) -> Json:
        """Return the message that answers a prompt."""
        answer = self.post(valid(**{"messages": [user(prompt)], **fields}))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def reply(self, prompt: Any, **fields: Any) -> str:
        """Return the text of the answer."""
        return "".join(
            block["text"]
            for block in self.message(prompt, **fields)["content"]
            if block["type"] == "text"
        )

    def events(self, prompt: Any = "Reply with one word.", **fields: Any) -> list[Json]:
        """Return the data of the events of a stream; checks that each is named by its type."""
        answer = self.post(valid(**{"messages": [user(prompt)], "stream": True, **fields}))
        assert answer.status_code == 200, answer.text
        return decode(answer.text)

    def count(self, **fields: Any) -> int:
        """Return what count_tokens says about a body."""
        answer = self.post(valid(max_tokens=None, **fields), "/v1/messages/count_tokens")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["input_tokens"])


def decode(stream: str) -> list[Json]:
    """Return the data of all events, and check that the lines are two for each."""
    found = []
    for event in stream.removesuffix("\n\n").split("\n\n"):
        name, data = event.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        found.append(value)
    return found


@contextmanager
def serving(lab: Lab | None = None) -> Iterator[Api]:
    """Serve a lab and yield a client of it."""
    lab = lab or Lab()
    headers = {"x-api-key": DEFAULT_KEY, "anthropic-version": VERSION}
    with running(lab) as url, httpx.Client(base_url=url, headers=headers, timeout=20) as client:
        yield Api(client, lab)
