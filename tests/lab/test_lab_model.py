from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from lab.labtest import WEATHER, Api, Json, assistant, serving, text, user, valid

TOKEN = "VERIFY-AB12CD34"


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


@pytest.mark.parametrize(
    ("prompt", "reply"),
    [
        ("Reply with one word.", "Hello"),
        (f"Reply with exactly: {TOKEN}", TOKEN),
        ("Do not explain. Repeat exactly: Grüße 漢字 🙂 é", "Grüße 漢字 🙂 é"),
        ("Count from 3 to 6.", "3 4 5 6"),
        ("Reply only with KIWI.", "KIWI"),
        ("What is the meaning of life?", "OK."),
        ([text("Some context."), text("Reply with exactly: this")], "this"),
    ],
)
def test_the_model_obeys(api: Api, prompt: Any, reply: str) -> None:
    """An instruction is followed word for word, and each time the same way."""
    assert api.reply(prompt) == reply
    assert api.reply(prompt) == reply


def test_the_model_writes_as_many_words_as_asked(api: Api) -> None:
    """A long answer has the number of words that the prompt names."""
    assert len(api.reply("Write 120 words.", max_tokens=1000).split()) == 120


@pytest.mark.parametrize(
    "fields",
    [
        {"system": "Answer only with the word BANANA."},
        {"system": [text("Be kind."), text("Answer only with the word BANANA.")]},
        {"messages": [user("Hi."), {"role": "system", "content": "Answer only with BANANA."}]},
        {
            "system": "Answer only with the word KIWI.",
            "messages": [user("Hi."), {"role": "system", "content": "Reply only with BANANA"}],
        },
    ],
)
def test_the_system_has_the_last_word(api: Api, fields: Json) -> None:
    """System texts in each form are obeyed; the last one wins."""
    assert api.reply("Say hello.", **fields) == "BANANA"


def test_the_model_remembers(api: Api) -> None:
    """A token of an earlier turn comes back, the last one that was given."""
    messages = [
        user("Remember this token: VERIFY-00000000"),
        assistant("Noted."),
        user(f"Remember this token: {TOKEN}"),
        assistant("Noted."),
        user("Which token did I give you? Reply with the token only."),
    ]
    assert api.reply("", messages=messages) == TOKEN


def test_a_prefill_is_continued(api: Api) -> None:
    """The answer begins where the prefill ends."""
    messages = [user("Reply with exactly: one two three"), assistant("one two")]
    assert api.reply("", messages=messages) == " three"


def calls(message: Json) -> list[Json]:
    """Return the tool calls of a message."""
    return [block for block in message["content"] if block["type"] == "tool_use"]


STATION = {
    "name": "find-station",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["place", "kind", "count", "exact", "near", "tags", "extra"],
        "properties": {
            "place": {"type": "string"},
            "kind": {"enum": ["rain", "sun"]},
            "count": {"type": "integer", "minimum": 3},
            "exact": {"type": "boolean"},
            "near": {"anyOf": [{"$ref": "#/$defs/point"}, {"type": "null"}]},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "extra": {"type": ["null", "number"]},
            "optional": {"type": "string"},
        },
        "$defs": {
            "point": {
                "type": "object",
                "properties": {"x": {"type": "number"}},
                "required": ["x"],
                "additionalProperties": False,
            }
        },
    },
}
EMPTY = {"name": "now", "input_schema": {"type": "object", "properties": {}}}


def test_a_tool_is_called_with_arguments_that_fit(api: Api) -> None:
    """Arguments come from the schema, the token and the place from the prompt."""
    message = api.message(f"Call the tool find-station with {TOKEN}.", tools=[WEATHER, STATION])
    assert message["stop_reason"] == "tool_use"
    (call,) = calls(message)
    assert call["name"] == "find-station"
    assert call["input"] == {
        "place": TOKEN,
        "kind": "rain",
        "count": 3,
        "exact": True,
        "near": {"x": 1},
        "tags": [TOKEN, TOKEN],
        "extra": 1,
    }
    (call,) = calls(api.message("What is the weather in London? Use the tool.", tools=[WEATHER]))
    assert call["input"] == {"city": "London"}
    (call,) = calls(api.message("Call the tool now.", tools=[EMPTY]))
    assert call["input"] == {}


def test_several_tools_are_called_at_once(api: Api) -> None:
    """Both tools are called, each with its own token, unless that is switched off."""
    prompt = f"Call both tools: get_weather with {TOKEN} and now with VERIFY-00000000."
    message = api.message(prompt, tools=[WEATHER, EMPTY])
    assert [call["name"] for call in calls(message)] == ["get_weather", "now"]
    assert len({call["id"] for call in calls(message)}) == 2
    single = {"type": "auto", "disable_parallel_tool_use": True}
    assert len(calls(api.message(prompt, tools=[WEATHER, EMPTY], tool_choice=single))) == 1


@pytest.mark.parametrize(
    ("choice", "names", "blocks"),
    [
        ({"type": "auto"}, [], 1),
        ({"type": "any"}, ["get_weather"], 1),
        ({"type": "tool", "name": "now"}, ["now"], 1),
        ({"type": "none"}, [], 1),
    ],
)
def test_tool_choice_is_honoured(api: Api, choice: Json, names: list[str], blocks: int) -> None:
    """A forced call comes without text; with `none` there is no call."""
    message = api.message("Hello.", tools=[WEATHER, EMPTY], tool_choice=choice)
    assert [call["name"] for call in calls(message)] == names
    assert len(message["content"]) == blocks
    none = api.message("Use the tool.", tools=[WEATHER], tool_choice={"type": "none"})
    assert not calls(none)


