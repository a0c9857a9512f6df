from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from lab.labtest import MODEL, WEATHER, Api, Json, assistant, serving, text, user, valid


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def total(usage: Json) -> int:
    """Return all the input tokens of a usage."""
    return int(
        usage["input_tokens"]
        + usage["cache_creation_input_tokens"]
        + usage["cache_read_input_tokens"]
    )


def test_a_message_has_every_documented_field(api: Api) -> None:
    """The shape of a plain answer, key by key."""
    message = api.message()
    assert message["id"].startswith("msg_")
    assert message["model"] == MODEL
    assert (message["type"], message["role"]) == ("message", "assistant")
    assert message["content"] == [{"type": "text", "text": "Hello"}]
    assert message["stop_reason"] == "end_turn"
    assert message["stop_sequence"] is None
    assert message["stop_details"] is None
    usage = message["usage"]
    assert usage["input_tokens"] >= 1
    assert usage["output_tokens"] >= 1
    assert usage["service_tier"] == "standard"
    assert usage["cache_creation"] == {
        "ephemeral_5m_input_tokens": 0,
        "ephemeral_1h_input_tokens": 0,
    }


def test_ids_are_never_given_twice(api: Api) -> None:
    """Plain and streamed messages and tool calls all have ids of their own."""
    ids = [api.message()["id"] for _ in range(3)]
    ids += [api.events()[0]["message"]["id"] for _ in range(3)]
    ids += [
        block["id"]
        for _ in range(3)
        for block in api.message("Use the tool.", tools=[WEATHER])["content"]
        if block["type"] == "tool_use"
    ]
    assert len(set(ids)) == 9


@pytest.mark.parametrize("limit", [1, 5, 20])
def test_max_tokens_bounds_the_answer(api: Api, limit: int) -> None:
    """A longer answer is cut, and says so."""
    message = api.message("Count from 1 to 200.", max_tokens=limit)
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == limit
    assert message["content"][0]["text"].split() == [str(n) for n in range(1, limit + 1)]


def test_thinking_counts_towards_max_tokens(api: Api) -> None:
    """When the thoughts use up the bound there is no text."""
    message = api.message("Hi.", max_tokens=3, thinking={"type": "adaptive"})
    assert [block["type"] for block in message["content"]] == ["thinking"]
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] == 3


def test_a_tool_call_is_whole_or_absent(api: Api) -> None:
    """A call that does not fit is left out."""
    message = api.message("Use the tool.", tools=[WEATHER], max_tokens=6)
    assert [block["type"] for block in message["content"]] == ["text"]
    assert message["stop_reason"] == "max_tokens"


def test_zero_tokens_warm_the_cache(api: Api) -> None:
    """`max_tokens: 0` gives no content and costs no output."""
    message = api.message(max_tokens=0)
    assert message["content"] == []
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 0


@pytest.mark.parametrize(
    ("sequences", "text_before", "found"),
    [
        (["STOPHERE"], "alpha ", "STOPHERE"),
        (["gamma", "beta"], "alpha STOPHERE ", "beta"),
        (["alpha"], "", "alpha"),
        (["delta"], "alpha STOPHERE beta gamma", None),
    ],
)
def test_stop_sequences_end_the_answer(
    api: Api, sequences: list[str], text_before: str, found: str | None
) -> None:
    """The first sequence in the text ends it and is not a part of it."""
    message = api.message("Write: alpha STOPHERE beta gamma", stop_sequences=sequences)
    assert "".join(block["text"] for block in message["content"]) == text_before
    assert message["stop_sequence"] == found
    assert message["stop_reason"] == ("stop_sequence" if found else "end_turn")


def test_max_tokens_wins_over_a_later_stop_sequence(api: Api) -> None:
    """What comes first ends the answer."""
    message = api.message("Write: a b c d STOP", stop_sequences=["STOP"], max_tokens=2)
    assert message["stop_reason"] == "max_tokens"
    assert message["stop_sequence"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": [user([text("Reply with one word.")])]},
        {"system": "Be kind.", "tools": [WEATHER]},
        {"messages": [user("x"), assistant("y"), user("z")], "tools": []},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"cache_control": {"type": "ephemeral"}, "system": "long " * 2000},
    ],
)
def test_counting_and_usage_agree(api: Api, fields: Json) -> None:
    """count_tokens says what the same request then costs."""
    assert api.count(**fields) == total(api.message(max_tokens=2048, **fields)["usage"])


