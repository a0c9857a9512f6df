"""Faults and variants of the lab's gateways, on what they were not made for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from metaio_verify.lab.change import Change, Stage
from metaio_verify.lab.gateway.change import Call, Reply, once
from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS
from metaio_verify.lab.gateway.variants import GATEWAY_VARIANTS

CHANGES = {**GATEWAY_FAULTS, **GATEWAY_VARIANTS}
BODIES: list[Any] = [
    b"",
    b"no JSON \xff",
    [1],
    {},
    {"messages": "x", "system": 1, "tools": "t", "model": 5, "stream": True, "tool_choice": "any"},
    {"messages": ["x", {"role": 1}, {"role": "user"}], "system": ["x", {}], "tools": [1, {}]},
    {"messages": [], "input": [1], "system": [], "tools": [], "tool_choice": {}, "metadata": None},
    {
        "messages": [
            {"role": "user", "content": [1, {"type": "tool_result", "content": [1, {}]}, {}]},
            {"role": "assistant", "content": [{"type": "tool_use", "input": "x"}]},
        ],
        "system": [{"text": 1}],
        "tools": [{"input_schema": 1, "description": 1}],
        "max_tokens": "many",
        "temperature": "hot",
        "stop_sequences": 1,
    },
]
ANSWERS: list[tuple[int, Any]] = [
    (200, b""),
    (200, b"<html>"),
    (200, {"data": []}),
    (200, {"type": "message"}),
    (400, b"Bad Request"),
    (429, {"error": "slow down"}),
    (529, ["x"]),
]
EVENTS = [b"", b": comment\n\n", b"data: [DONE]\n\n", b'event: x\ndata: {"delta": 1}\n\n', b"data"]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def _call(body: Any) -> Call:
    return Call("POST", "/v1/messages", "", [("x-api-key", "k")], _bytes(body), "c", "k")


async def _drained(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("change", CHANGES.values(), ids=lambda change: change.id)
def test_a_change_leaves_alone_what_it_cannot_read(change: Change) -> None:
    """Whatever a client sends and an upstream answers, no gateway of the lab falls over it."""
    match change.stage:
        case Stage.FORWARD:
            for body in BODIES:
                assert isinstance(change.function(_call(body), _call(body)), Call)
        case Stage.SEND:
            for body in BODIES:
                assert all(isinstance(one, Call) for one in change.function(_call(body), _call({})))
        case Stage.RETURN:
            for status, answer in ANSWERS:
                reply = Reply(status, [("content-type", "text/html")], once(_bytes(answer)))
                asyncio.run(_returned(change, reply))
        case Stage.RELAY:
            for event in EVENTS:
                asyncio.run(_drained(change.function(once(event), _call({}))))


async def _returned(change: Change, reply: Reply) -> None:
    changed = await change.function(reply, _call({}))
    await _drained(changed.pieces)