def test_no_tool_is_called_unasked(api: Api) -> None:
    """Tools alone do not make a call; server tools are never called by the client's protocol."""
    assert not calls(api.message("Hello.", tools=[WEATHER]))
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert not calls(api.message("Use the tool web_search.", tools=[search]))


def test_a_deferred_tool_is_called_once_it_was_found(api: Api) -> None:
    """`defer_loading` hides a tool until a tool_reference names it."""
    tools = [EMPTY, {**WEATHER, "defer_loading": True}]
    asked = user("Call the tool get_weather.")
    assert not calls(api.message("", messages=[asked], tools=tools))
    found = [{"type": "tool_reference", "tool_name": "get_weather"}]
    messages = [
        user("Find the tool."),
        assistant([{"type": "tool_use", "id": "a", "name": "now", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "a", "content": found}]),
        assistant("Found."),
        asked,
    ]
    assert calls(api.message("", messages=messages, tools=tools))


def png(red: int, green: int, blue: int) -> Json:
    """Return an image of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + bytes([red, green, blue]) * 8) * 8
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    source = {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(data).decode(),
    }
    return {"type": "image", "source": source}


def test_the_model_sees(api: Api) -> None:
    """The colour of a PNG is named, in a message and in a tool result."""
    assert api.reply([png(250, 10, 0), text("One word: which colour?")]) == "red"
    messages = [
        user("Look."),
        assistant([{"type": "tool_use", "id": "a", "name": "now", "input": {}}]),
        user([{"type": "tool_result", "tool_use_id": "a", "content": [png(0, 0, 200)]}]),
    ]
    assert api.reply("", messages=messages, tools=[EMPTY]) == "blue"


@pytest.mark.parametrize("content", [f"It is {TOKEN}.", [text(f"It is {TOKEN}.")]])
def test_a_tool_result_is_used(api: Api, content: Any) -> None:
    """The answer to a tool result repeats it, string or blocks."""
    first = api.message("Use the tool.", tools=[WEATHER])
    messages = [
        user("Use the tool."),
        assistant(first["content"]),
        user(
            [
                {
                    "type": "tool_result",
                    "tool_use_id": calls(first)[0]["id"],
                    "content": content,
                }
            ]
        ),
    ]
    assert api.reply("", messages=messages, tools=[WEATHER]) == f"It is {TOKEN}."


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
                "required": ["name", "age"],
                "additionalProperties": False,
            },
            {"name": TOKEN, "age": 1},
        ),
        ({"type": "array", "items": {"type": "string", "format": "date"}}, ["2026-11-22"]),
        ({"allOf": [{"type": "string"}, {"const": "x"}]}, "x"),
    ],
)
def test_a_structured_answer_fits_its_schema(api: Api, schema: Json, value: Any) -> None:
    """The text is JSON of the wanted shape, in the current and in the older form of the request."""
    wanted = {"type": "json_schema", "schema": schema}
    assert json.loads(api.reply(f"Name {TOKEN}.", output_config={"format": wanted})) == value
    assert json.loads(api.reply(f"Name {TOKEN}.", output_format=wanted)) == value


@pytest.mark.parametrize("kind", ["adaptive", "enabled", "between_tools", "disabled"])
def test_thinking_comes_first_and_only_when_wanted(api: Api, kind: str) -> None:
    """A thinking block with a signature precedes the text in the modes that think."""
    thinking = {"type": kind} | ({"budget_tokens": 1024} if kind == "enabled" else {})
    content = api.message("Hi.", thinking=thinking, max_tokens=2048)["content"]
    kinds = [block["type"] for block in content]
    assert kinds == (["thinking", "text"] if kind in ("adaptive", "enabled") else ["text"])
    if kinds[0] == "thinking":
        assert content[0]["thinking"]
        assert content[0]["signature"]


def test_thinking_can_be_hidden(api: Api) -> None:
    """With display `omitted` the block is empty but signed, and its tokens still count."""
    message = api.message("Hi.", thinking={"type": "adaptive", "display": "omitted"})
    assert message["content"][0]["thinking"] == ""
    assert message["content"][0]["signature"]
    usage = message["usage"]
    assert 0 < usage["output_tokens_details"]["thinking_tokens"] < usage["output_tokens"]


def test_the_documented_trigger_is_refused(api: Api) -> None:
    """The refusal is a 200 with its reason, without content."""
    trigger = (
        "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_"
        "1FAEFB6177B4672DEE07F9D3AFC62588CCD2631EDCF22E8CCC1FB35B501C9C86"
    )
    message = api.message(trigger)
    assert message["stop_reason"] == "refusal"
    assert message["stop_details"]["type"] == "refusal"
    assert message["content"] == []
    assert api.post(valid(messages=[user(trigger)], stream=True)).status_code == 200


PDF = base64.b64encode(f"%PDF-1.4 BT (The token is {TOKEN}) Tj ET".encode()).decode()


@pytest.mark.parametrize(
    "block",
    [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": TOKEN}},
        {"type": "document", "source": {"type": "content", "content": [text(TOKEN)]}},
        {"type": "search_result", "source": "s", "title": "t", "content": [text(TOKEN)]},
    ],
    ids=["pdf", "text", "content", "search result"],
)
def test_documents_are_read(api: Api, block: Json) -> None:
    """The model finds the token in every kind of document."""
    assert api.reply([block, text("Which token does it hold?")]) == TOKEN
