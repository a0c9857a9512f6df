"""Each variant shows on the wire; that none is an alarm is proven in `proof/test_variants.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lab.labtest import MODEL, WEATHER, Api, assistant, serving, text, user, valid

from metaio_verify.errors import UserError
from metaio_verify.lab.app import Lab
from metaio_verify.lab.change import Change, Stage
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.types import Event, Request
from metaio_verify.lab.variants import VARIANTS

Probe = Callable[[Api], Any]
BIG = "x" * (33 * 1024 * 1024)
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
SAY = "Reply with exactly: Grüße an alle"
USE = "Use the tool get_weather for Paris."
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": {"city": "Paris"}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "Sunny"}
TRIP = [user("Weather?"), assistant([CALL]), user([RESULT])]


def refusal(
    *words: str, prompt: str = SAY, headers: dict[str, str] | None = None, **body: Any
) -> Probe:
    """Tell whether a message is refused with 400 in these words."""

    def probe(api: Api) -> bool:
        answer = api.post(valid(**{"messages": [user(prompt)], **body}), **(headers or {}))
        told = answer.json()["error"]["message"]
        return answer.status_code == 400 and all(word in told for word in words)

    return probe


def status(wanted: int, path: str = "/v1/messages", method: str = "POST", **body: Any) -> Probe:
    """Tell whether a request gets this status."""
    return lambda api: api.client.request(method, path, json=body or None).status_code == wanted


def posted(wanted: int, **body: Any) -> Probe:
    """Tell whether a message gets this status."""
    return lambda api: api.post(valid(**body)).status_code == wanted


def said(see: Callable[[dict[str, Any]], Any], prompt: str = SAY, **body: Any) -> Probe:
    """Tell what a message looks like."""
    return lambda api: see(api.message(prompt, **body))


def streamed(see: Callable[[list[dict[str, Any]]], Any], prompt: str = SAY, **body: Any) -> Probe:
    """Tell what the events of a stream look like."""
    return lambda api: see(api.events(prompt, **body))


def raw(see: Callable[[str], Any], prompt: str = SAY, **body: Any) -> Probe:
    """Tell what a body looks like, byte for byte."""
    return lambda api: see(api.post(valid(**{"messages": [user(prompt)], **body})).text)


def headers(see: Callable[[Any], Any], **body: Any) -> Probe:
    """Tell what the headers of a message look like."""
    return lambda api: see(api.post(valid(**body)).headers)


def listed(see: Callable[[dict[str, Any]], Any], query: str = "") -> Probe:
    """Tell what the list of models looks like."""
    return lambda api: see(api.client.get(f"/v1/models{query}").json())


def paid_until(wanted: int) -> Probe:
    """Tell whether messages get this status after a while."""
    return lambda api: [api.post(valid()).status_code for _ in range(31)] == [200] * 30 + [wanted]


def types(message: dict[str, Any]) -> list[str]:
    """Return the types of a message's blocks."""
    return [block["type"] for block in message["content"]]


def _ends(events: list[dict[str, Any]], name: str) -> bool:
    return bool(events[-1]["type"] == name)


