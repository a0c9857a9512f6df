"""The official Python SDK accepts the clean lab, so that the lab is not merely what we believe.

The SDK is in an environment of its own, without metaio-verify: `.ci/run` starts the lab and points
`ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY` to it. The SDK itself takes almost any answer without
looking; so each value that it returns is validated against the SDK's own types, too.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

anthropic = pytest.importorskip("anthropic")
pydantic = pytest.importorskip("pydantic")
if "ANTHROPIC_BASE_URL" not in os.environ:
    pytest.skip("no lab is running", allow_module_level=True)

pytestmark = pytest.mark.sdk

MODEL = "claude-lab-3"
WEATHER = {
    "name": "get_weather",
    "description": "Tells the weather of a place.",
    "input_schema": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
        "additionalProperties": False,
    },
}
EVENTS = pydantic.TypeAdapter(anthropic.types.RawMessageStreamEvent)
SAID = "Grüße 漢字 🙂 to all of you"


def ask(prompt: Any, **fields: Any) -> dict[str, Any]:
    """The arguments of a call."""
    messages = fields.pop("messages", [])
    return {
        "model": MODEL,
        "max_tokens": 256,
        "messages": [*messages, {"role": "user", "content": prompt}],
        **fields,
    }


def valid(value: Any) -> Any:
    """The same value, after its type has looked at every field."""
    return type(value).model_validate(value.to_dict())


def texts(message: Any) -> str:
    """All text blocks, joined."""
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.fixture
def client() -> Any:
    """A client that takes its settings from the environment and repeats nothing."""
    with anthropic.Anthropic(max_retries=0) as made:
        yield made


def test_plain(client: Any) -> None:
    """A message has its text, its usage and its request id."""
    message = valid(answer := client.messages.create(**ask(f"Repeat exactly: {SAID}")))
    assert (texts(message), message.stop_reason, message.model) == (SAID, "end_turn", MODEL)
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0
    assert answer._request_id.startswith("req_")


def test_stream(client: Any) -> None:
    """The SDK rebuilds the message that the deltas add up to."""
    with client.messages.stream(**ask(f"Repeat exactly: {SAID}")) as stream:
        assert "".join(stream.text_stream) == SAID
        message = valid(stream.get_final_message())
    assert (texts(message), message.stop_reason) == (SAID, "end_turn")
    assert message.usage.output_tokens > 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
        {"tools": [WEATHER]},
        {"max_tokens": 2},
        {"stop_sequences": ["Paris"]},
    ],
    ids=["text", "thinking", "tools", "truncated", "stop sequence"],
)
def test_every_event_fits_its_type(client: Any, fields: dict[str, Any]) -> None:
    """Raw events are valid; pings are not handed on."""
    prompt = "Use the tool get_weather for the weather in Paris. Repeat exactly: I am in Paris now"
    events = list(client.messages.create(**ask(prompt, stream=True, **fields)))
    for event in events:
        EVENTS.validate_python(event.to_dict())
    assert [events[0].type, events[-1].type] == ["message_start", "message_stop"]


def test_several_streams_at_once() -> None:
    """The asynchronous client gets each answer on its own stream."""

    async def said(client: Any, word: str) -> str:
        async with client.messages.stream(**ask(f"Repeat exactly: {word}")) as stream:
            return texts(await stream.get_final_message())

    async def run() -> list[str]:
        async with anthropic.AsyncAnthropic(max_retries=0) as client:
            return await asyncio.gather(*(said(client, word) for word in words))

    words = [f"word {number}" for number in range(8)]
    assert asyncio.run(run()) == words


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    "thinking",
    [None, {"type": "adaptive"}, {"type": "enabled", "budget_tokens": 1024}],
    ids=["no thinking", "adaptive", "enabled"],
)
def test_a_tool_round_trip(client: Any, thinking: Any, *, streamed: bool) -> None:
    """The call and its thinking go back as the SDK holds them, and the result is used."""
    fields = {"tools": [WEATHER], "max_tokens": 2048} | ({"thinking": thinking} if thinking else {})
    prompt = "What is the weather in Paris? Use the tool get_weather."
    first = answer(client, ask(prompt, **fields), streamed=streamed)
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (first.stop_reason, call.input) == ("tool_use", {"place": "Paris"})
    thoughts = [block for block in first.content if block.type == "thinking"]
    assert bool(thoughts) == bool(thinking)
    assert all(block.thinking and block.signature for block in thoughts)
    history = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
    ]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny, 21 degrees."}
    second = answer(client, ask([result], messages=history, **fields), streamed=streamed)
    assert "Sunny, 21 degrees." in texts(second)


def answer(client: Any, arguments: dict[str, Any], *, streamed: bool) -> Any:
    """The finished message."""
    if not streamed:
        return valid(client.messages.create(**arguments))
    with client.messages.stream(**arguments) as stream:
        return valid(stream.get_final_message())


def test_pages_of_models(client: Any) -> None:
    """The SDK walks the pages to their end, forwards and back, and finds each model by its id."""
    ids = [valid(model).id for model in client.models.list(limit=1)]
    assert ids[0] == MODEL
    assert len(ids) == len(set(ids)) > 1
    assert [model.id for model in client.models.list(limit=1, before_id=ids[-1])] == ids[-2::-1]
    assert [client.models.retrieve(id_).id for id_ in ids] == ids


def test_counts(client: Any) -> None:
    """A count is the usage of the same message."""
    arguments = ask("Reply with one word.", system="Be brief.", tools=[WEATHER])
    used = client.messages.create(**arguments).usage.input_tokens
    del arguments["max_tokens"]
    assert valid(client.messages.count_tokens(**arguments)).input_tokens == used


def test_a_cached_prompt(client: Any) -> None:
    """What the first request writes to the cache the second one reads."""
    prompt = [{"type": "text", "text": "long " * 4000 + os.urandom(8).hex()}]
    prompt[0] |= {"cache_control": {"type": "ephemeral"}}  # type: ignore[dict-item]  # a block
    written, read = (
        valid(client.messages.create(**ask("Hi.", system=prompt))).usage for _ in range(2)
    )
    assert written.cache_creation_input_tokens == read.cache_read_input_tokens > 0


def test_structured_output(client: Any) -> None:
    """The text fits the schema."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    config = {"format": {"type": "json_schema", "schema": schema}}
    assert texts(client.messages.create(**ask("Hi.", output_config=config))) == '{"city":"Paris"}'


