from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab.labtest import WEATHER, Api, Json, assistant, serving, text, user, valid


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def call(identifier: str) -> Json:
    """Return a tool call."""
    return {"type": "tool_use", "id": identifier, "name": "get_weather", "input": {"city": "Rome"}}


def result(identifier: str, content: Any = "18 degrees", **fields: Any) -> Json:
    """Return a tool result."""
    return {"type": "tool_result", "tool_use_id": identifier, "content": content, **fields}


def system(content: Any, **fields: Any) -> Json:
    """Return a system message inside a conversation."""
    return {"role": "system", "content": content, **fields}


ASKED = user("What is the weather in Rome?")
UNANSWERED = "`tool_use` ids were found without `tool_result` blocks immediately after"
ORPHAN = "unexpected `tool_use_id` found in `tool_result` blocks"

REFUSED: list[tuple[str, list[Json], str]] = [
    ("an unanswered call", [ASKED, assistant([call("a")]), user("and?")], UNANSWERED),
    ("a call at the end", [ASKED, assistant([call("a")])], UNANSWERED),
    (
        "half of the results",
        [ASKED, assistant([call("a"), call("b")]), user([result("a")])],
        UNANSWERED,
    ),
    (
        "text before the result",
        [ASKED, assistant([call("a")]), user([text("so"), result("a")])],
        UNANSWERED,
    ),
    ("an orphan result", [user([result("a")])], ORPHAN),
    (
        "a result of an older call",
        [
            ASKED,
            assistant([call("a")]),
            user([result("a")]),
            assistant("Fine."),
            user([result("a")]),
        ],
        ORPHAN,
    ),
    (
        "two results of a call",
        [ASKED, assistant([call("a")]), user([result("a"), result("a")])],
        "each tool_use must have a single result",
    ),
    (
        "two calls of one id",
        [ASKED, assistant([call("a"), call("a")]), user([result("a")])],
        "`tool_use` ids must be unique",
    ),
    ("system first", [system("x"), ASKED], "a system message cannot be the first message"),
    (
        "system after an assistant",
        [ASKED, assistant("Fine."), system("x"), user("and?")],
        "a system message must directly follow a user message",
    ),
    (
        "system between a call and its result",
        [ASKED, assistant([call("a")]), system("x"), user([result("a")])],
        "a system message must directly follow a user message",
    ),
    (
        "a per-turn format",
        [ASKED, system("x", output_config={"format": {}})],
        "messages.1.output_config.format: Extra inputs are not permitted",
    ),
    (
        "a prefill that ends in white space",
        [ASKED, assistant("It is ")],
        "final assistant content cannot end with trailing whitespace",
    ),
    (
        "too many messages",
        [user("x")] * 100_001,
        "messages: 100001 messages > 100000 maximum",
    ),
]


@pytest.mark.parametrize(
    ("messages", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_conversation_that_makes_no_sense_is_400(
    api: Api, messages: list[Json], message: str
) -> None:
    """The message says what is missing and where."""
    answer = api.post(valid(messages=messages, tools=[WEATHER]))
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


ACCEPTED: list[tuple[str, list[Json]]] = [
    ("neighbours of one role", [user("a"), user("b"), assistant("c"), assistant("d"), user("e")]),
    ("an assistant first", [assistant("a"), user("b")]),
    ("a prefill", [user("Reply with one word."), assistant("He")]),
    ("an empty prefill", [user("a"), assistant("")]),
    ("three hundred turns", [user("a"), assistant("b")] * 150 + [user("c")]),
    ("a system message at the end", [ASKED, system("x")]),
    ("a system message with effort", [ASKED, system([text("x")], output_config={"effort": "low"})]),
    ("effort only", [ASKED, {"role": "system", "output_config": {"effort": "low"}}]),
    ("a system message before an answer", [ASKED, system("x"), assistant("Fine."), user("and?")]),
    ("a result", [ASKED, assistant([call("a")]), user([result("a", is_error=False)])]),
    ("an error", [ASKED, assistant([call("a")]), user([result("a", is_error=True)])]),
    ("blocks", [ASKED, assistant([call("a")]), user([result("a", [text("18")])])]),
    (
        "no content",
        [ASKED, assistant([call("a")]), user([{"type": "tool_result", "tool_use_id": "a"}])],
    ),
    (
        "a breakpoint and a text after the result",
        [
            ASKED,
            assistant([text("I look."), call("a")]),
            user([result("a", cache_control={"type": "ephemeral"}), text("So?")]),
        ],
    ),
    (
        "two calls and two results",
        [ASKED, assistant([call("a"), call("b")]), user([result("b"), result("a")])],
    ),
    (
        "results in two messages",
        [ASKED, assistant([call("a"), call("b")]), user([result("a")]), user([result("b")])],
    ),
    (
        "a found tool",
        [
            ASKED,
            assistant([call("a")]),
            user([result("a", [{"type": "tool_reference", "tool_name": "get_weather"}])]),
        ],
    ),
]


@pytest.mark.parametrize(
    "messages", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_a_conversation_that_makes_sense_is_answered(api: Api, messages: list[Json]) -> None:
    """Every order that the API documents is taken, by messages and by count_tokens."""
    assert api.post(valid(messages=messages, tools=[WEATHER])).status_code == 200
    assert api.count(messages=messages, tools=[WEATHER]) > 0


def thought(api: Api, display: str) -> Json:
    """Return a thinking block of the lab."""
    message = api.message("Hi.", thinking={"type": "adaptive", "display": display})
    return dict(message["content"][0])


@pytest.mark.parametrize("display", ["summarized", "omitted"])
def test_thinking_comes_back_unchanged(api: Api, display: str) -> None:
    """A block is accepted as it was given, in any later turn."""
    block = thought(api, display)
    messages = [user("Hi."), assistant([block, text("OK.")]), user("And now?")]
    assert api.post(valid(messages=messages)).status_code == 200


@pytest.mark.parametrize(
    ("display", "change", "message"),
    [
        ("summarized", {"thinking": "I had another thought."}, "cannot be modified"),
        ("summarized", {"thinking": ""}, "cannot be modified"),
        ("omitted", {"thinking": "I had a thought."}, "cannot be modified"),
        ("summarized", {"signature": ""}, "Invalid `signature` in `thinking` block"),
        ("summarized", {"signature": "bm90IG91cnM="}, "Invalid `signature` in `thinking` block"),
        ("summarized", {"signature": "no base64"}, "Invalid `signature` in `thinking` block"),
    ],
)
def test_changed_thinking_is_refused(api: Api, display: str, change: Json, message: str) -> None:
    """A block that was altered, or that the lab never made, is 400."""
    block = {**thought(api, display), **change}
    messages = [user("Hi."), assistant([block, text("OK.")]), user("And now?")]
    answer = api.post(valid(messages=messages))
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
