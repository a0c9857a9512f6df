from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from lab.labtest import NEW_VERSION, WEATHER, Api, Json, assistant, serving, text, user, valid


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def block(**fields: Any) -> Json:
    """Return the messages field with one block in a user message."""
    return {"messages": [user([fields])]}


def image(data: bytes, media_type: str = "image/png") -> Json:
    """Return an image block."""
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


PNG = b"\x89PNG\r\n\x1a\n"
LONG = {"type": "ephemeral", "ttl": "1h"}
SHORT = {"type": "ephemeral"}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "18"}

REFUSED: list[tuple[str, Json, str]] = [
    ("no model", {"model": None}, "model: Field required"),
    ("model is no string", {"model": 5}, "model: Input should be a valid string"),
    ("no messages", {"messages": None}, "messages: Field required"),
    ("no messages in it", {"messages": []}, "messages: at least one message is required"),
    ("messages is a string", {"messages": "hi"}, "messages: Input should be a valid list"),
    ("a message is a string", {"messages": ["hi"]}, "messages.0: Input should be a valid dict"),
    ("no role", {"messages": [{"content": "x"}]}, "messages.0.role: Field required"),
    (
        "a wrong role",
        {"messages": [{"role": "tool", "content": "x"}]},
        "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ),
    ("no content", {"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    ("content is a number", {"messages": [user(5)]}, "messages.0.content: Input should be a valid"),
    ("empty content", {"messages": [user("")]}, "messages.0: all messages must have non-empty"),
    ("no blocks", {"messages": [user([])]}, "messages.0: all messages must have non-empty"),
    (
        "a message with a field",
        {"messages": [{**user("x"), "name": "Ann"}]},
        "messages.0.name: Extra inputs are not permitted",
    ),
    ("no max_tokens", {"max_tokens": None}, "max_tokens: Field required"),
    ("max_tokens is a word", {"max_tokens": "ten"}, "max_tokens: Input should be a valid integer"),
    ("max_tokens is a string", {"max_tokens": "10"}, "max_tokens: Input should be a valid integer"),
    ("max_tokens is negative", {"max_tokens": -1}, "max_tokens: Input should be greater than or"),
    ("max_tokens is huge", {"max_tokens": 10_000_000}, "max_tokens: 10000000 > 128000, which is"),
    ("zero, streamed", {"max_tokens": 0, "stream": True}, "max_tokens: 0 may not be combined"),
    (
        "zero, with a schema",
        {"max_tokens": 0, "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        "max_tokens: 0 may not be combined",
    ),
    (
        "zero, forced",
        {"max_tokens": 0, "tools": [WEATHER], "tool_choice": {"type": "any"}},
        "max_tokens: 0 may not be combined",
    ),
    ("an unknown field", {"unknown": 1}, "unknown: Extra inputs are not permitted"),
    ("temperature too high", {"temperature": 1.5}, "temperature: range: 0..1"),
    ("temperature too low", {"temperature": -1}, "temperature: range: 0..1"),
    ("temperature is a word", {"temperature": "hot"}, "temperature: Input should be a valid num"),
    ("top_p too high", {"top_p": 2}, "top_p: range: 0..1"),
    ("stream is a word", {"stream": "yes"}, "stream: Input should be a valid boolean"),
    ("an empty stop sequence", {"stop_sequences": [""]}, "stop_sequences.0: each stop sequence"),
    ("stop is a string", {"stop_sequences": "x"}, "stop_sequences: Input should be a valid list"),
    ("system is a number", {"system": 5}, "system: Input should be a valid list"),
    ("an image as system", {"system": [image(PNG)]}, "system.0: Input tag 'image' found"),
    ("a long user id", {"metadata": {"user_id": "x" * 300}}, "metadata.user_id: String should"),
    ("unknown metadata", {"metadata": {"name": "x"}}, "metadata.name: Extra inputs are not"),
    ("a service tier", {"service_tier": "gold"}, "service_tier: Input should be 'auto' or"),
    ("an effort", {"output_config": {"effort": "huge"}}, "output_config.effort: Input should be"),
    (
        "an edit",
        {"context_management": {"edits": [{"type": "forget"}]}},
        "context_management.edits.0.type: Input should be",
    ),
    # blocks
    (
        "an empty text",
        block(type="text", text=""),
        "messages.0.content.0.text.text: text content blocks must be non-empty",
    ),
    (
        "a blank text",
        block(type="text", text=" \n"),
        "messages.0.content.0.text.text: text content blocks must contain non-whitespace text",
    ),
    ("a block without type", block(text="x"), "messages.0.content.0.type: Field required"),
    ("an unknown block", block(type="video"), "messages.0.content.0: Input tag 'video' found"),
    (
        "an unknown field",
        block(type="text", text="x", colour="red"),
        "messages.0.content.0.text.colour: Extra inputs are not permitted",
    ),
    (
        "a TIFF",
        {"messages": [user([image(PNG, "image/tiff")])]},
        "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg'",
    ),
    (
        "broken base64",
        block(
            type="image", source={"type": "base64", "media_type": "image/png", "data": "no base64!"}
        ),
        "messages.0.content.0.image.source.base64.data: Invalid base64 data",
    ),
    (
        "a PNG that is a JPEG",
        {"messages": [user([image(b"\xff\xd8\xff", "image/png")])]},
        "messages.0.content.0.image.source.base64.data: The data does not match",
    ),
    (
        "a large image",
        {"messages": [user([image(b"\0" * 8_000_000)])]},
        "messages.0.content.0.image.source.base64: image exceeds 10 MB maximum",
    ),
    (
        "a tool call of a user",
        {"messages": [user([CALL])]},
        "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages",
    ),
    (
        "a result of an assistant",
        {"messages": [user("x"), assistant([RESULT]), user("x")]},
        "messages.1.content.0: `tool_result` blocks can only be in `user` messages",
    ),
    (
        "thinking without signature",
        {"messages": [user("x"), assistant([{"type": "thinking", "thinking": "x"}]), user("x")]},
        "messages.1.content.0.thinking.signature: Field required",
    ),
    # tools
    ("tools is an object", {"tools": {}}, "tools: Input should be a valid list"),
    ("a tool without schema", {"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field req"),
    (
        "a schema that is no object",
        {"tools": [{"name": "x", "input_schema": {"type": "string"}}]},
        "tools.0.custom.input_schema.type: Input should be 'object'",
    ),
    (
        "a tool name with a space",
        {"tools": [{**WEATHER, "name": "get weather"}]},
        "tools.0.custom.name: String should match pattern",
    ),
    (
        "a long tool name",
        {"tools": [{**WEATHER, "name": "x" * 65}]},
        "tools.0.custom.name: String should match pattern",
    ),
    ("two tools of a name", {"tools": [WEATHER, WEATHER]}, "tools: Tool names must be unique."),
    (
        "a tool with a field",
        {"tools": [{**WEATHER, "colour": "red"}]},
        "tools.0.custom.colour: Extra inputs are not permitted",
    ),
    (
        "an unknown server tool",
        {"tools": [{"type": "teleport_20260101", "name": "teleport"}]},
        "tools.0: Input tag 'teleport_20260101' found",
    ),
    (
        "only deferred tools",
        {"tools": [{**WEATHER, "defer_loading": True}]},
        "At least one tool must have defer_loading=false",
    ),
    (
        "an open strict tool",
        {"tools": [{"name": "x", "strict": True, "input_schema": {"type": "object"}}]},
        "tools.0.custom.input_schema: For 'object' type, 'additionalProperties'",
    ),
    (
        "a choice without tools",
        {"tool_choice": {"type": "auto"}},
        "tool_choice: may only be specified while providing `tools`",
    ),
    (
        "a choice of an absent tool",
        {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "x"}},
        "tool_choice: Tool 'x' not found in provided tools",
    ),
    (
        "an unknown choice",
        {"tools": [WEATHER], "tool_choice": {"type": "required"}},
        "tool_choice: Input tag 'required' found",
    ),
    (
        "a forced choice with manual thinking",
        {
            "max_tokens": 2000,
            "tools": [WEATHER],
            "tool_choice": {"type": "any"},
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
        "tool_choice: Thinking may not be enabled when tool_choice forces tool use.",
    ),
    # thinking
    (
        "a small budget",
        {"thinking": {"type": "enabled", "budget_tokens": 1}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        "a budget above max_tokens",
        {"max_tokens": 1024, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
    ("an unknown mode", {"thinking": {"type": "deep"}}, "thinking: Input tag 'deep' found"),
    (
        "an unknown display",
        {"thinking": {"type": "adaptive", "display": "loud"}},
        "thinking.adaptive.display: Input should be 'summarized', 'omitted' or 'updates'",
    ),
    # caching
    (
        "a life time",
        {"system": [text("x", cache_control={"type": "ephemeral", "ttl": "2h"})]},
        "system.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
    ),
    (
        "five breakpoints",
        {"system": [text("x", cache_control=SHORT)] * 5},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    (
        "long after short",
        {"system": [text("x", cache_control=SHORT), text("y", cache_control=LONG)]},
        "system.1.cache_control.ttl: a ttl='1h' cache_control block must not come after",
    ),
    # structured answers
    (
        "an open object",
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be",
    ),
    (
        "a bound",
        {
            "output_config": {
                "format": {"type": "json_schema", "schema": {"type": "integer", "minimum": 1}}
            }
        },
        "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
    ),
    (
        "a recursion",
        {
            "output_config": {
                "format": {
                    "type": "json_schema",
                    "schema": {
                        "$ref": "#/$defs/a",
                        "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}},
                    },
                }
            }
        },
        "output_config.format.schema: Recursive schemas are not supported",
    ),
]


@pytest.mark.parametrize(
    ("fields", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_wrong_is_400_and_named(
    api: Api, fields: Json, message: str, *, stream: bool
) -> None:
    """Each mistake is an invalid_request_error that begins with its place, streamed or not."""
    answer = api.post(valid(**{"stream": stream or None, **fields}))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(message)


ACCEPTED: list[tuple[str, Json]] = [
    ("null for what is optional", {"stream": False, "temperature": 1, "container": "c"}),
    ("a user id", {"metadata": {"user_id": "x" * 250}}),
    ("sampling", {"temperature": 0, "top_p": 0.9, "top_k": 5}),
    ("a service tier", {"service_tier": "standard_only", "inference_geo": "eu"}),
    ("context management", {"context_management": {"edits": [{"type": "compact_20260112"}]}}),
    ("betas", {"mcp_servers": [], "fallbacks": "default", "speed": "fast", "diagnostics": {}}),
    ("more betas", {"billing_policy": {}, "compaction": {}, "thread": {}, "tags": {"team": "a"}}),
    ("efforts", {"output_config": {"effort": "xhigh", "task_budget": {"total": 1}}}),
    ("automatic caching", {"cache_control": LONG}),
    ("no tools", {"tools": []}),
    ("many tools", {"tools": [{**WEATHER, "name": f"tool_{n}"} for n in range(40)]}),
    (
        "a tool with all its fields",
        {
            "tools": [
                {
                    **WEATHER,
                    "type": "custom",
                    "cache_control": SHORT,
                    "strict": True,
                    "defer_loading": False,
                    "eager_input_streaming": True,
                    "input_examples": [{"city": "Paris"}],
                    "allowed_callers": ["direct"],
                }
            ]
        },
    ),
    (
        "server tools",
        {
            "tools": [
                {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
                {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
                {"type": "computer_toolset_20260801"},
                {"type": "mcp_toolset", "mcp_server_name": "x"},
            ]
        },
    ),
    (
        "every image source",
        {
            "messages": [
                user(
                    [
                        image(PNG),
                        image(b"GIF89a", "image/gif"),
                        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
                    ]
                )
            ]
        },
    ),
    (
        "documents and search results",
        {
            "messages": [
                user(
                    [
                        {
                            "type": "document",
                            "title": "A paper",
                            "citations": {"enabled": True},
                            "source": image(b"%PDF-1.4", "application/pdf")["source"],
                        },
                        {
                            "type": "document",
                            "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                        },
                        {
                            "type": "search_result",
                            "source": "x",
                            "title": "y",
                            "content": [text("z")],
                        },
                        {"type": "container_upload", "file_id": "file_1"},
                    ]
                )
            ]
        },
    ),
    (
        "blocks of real histories",
        {
            "messages": [
                user("x"),
                assistant(
                    [
                        {"type": "redacted_thinking", "data": "abc"},
                        text("y", citations=None),
                        {
                            "type": "server_tool_use",
                            "id": "srvtoolu_1",
                            "name": "web_search",
                            "input": {},
                        },
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "srvtoolu_1",
                            "content": [],
                        },
                        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                    ]
                ),
                user("z"),
            ]
        },
    ),
    (
        "breakpoints everywhere",
        {
            "system": [text("x", cache_control=LONG)],
            "tools": [{**WEATHER, "cache_control": LONG}],
            "messages": [
                user([{**image(PNG), "cache_control": LONG}, text("y", cache_control=SHORT)])
            ],
        },
    ),
]


@pytest.mark.parametrize(
    "fields", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_what_is_documented_is_accepted(api: Api, fields: Json) -> None:
    """Every documented field and block is taken."""
    assert api.post(valid(**fields)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"temperature": 1}, "temperature"),
        ({"top_p": 1}, "top_p"),
        ({"top_k": 1}, "top_k"),
        (
            {
                "messages": [
                    user("x"),
                    assistant(
                        [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]
                    ),
                    user("y"),
                ]
            },
            "messages.1.content.0",
        ),
        (
            block(type="text", text="x", citations=[{"type": "char_location"}]),
            "messages.0.content.0.text.citations",
        ),
    ],
)
def test_what_the_new_version_took_away(api: Api, fields: Json, named: str) -> None:
    """Under 2026-10-21 these are 400; under 2023-06-01 they are taken."""
    assert api.post(valid(**fields)).status_code == 200
    answer = api.post(valid(**fields), anthropic_version=NEW_VERSION)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(named)


def test_interleaved_thinking_may_have_a_larger_budget(api: Api) -> None:
    """With the beta and tools the budget spans several answers."""
    body = valid(
        max_tokens=1024, tools=[WEATHER], thinking={"type": "enabled", "budget_tokens": 4096}
    )
    assert api.post(body).status_code == 400
    assert api.post(body, anthropic_beta="interleaved-thinking-2025-05-14").status_code == 200


@pytest.mark.parametrize("field", ["max_tokens", "stream", "metadata"])
def test_counting_takes_no_field_of_generation(api: Api, field: str) -> None:
    """count_tokens validates like messages, without what only an answer needs."""
    values = {"max_tokens": 5, "stream": True, "metadata": {}}
    answer = api.post(
        valid(**{"max_tokens": None, field: values[field]}), "/v1/messages/count_tokens"
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"{field}: Extra inputs are not permitted"
    assert api.post({"messages": []}, "/v1/messages/count_tokens").status_code == 400