def test_the_beta_route(client: Any) -> None:
    """What goes through `client.beta` is the same message."""
    edits = [{"type": "clear_thinking_20251015", "keep": "all"}]
    message = client.beta.messages.create(
        **ask("Repeat exactly: hello"),
        betas=["context-management-2025-06-27"],
        context_management={"edits": edits},
    )
    assert texts(valid(message)) == "hello"
    assert message.context_management.applied_edits == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "no-such-model"}, "NotFoundError"),
        ({"messages": []}, "BadRequestError"),
        ({"max_tokens": -1, "stream": True}, "BadRequestError"),
    ],
)
def test_errors(client: Any, change: dict[str, Any], error: str) -> None:
    """A refusal is raised as its class, with the API's own words and a request id."""
    with pytest.raises(getattr(anthropic, error)) as caught:
        client.messages.create(**{**ask("Hi."), **change})
    assert caught.value.body["error"]["message"]
    assert caught.value.request_id.startswith("req_")


def test_a_wrong_key() -> None:
    """It is refused as such."""
    with anthropic.Anthropic(api_key="sk-wrong", max_retries=0) as client:
        with pytest.raises(anthropic.AuthenticationError):
            client.messages.create(**ask("Hi."))
        with pytest.raises(anthropic.AuthenticationError):
            client.models.list()
