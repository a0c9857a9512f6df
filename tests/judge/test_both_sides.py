"""The rules about both sides of a gateway, on evidence made by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge.judging import apply_rule, exchange

from metaio_verify.judge.rules import RULES
from metaio_verify.judge.rules.registry import NothingToJudgeError, NotSeenError
from metaio_verify.lab.types import Answer
from metaio_verify.lab.upstream.play import play
from metaio_verify.lab.upstream.scripts import SCRIPTS
from metaio_verify.record import (
    Clock,
    Dialect,
    Exchange,
    Forwarded,
    ForwardedRequest,
    Played,
    SentRequest,
)
from metaio_verify.suite.load import builtin
from metaio_verify.suite.model import UPSTREAM

TOKEN = "VERIFY-ABCD1234"
PATHS = {
    Dialect.ANTHROPIC: "/v1/messages",
    Dialect.CHAT: "/v1/chat/completions",
    Dialect.RESPONSES: "/v1/responses",
}
CHECKS = [check for check in builtin().checks.values() if UPSTREAM in check.tags]
SENT = {
    "model": "m",
    "max_tokens": 9,
    "stream": True,
    "system": [{"type": "text", "text": "Be kind."}],
    "tools": [{"name": "t", "description": "d", "input_schema": {"properties": {"a": {}}}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "One."}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "1", "name": "t", "input": {}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "r"}]},
    ],
}


def sides(
    arrived: Any,
    came: Any = b"",
    *,
    dialect: Dialect = Dialect.ANTHROPIC,
    script: str = "text",
    sent: Any = SENT,
    times: int = 1,
    **fields: Any,
) -> Exchange:
    """An exchange whose request went up `times`, as `arrived`, and was answered by a script."""
    answer: Answer = play(SCRIPTS[script], TOKEN, PATHS[dialect], sent)
    body = (
        answer.body
        if answer.stream is None
        else b"".join(piece for piece in answer.stream if isinstance(piece, bytes))
    )
    text = arrived if isinstance(arrived, str) else json.dumps(arrived)
    forwarded = Forwarded(
        at=0.01,
        dialect=dialect,
        request=ForwardedRequest(method="POST", target=PATHS[dialect], headers=[], text=text),
        played=Played(
            status=answer.status,
            headers=list(answer.headers),
            text=body.decode(),
            chunks=[(0.1, len(body))],
            ended_at=0.5,
        ),
    )
    return exchange(
        came,
        request=SentRequest(
            method="POST", url="http://h/v1/messages?beta=true", headers=[], body=json.dumps(sent)
        ),
        forwarded=[forwarded] * times,
        **fields,
    )


HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["a", "text", "tool_use", "user"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("messages", "input", "content", "role", "type", "text", "tools", "system"),
                    *("tool_calls", "function", "name", "arguments", "parameters", "id", "error"),
                    *("tool_call_id", "call_id", "output", "instructions", "cache_control"),
                    *("source", "usage", "message", "stop", "tool_use_id", "required"),
                ]
            ),
            inner,
        )
    ),
)


LISTS = st.lists(HOSTILE, max_size=2)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", 1])},
    optional={
        "content": HOSTILE | LISTS | st.just([{"type": "tool_result"}, {"type": "text"}]),
        "tool_calls": HOSTILE | LISTS,
        "tool_call_id": HOSTILE,
    },
)
BODY = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(MESSAGE, max_size=2),
        "input": st.lists(MESSAGE, max_size=2),
        "tools": LISTS | st.just([{"name": "t", "function": {"name": "t", "parameters": 1}}]),
        "system": HOSTILE | LISTS,
        "stop": HOSTILE,
    },
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    arrived=HOSTILE | BODY,
    came=HOSTILE,
    dialect=st.sampled_from(list(PATHS)),
    script=st.sampled_from([id_ for id_, one in SCRIPTS.items() if not one.pause]),
)
def test_no_gateway_makes_a_rule_raise(
    arrived: Any, came: Any, dialect: Dialect, script: str
) -> None:
    """Every rule copes with whatever goes up and comes back."""
    one = sides(arrived, came, dialect=dialect, script=script)
    for check in CHECKS:
        assert isinstance(check.rule, str)
        args = {key.replace("-", "_"): value for key, value in check.args.items()}
        try:
            apply_rule(check.rule, one, **args)
        except NothingToJudgeError:
            continue


def test_what_was_cached_or_sent_twice_is_told_from_what_was_refused() -> None:
    """Only an answer that did not come from upstream is one from a cache."""
    assert apply_rule("one-request-up", sides(SENT, {"type": "message"})) == []
    twice = apply_rule("one-request-up", sides(SENT, {"type": "message"}, times=2))
    assert [actual for _, _, actual in twice] == ["2: 200"]
    cached = apply_rule("one-request-up", sides(SENT, {"type": "message"}, times=0))
    assert [actual for _, _, actual in cached] == ["0: 200"]
    with pytest.raises(NothingToJudgeError):
        apply_rule("one-request-up", sides(SENT, {"error": {}}, times=0, status=400))


def test_another_order_of_keys_and_another_form_of_numbers_are_the_same() -> None:
    """JSON may be written anew."""
    sent = {**SENT, "temperature": 1, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    arrived = {key: sent[key] for key in reversed(sent)}
    arrived |= {"temperature": 1.0, "cache_control": {"ttl": "1h", "type": "ephemeral"}}
    one = sides(arrived, sent=sent)
    assert apply_rule("values-forwarded", one, paths=["$.temperature", "$.tools"]) == []
    assert apply_rule("breakpoints-forwarded", one) == []
    assert apply_rule(
        "values-forwarded",
        sides({**arrived, "temperature": True}, sent=sent),
        paths=["$.temperature"],
    )


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ([{"type": "text", "text": "Follow the policy."}, *SENT["system"]], True),  # type: ignore[misc]
        ("Be kind.", False),
        ([{"type": "text", "text": "Be  kind!"}], False),
    ],
    ids=["added", "joined", "changed"],
)
def test_a_hidden_text_is_one_that_nobody_sent(system: Any, *, said: bool) -> None:
    """A text that was changed or joined is the business of other checks."""
    assert bool(apply_rule("nothing-hidden", sides({**SENT, "system": system}))) == said


def test_messages_of_one_role_may_be_joined() -> None:
    """They mean the same."""
    words = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    sent = {**SENT, "messages": [{"role": "user", "content": [word]} for word in words]}
    joined = {**SENT, "messages": [{"role": "user", "content": words}]}
    assert apply_rule("turns-forwarded", sides(joined, sent=sent)) == []
    assert apply_rule("turns-forwarded", sides({**SENT, "messages": []}, sent=sent))


def test_a_gateway_of_another_dialect_is_not_judged_by_the_rules_of_this_one() -> None:
    """The reason says what it speaks."""
    with pytest.raises(NothingToJudgeError, match="OpenAI chat completions"):
        apply_rule("system-forwarded", sides(SENT, dialect=Dialect.CHAT))
    with pytest.raises(NothingToJudgeError, match="the Anthropic API"):
        apply_rule("system-translated", sides(SENT))


def test_a_late_event_is_no_habit_but_a_third_of_them_is() -> None:
    """A machine with much to do may be late once."""
    deltas = [
        f'event: content_block_delta\ndata: {{"type":"content_block_delta","n":{n}}}\n\n'
        for n in range(9)
    ]
    sizes = [len(one) for one in deltas]
    played = Played(
        status=200,
        headers=[],
        text="".join(deltas),
        chunks=[(float(n), size) for n, size in enumerate(sizes)],
    )
    request = ForwardedRequest(method="POST", target="/v1/messages", headers=[], text="{}")
    forwarded = Forwarded(at=0, dialect=Dialect.ANTHROPIC, request=request, played=played)

    def late(*which: int) -> Exchange:
        chunks = [(n + (1.5 if n in which else 0.1), size) for n, size in enumerate(sizes)]
        head = [("content-type", "text/event-stream")]
        clock = Clock(total=11, chunks=chunks)
        return exchange("".join(deltas).encode(), headers=head, timing=clock, forwarded=[forwarded])

    assert apply_rule("events-on-time", late(3), within=1) == []
    assert apply_rule("events-on-time", late(3, 4, 5), within=1)


FAILED: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "stop_sequences": ["METAIO-STOP"],
    "messages": [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "1", "name": "t", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": "No Oslo"}
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"content": "No Oslo"}, False),
        ({"content": [{"type": "text", "text": "No Oslo"}]}, False),
        ({"content": '[{"type":"text","text":"No Oslo"}]'}, False),
        ({"content": "Error: No Oslo"}, True),
        ({"content": "❌ No Oslo"}, True),
        ({"content": '{"is_error":true,"content":"No Oslo"}'}, True),
        ({"content": "No Oslo", "is_error": True}, True),
    ],
)
def test_that_a_tool_failed_may_be_told_in_any_words(result: Any, *, told: bool) -> None:
    """But its text alone does not say so, whatever form that has."""
    call = {"id": "x", "function": {"name": "t", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "x", **result},
    ]
    one = sides({"messages": messages}, dialect=Dialect.CHAT, sent=FAILED)
    assert (apply_rule("failures-translated", one) == []) == told


@pytest.mark.parametrize(
    ("status", "came", "verdict"),
    [
        (200, {"type": "message", "content": [{"type": "text", "text": "This stops"}]}, "kept"),
        (200, {"type": "message", "content": [{"type": "text", "text": "a METAIO-STOP"}]}, "lost"),
        (400, {"error": {"message": "stop_sequences: not supported"}}, "skipped"),
    ],
)
def test_a_stop_sequence_is_judged_by_where_the_answer_ends(
    status: int, came: Any, verdict: str
) -> None:
    """So the gateway may send it up, look for it by itself, or refuse it by name."""
    one = sides({}, came, dialect=Dialect.CHAT, script="stop-sequence", sent=FAILED, status=status)
    if verdict == "skipped":
        with pytest.raises(NotSeenError, match="refuses stop sequences"):
            apply_rule("stop-sequences-kept", one)
    else:
        assert (apply_rule("stop-sequences-kept", one) == []) == (verdict == "kept")


def test_a_text_document_may_go_up_as_a_file() -> None:
    """Its content is then written in base64."""
    source = {"type": "text", "media_type": "text/plain", "data": "Two\nlines."}
    said = [{"type": "document", "source": source}]
    sent = {"model": "m", "messages": [{"role": "user", "content": said}]}
    data = "data:text/plain;base64,VHdvCmxpbmVzLg=="
    file = {"type": "file", "file": {"filename": "a.txt", "file_data": data}}
    as_file = {"messages": [{"role": "user", "content": [file]}]}
    for arrived, lost in ((as_file, False), ({"messages": []}, True)):
        one = sides(arrived, dialect=Dialect.CHAT, sent=sent)
        assert bool(apply_rule("data-translated", one, of="documents")) == lost


def test_an_absent_field_may_be_written_as_null_but_not_in_what_a_tool_is_given() -> None:
    """Typed objects are written so; the input of a call is data."""
    sent = {**SENT, "stream": False}
    played = json.loads(play(SCRIPTS["thoughtful-tools"], TOKEN, "/v1/messages", sent).body)
    text = next(block for block in played["content"] if block["type"] == "text")
    call = next(block for block in played["content"] if block["type"] == "tool_use")
    text["citations"] = None
    one = sides(SENT, played, script="thoughtful-tools", sent=sent)
    assert apply_rule("message-returned", one) == []
    call["input"]["more"] = None
    one = sides(SENT, played, script="thoughtful-tools", sent=sent)
    assert apply_rule("message-returned", one) != []


def test_every_rule_of_the_gateway_is_used() -> None:
    """What no check names would not be proven."""
    used = {check.rule for check in CHECKS}
    modules = ("forwarding", "returning", "translating_requests", "translating_answers")
    own = {name for name, rule in RULES.items() if rule.__module__.rpartition(".")[2] in modules}
    assert used == own