def test_counting_is_monotone(api: Api) -> None:
    """More text and tools cost more; the form of the content costs nothing."""
    short, long = user("A short question?"), user("A question that is quite a bit longer?")
    assert api.count(messages=[short]) < api.count(messages=[long])
    assert api.count(messages=[short]) < api.count(messages=[short], tools=[WEATHER])
    assert api.count(messages=[short]) == api.count(messages=[user([text("A short question?")])])


def test_counting_tells_the_original_size(api: Api) -> None:
    """With context management the count before the edits stands beside."""
    edits = {"edits": [{"type": "clear_tool_uses_20250919"}]}
    body = valid(max_tokens=None, context_management=edits)
    counted = api.post(body, "/v1/messages/count_tokens").json()
    assert counted["context_management"] == {"original_input_tokens": counted["input_tokens"]}


def test_a_prompt_above_the_window_is_refused(api: Api) -> None:
    """The text has both numbers, as clients parse it; counting still works."""
    fields: Json = {"model": "claude-lab-1", "messages": [user("word " * 200_000)]}
    size = api.count(**fields)
    answer = api.post(valid(**fields))
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert message == f"prompt is too long: {size} tokens > 200000 maximum"


def test_an_answer_ends_at_the_window(api: Api) -> None:
    """Prompt and answer together fit into the window; reaching it is a stop reason."""
    fields: Json = {
        "model": "claude-lab-1",
        "messages": [user("Count from 1 to 200." + " " * 799_940)],
    }
    message = api.message(**fields)
    assert message["stop_reason"] == "model_context_window_exceeded"
    assert total(message["usage"]) + message["usage"]["output_tokens"] == 200_000


def cached(ttl: str = "5m") -> Json:
    """Return a system block that was never seen before and is worth caching."""
    marker = {"type": "ephemeral", "ttl": ttl}
    return text(f"{uuid4()} " + "word " * 4000, cache_control=marker)


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_a_prefix_is_written_then_read(api: Api, ttl: str) -> None:
    """The second request reads what the first wrote, whatever follows the breakpoint."""
    system = [cached(ttl)]
    first = api.message("One.", system=system)["usage"]
    second = api.message("Something else.", system=system)["usage"]
    assert first["cache_read_input_tokens"] == 0
    assert first["cache_creation_input_tokens"] > 4096
    assert (
        first["cache_creation"][f"ephemeral_{ttl}_input_tokens"]
        == (first["cache_creation_input_tokens"])
    )
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation_input_tokens"] == 0
    assert second["input_tokens"] < 100


def test_a_growing_conversation_reads_its_older_part(api: Api) -> None:
    """When the breakpoint moves on, the former prefix is read and the rest is written."""
    marker = {"type": "ephemeral"}
    start = text(f"{uuid4()} " + "word " * 4000)
    first = api.message("", messages=[user([{**start, "cache_control": marker}])])["usage"]
    later = [user([start]), assistant("OK."), user([text("More?", cache_control=marker)])]
    second = api.message("", messages=later)["usage"]
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation_input_tokens"] > 0


def test_caches_of_models_and_short_prompts(api: Api) -> None:
    """Models do not share a cache, and a short prefix is not cached."""
    system = [cached()]
    api.message(system=system)
    assert api.message(system=system, model="claude-lab-2")["usage"]["cache_read_input_tokens"] == 0
    short = [text("short", cache_control={"type": "ephemeral"})]
    assert api.message(system=short)["usage"]["cache_creation_input_tokens"] == 0


def test_automatic_caching(api: Api) -> None:
    """`cache_control` at the top level puts the breakpoint at the end of the prompt."""
    fields: dict[str, Any] = {
        "system": f"{uuid4()} " + "word " * 4000,
        "cache_control": {"type": "ephemeral"},
    }
    assert api.message(**fields)["usage"]["cache_creation_input_tokens"] > 4096
    assert api.message(**fields)["usage"]["cache_read_input_tokens"] > 4096


def test_extras_come_when_asked_for(api: Api) -> None:
    """Context management, container and safeguards are answered, and otherwise absent."""
    guard = {"type": "dangerous_tool_use", "classifier_context": {}}
    message = api.message(
        "Use the tool.",
        tools=[WEATHER],
        context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        container="container_1",
        safeguards=[guard],
    )
    assert message["context_management"] == {"applied_edits": []}
    assert message["container"]["id"] == "container_1"
    assert datetime.fromisoformat(message["container"]["expires_at"])
    (verdict,) = message["safeguard_results"]
    assert verdict["type"] == "dangerous_tool_use"
    assert verdict["results"][0]["tool_use_id"] == message["content"][-1]["id"]
    assert not {"context_management", "container", "safeguard_results"} & api.message().keys()