THINK = {"type": "enabled", "budget_tokens": 1024}
MANY = [{**WEATHER, "name": f"tool_{number}"} for number in range(12)]
PROBES: dict[str, Probe] = {
    # refusals
    "sampling-refused": refusal("temperature", temperature=1),
    "max-tokens-zero-refused": refusal("max_tokens", max_tokens=0),
    "output-limit-low": refusal("max_tokens: 9000", max_tokens=9000),
    "window-counts-output": refusal("exceed context limit", max_tokens=64000),
    "effort-refused": refusal("effort", output_config={"effort": "low"}),
    "structured-output-refused": refusal(
        "output_config",
        output_config={
            "format": {
                "type": "json_schema",
                "schema": {"type": "object", "additionalProperties": False},
            }
        },
    ),
    "safeguards-refused": refusal("safeguards", safeguards=[{"type": "dangerous_tool_use"}]),
    "newest-parameters-refused": refusal("speed", speed="fast"),
    "top-level-cache-control-refused": refusal(
        "cache_control", cache_control={"type": "ephemeral"}
    ),
    "adaptive-thinking-refused": refusal("adaptive thinking", thinking={"type": "adaptive"}),
    "enabled-thinking-refused": refusal("thinking", max_tokens=2048, thinking=THINK),
    "disabled-thinking-refused": refusal("thinking", thinking={"type": "disabled"}),
    "all-thinking-refused": refusal("thinking", max_tokens=2048, thinking=THINK),
    "role-system-refused": refusal("role", messages=[user("Hi."), SYSTEM]),
    "prefill-refused": refusal("prefill", messages=[user("Hi."), assistant("I")]),
    "assistant-first-refused": refusal("first", messages=[assistant("I"), user("Hi.")]),
    "thinking-refused-as-reasoning": refusal("reasoning", thinking={"type": "adaptive"}),
    "media-refused": refusal("image", messages=[user([IMAGE, text("?")])]),
    "media-by-url-refused": refusal("base64", messages=[user([IMAGE, text("?")])]),
    "forced-tool-choice-refused": refusal(
        "tool_choice", tools=[WEATHER], tool_choice={"type": "any"}
    ),
    "server-tools-refused": refusal(
        "web_search", tools=[{"type": "web_search_20250305", "name": "web_search"}]
    ),
    "unknown-beta-refused": refusal(
        "Unexpected value(s)", "x-1", headers={"anthropic_beta": "effort-2025-11-24,x-1"}
    ),
    "stale-credential-refused": lambda api: (
        api.post(valid(), authorization="Bearer old").status_code == 401
    ),
    "count-tokens-not-served": status(404, "/v1/messages/count_tokens"),
    "count-tokens-not-supported": status(501, "/v1/messages/count_tokens"),
    "start-up-probes-refused": status(404, "/api/hello", "HEAD"),
    "spend-limit-reached": paid_until(429),
    "money-used-up": paid_until(402),
    "organization-limit-reached": paid_until(400),
    "streams-limited-at-first": lambda api: (
        [api.post(valid(stream=True)).status_code for _ in range(2)] == [429, 200]
    ),
    # leniency
    "lenient-validation": posted(200, stop_sequences=[""], metaio=1),
    "unknown-fields-accepted": posted(200, metaio=1),
    "max-tokens-defaulted": posted(200, max_tokens=None),
    "any-model-answered": posted(200, model="other"),
    "unknown-model-is-400": posted(400, model="other"),
    "no-authentication": lambda api: api.post(valid(), x_api_key="x").status_code == 200,
    "version-not-required": lambda api: api.post(valid(), anthropic_version="1").status_code == 200,
    "signatures-not-checked": posted(
        200,
        messages=[
            user("Hi."),
            assistant([{"type": "thinking", "thinking": "?", "signature": ""}, text("Hi.")]),
            user("Hi."),
        ],
    ),
    "wrong-method-is-404": status(404, "/v1/messages", "GET"),
    "unknown-path-is-plain-404": lambda api: (
        api.client.get("/v1/no").json() == {"detail": "Not Found"}
    ),
    "unknown-path-redirects": lambda api: api.client.get("/v1/no").status_code == 302,
    "proxy-refuses-large-bodies": lambda api: (
        "<html>" in api.client.post("/v1/messages", content=BIG).text
    ),
    # models
    "models-not-served": status(404, "/v1/models", "GET"),
    "all-models-on-one-page": listed(lambda page: len(page["data"]) > 1, "?limit=1"),
    "one-model-listed": listed(lambda page: (len(page["data"]), page["has_more"]) == (1, False)),
    "models-without-details": listed(lambda page: "capabilities" not in page["data"][0]),
    "models-with-new-fields": listed(lambda page: "prices" in page["data"][0]),
    "model-alias-resolved": lambda api: (
        api.client.get(f"/v1/models/{MODEL}").json()["id"] == f"{MODEL}-20261001"
    ),
    "count-is-an-estimate": lambda api: (
        api.count() > api.message("Reply with one word.")["usage"]["input_tokens"]
    ),
    # messages
    "message-id-without-prefix": said(lambda one: not one["id"].startswith("msg_")),
    "tool-id-without-prefix": said(
        lambda one: one["content"][-1]["id"].startswith("call_"), USE, tools=[WEATHER]
    ),
    "model-alias-answers": said(lambda one: one["model"] == f"{MODEL}-20261001"),
    "thinks-unasked": said(lambda one: one["content"][0].get("thinking")),
    "thinks-in-silence": said(lambda one: one["content"][0]["thinking"] == ""),
    "adaptive-thinking-not-needed": said(
        lambda one: types(one) == ["text"], thinking={"type": "adaptive"}
    ),
    "thinking-unsigned": said(
        lambda one: one["content"][0]["signature"] == "", thinking={"type": "adaptive"}
    ),
    "words-before-calls-are-thoughts": said(
        lambda one: types(one) == ["thinking", "tool_use"], USE, tools=[WEATHER]
    ),
    "calls-twice": said(
        lambda one: types(one)[-2:] == ["tool_use", "tool_use"], USE, tools=[WEATHER]
    ),
    "another-tool-chosen": said(
        lambda one: one["content"][-1]["name"] == "read_file",
        "Use the tool run_command.",
        tools=[{**WEATHER, "name": "run_command"}],
    ),
    "calls-without-words": said(lambda one: types(one) == ["tool_use"], USE, tools=[WEATHER]),
    "calls-name-their-caller": said(lambda one: one["content"][-1]["caller"], USE, tools=[WEATHER]),
    "server-tool-call-left-open": said(
        lambda one: types(one)[-2:] == ["server_tool_use", "tool_use"], USE, tools=[WEATHER]
    ),
    "nothing-to-add-after-tools": said(
        lambda one: (one["content"], one["stop_reason"]) == ([], "end_turn"), messages=TRIP
    ),
    "text-with-citations": said(lambda one: one["content"][0]["citations"] is None),
    "unknown-fields": said(lambda one: one["content"][0]["mood"] and one["usage"]["energy"]),
    "optional-fields-absent": said(lambda one: "service_tier" not in one["usage"]),
    "cache-fields-zero": said(lambda one: "cache_creation" not in one["usage"]),
    "cache-fields-null": said(lambda one: one["usage"]["cache_read_input_tokens"] is None),
    "cache-fields-absent": said(lambda one: "cache_read_input_tokens" not in one["usage"]),
    # streams
    "no-pings": streamed(lambda events: {"type": "ping"} not in events),
    "pings-everywhere": streamed(lambda events: events.count({"type": "ping"}) > 4),
    "unknown-events": streamed(lambda events: events[1]["type"] == "progress"),
    "unknown-deltas": streamed(lambda events: "mood_delta" in str(events)),
    "several-message-deltas": streamed(lambda events: str(events).count("'message_delta'") == 2),
    "late-usage-is-output-only": streamed(lambda events: len(events[-2]["usage"]) == 1),
    "input-counted-late": streamed(
        lambda events: events[0]["message"]["usage"]["input_tokens"] == 0
    ),
    "thoughts-are-counted": streamed(
        lambda events: "estimated_tokens" in str(events), thinking={"type": "adaptive"}
    ),
    "one-delta-for-each-character": streamed(
        lambda events: str(events).count("text_delta") == len("Grüße an alle")
    ),
    "empty-deltas": streamed(lambda events: "{'type': 'text_delta', 'text': ''}" in str(events)),
    "event-data-escaped": raw(str.isascii, stream=True),
    "event-keys-reversed": raw(lambda body: 'data: {"message"' in body, stream=True),
    "lines-end-in-crlf": raw(lambda body: "\r\n\r\n" in body, stream=True),
    "no-space-after-colon": raw(lambda body: "\ndata:{" in body, stream=True),
    "comments": raw(lambda body: body.startswith(": "), stream=True),
    "event-ids-and-retry": raw(lambda body: "\nid: 2\n" in body, stream=True),
    "overloaded-in-the-middle": streamed(lambda events: _ends(events, "error"), tools=MANY),
    "overloaded-at-first": lambda api: (
        [_ends(api.events(tools=MANY), name) for name in ("error", "message_stop")] == [True, True]
    ),
    # moods of the model
    "refuses-what-is-special": said(
        lambda one: (one["stop_reason"], one["content"]) == ("refusal", []), tools=[WEATHER]
    ),
    "thinks-until-max-tokens": said(
        lambda one: (types(one), one["stop_reason"]) == (["thinking"], "max_tokens"),
        thinking={"type": "adaptive"},
    ),
    "model-refuses": said(lambda one: (one["stop_reason"], one["content"]) == ("refusal", [])),
    "model-refuses-in-words": said(
        lambda one: one["stop_reason"] == "refusal" and "cannot" in one["content"][0]["text"]
    ),
    "model-unwilling": said(lambda one: "sea" in one["content"][0]["text"]),
    "model-obeys-the-plain-sentence-only": said(
        lambda one: one["content"][0]["text"] == "Yes.", "Which token did I give you?"
    ),
    "model-ignores-tool-results": said(
        lambda one: one["content"][0]["text"] == "Yes.", tools=[WEATHER], messages=TRIP
    ),
    "model-reads-plain-results-only": said(
        lambda one: one["content"][0]["text"] == "Yes.",
        tools=[WEATHER],
        messages=[*TRIP[:2], user([{**RESULT, "content": [text("Sunny")]}])],
    ),
    "model-calls-without-arguments": said(
        lambda one: one["content"][-1]["input"] == {}, USE, tools=[WEATHER]
    ),
    "model-forgets-arguments": streamed(
        lambda events: "city" not in json.dumps(events),
        "Use the tool find_station for Paris.",
        tools=[{**WEATHER, "name": "find_station"}],
    ),
    "unknown-blocks": said(lambda one: types(one) == ["fallback", "text"]),
    "model-is-brief": said(
        lambda one: one["stop_reason"] == "end_turn", "Count from 1 to 200.", max_tokens=8
    ),
    "model-adds-words": said(
        lambda one: one["content"][0]["text"].startswith("Sure"),
        "Reply with exactly: VERIFY-AAAAAAAA",
    ),
    # transport
    "no-request-id": headers(lambda found: "request-id" not in found),
    "x-request-id": headers(lambda found: len(found["x-request-id"]) == 36),
    "header-names-in-capitals": headers(
        lambda found: b"CONTENT-TYPE" in [name for name, _ in found.raw]
    ),
    "many-headers": headers(lambda found: "anthropic-ratelimit-tokens-reset" in found),
    "json-with-charset": headers(lambda found: "charset" in found["content-type"]),
    "event-stream-without-charset": headers(
        lambda found: found["content-type"] == "text/event-stream", stream=True
    ),
    "json-chunked": headers(lambda found: found["transfer-encoding"] == "chunked"),
    "json-compressed": headers(lambda found: found["content-encoding"] == "gzip"),
    "connection-closed-each-time": headers(lambda found: found["connection"] == "close"),
    "json-spread-out": raw(lambda body: body.startswith('{\n  "')),
    "json-escaped": raw(lambda body: "Gr\\u00fc\\u00dfe" in body),
    "json-keys-reversed": said(lambda one: next(iter(one)) != "id"),
}
PACE = {"a-byte-at-a-time", "in-one-piece", "odd-pieces", "prompt-read-slowly", "slow-first-byte"}
"""What changes nothing but when bytes arrive, which no client is told."""


def test_every_variant_is_tried() -> None:
    """The table is complete."""
    assert VARIANTS.keys() == PROBES.keys() | PACE


@pytest.mark.parametrize("variant", PROBES)
def test_a_variant_shows(variant: str) -> None:
    """What its description says is so, and is not so without it."""
    with serving(Lab(variants=[variant])) as api, serving() as clean:
        assert PROBES[variant](api)
        assert not _holds(PROBES[variant], clean)


def _holds(probe: Probe, api: Api) -> bool:
    try:
        return bool(probe(api))
    except (AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError):
        return False


@pytest.mark.parametrize("variant", sorted(PACE))
def test_the_pace_changes_nothing_else(variant: str) -> None:
    """A client reads the same events."""
    with serving(Lab(variants=[variant])) as api:
        events = api.events(SAY)
    assert "".join(one["delta"]["text"] for one in events if "text" in one.get("delta", {})) == (
        "Grüße an alle"
    )


def test_a_variant_acts_before_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the same stage, a fault breaks what the variant made."""

    def named(events: list[Event], _request: Request) -> list[Event]:
        return [Event("names", {"type": "names", "names": [event.name for event in events]})]

    change = Change("named", Stage.EVENTS, "A test.", named)
    monkeypatch.setitem(FAULTS, "named", change)
    with serving(Lab(variants=["no-pings"], faults=["named"])) as api:
        (event,) = api.events(SAY)
    assert event["names"][:2] == ["message_start", "content_block_start"]
    assert "ping" not in event["names"]


def test_an_unknown_variant_names_the_nearest() -> None:
    """As for faults."""
    with pytest.raises(UserError, match="no-pings"):
        Lab(variants=["no-ping"])
