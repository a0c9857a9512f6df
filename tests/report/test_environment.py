from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from report.parts import BASE, MODEL, exchange, judgement, record

from metaio_verify.record import ClientResult, Exchange, Reach, Received, RunRecord, Target
from metaio_verify.report.environment import settings
from metaio_verify.report.markdown import render as page_of
from metaio_verify.report.terminal import render
from metaio_verify.verdict import Verdict

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
CANONICAL = [OPUS, SONNET, HAIKU]
ADDRESS = {"ANTHROPIC_BASE_URL": BASE, "ANTHROPIC_API_KEY": "sk-your-token"}


def run(
    *models: str, listed: list[str] | None = None, more: list[Exchange] | None = None
) -> RunRecord:
    """Return a clean run on these models; without a list, discovery was answered 404."""
    target = Target(
        base_url=BASE,
        given_url=BASE,
        models=list(models),
        auth="x-api-key",
        auth_styles={"x-api-key": True, "bearer": False},
        listed_models=listed or [],
    )
    found = record(models=models, target=target, more=more or [])
    if listed is not None:
        return found
    gone = exchange("models-list", method="GET", path="/v1/models", status=404)
    others = [one for one in found.exchanges if one.probe != "models-list"]
    return replace(found, exchanges=[*others, gone])


def listing(**entry: object) -> Exchange:
    """Return the answer to a model list with one entry."""
    body = json.dumps({"data": [entry]})
    answer = Received(status=200, http_version="HTTP/1.1", headers=[], text=body)
    return replace(exchange("models", method="GET", path="/v1/models"), response=answer)


def refusal(message: str, model: str = MODEL) -> Exchange:
    """Return a refused message."""
    body = json.dumps({"type": "error", "error": {"type": "x", "message": message}})
    answer = Received(status=400, http_version="HTTP/1.1", headers=[], text=body)
    return replace(exchange("long", model=model, id_="long"), response=answer)


def needed(found: RunRecord) -> dict[str, str]:
    """Return what has to be set."""
    return {one.name: one.value for one in settings(found) if one.needed}


def test_an_endpoint_like_the_api_needs_only_address_and_token() -> None:
    """With the ids that Claude Code asks for, nothing else is called for."""
    assert needed(run(OPUS, listed=CANONICAL)) == ADDRESS


def test_ids_that_are_not_served_are_replaced() -> None:
    """The main model is named, each alias goes to a listed relative or to that model."""
    found = needed(run("gpt-5.4", listed=["gpt-5.4", "vendor/haiku-mini", SONNET]))
    assert found == {
        **ADDRESS,
        "ANTHROPIC_MODEL": "gpt-5.4",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "gpt-5.4",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "vendor/haiku-mini",
    }


def test_what_was_not_measured_is_only_offered() -> None:
    """Without a list nobody knows whether the aliases work, so they are comments in the block."""
    found = run(MODEL)
    assert needed(found) == {**ADDRESS, "ANTHROPIC_MODEL": MODEL}
    offered = [one for one in settings(found) if not one.needed]
    assert [one.line.partition("=")[0] for one in offered] == [
        f"# export ANTHROPIC_DEFAULT_{family}_MODEL" for family in ("OPUS", "SONNET", "HAIKU")
    ]


@pytest.mark.parametrize(
    ("model", "listed", "words"),
    [
        (SONNET, CANONICAL, "which this run did not verify"),
        (SONNET, [SONNET], "does not list"),
        (SONNET, None, "not known whether that is served"),
    ],
)
def test_a_model_is_named_with_a_reason(model: str, listed: list[str] | None, words: str) -> None:
    """Claude Code starts with another id than the one that was verified."""
    (one,) = [one for one in settings(run(model, listed=listed)) if one.name == "ANTHROPIC_MODEL"]
    assert words in one.reason


@pytest.mark.parametrize(
    ("model", "evidence", "limit"),
    [
        (MODEL, [listing(id=MODEL, max_tokens=8192)], "8192"),
        (MODEL, [listing(id="other", max_tokens=8192)], None),
        (MODEL, [listing(id=MODEL, max_tokens=64_000)], None),
        (OPUS, [listing(id=OPUS, max_tokens=64_000)], "64000"),
        (
            MODEL,
            [refusal("max_tokens: 99 > 4096, which is the maximum allowed number")],
            "4096",
        ),
        (MODEL, [refusal("max_tokens is too large; it must be at most 16384.")], "16384"),
        (MODEL, [refusal("model supports at most 4096 completion tokens")], "4096"),
        (MODEL, [refusal("max_tokens: must be at least 1")], None),
        (MODEL, [refusal("max_tokens: 9 > 4096, the maximum", model="other")], None),
    ],
)
def test_the_output_is_limited_where_the_model_writes_less_than_is_asked_for(
    model: str, evidence: list[Exchange], limit: str | None
) -> None:
    """The limit comes from the model list or from a refusal, and from nothing else."""
    found = needed(run(model, listed=[model], more=evidence))
    assert found.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS") == limit


@pytest.mark.parametrize(
    ("model", "evidence", "window"),
    [
        (MODEL, [listing(id=MODEL, max_input_tokens=200_000)], "200000"),
        (MODEL, [listing(id=MODEL, max_model_len=32_768)], "32768"),
        (MODEL, [listing(id=MODEL, max_input_tokens=1_000_000)], None),
        (MODEL, [refusal("prompt is too long: 210000 tokens > 131072 maximum")], "131072"),
        ("claude-sonnet-4-6", [listing(id="claude-sonnet-4-6", max_input_tokens=200_000)], None),
    ],
)
def test_the_window_is_set_where_claude_code_assumes_more(
    model: str, evidence: list[Exchange], window: str | None
) -> None:
    """It knows the windows of Claude's models and takes a million of all others."""
    found = needed(run(model, listed=[model], more=evidence))
    assert found.get("CLAUDE_CODE_AUTO_COMPACT_WINDOW") == window


def test_what_is_refused_is_switched_off() -> None:
    """The variable that leaves out the refused part comes from the client's result."""
    switches = {"CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1"}
    client = ClientResult(client="claude-code", reach=Reach.SETTING, switches=switches)
    found = replace(run(OPUS, listed=CANONICAL), clients=[client])
    assert needed(found) == {**ADDRESS, **switches}


def test_what_claude_code_gets_over_may_be_switched_off() -> None:
    """The variable spares a request that is refused each time, and nothing breaks without it."""
    switches = {"CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1"}
    client = ClientResult(client="claude-code", reach=Reach.FALLBACK, switches=switches)
    found = replace(run(OPUS, listed=CANONICAL), clients=[client])
    assert needed(found) == ADDRESS
    (one,) = [one for one in settings(found) if not one.needed]
    assert one.line == '# export CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS="1"'
    assert "spares the refused request" in one.reason


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("input length and `max_tokens` exceed context limit: 12 + 128000 > 32768, …", "8192"),
        (
            "maximum context length is 32768 tokens. You requested 9 (1 and 8 in the completion)",
            "8192",
        ),
        ("input length and `max_tokens` exceed context limit: 12 + 128000 > 120000, …", None),
    ],
)
def test_an_answer_leaves_room_for_the_prompt(message: str, limit: str | None) -> None:
    """Where both share the window, Claude Code must not ask for all of it as an answer."""
    found = needed(run(MODEL, listed=[MODEL], more=[refusal(message)]))
    assert found.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS") == limit


def test_a_small_window_may_be_shared() -> None:
    """Some servers count the answer, too; where that was not measured it is an offer."""
    found = run(MODEL, listed=[MODEL], more=[listing(id=MODEL, max_model_len=32_768)])
    assert "CLAUDE_CODE_MAX_OUTPUT_TOKENS" not in needed(found)
    assert '# export CLAUDE_CODE_MAX_OUTPUT_TOKENS="8192"' in [one.line for one in settings(found)]


def test_a_second_request_that_fails_may_be_switched_off() -> None:
    """It only hides the first error, so it is an offer."""
    failed = replace(judgement("x", Verdict.FAIL), contract=["CCO-05"])
    found = run(OPUS, listed=CANONICAL)
    found = replace(found, verdicts=[*found.verdicts, failed])
    (one,) = [one for one in settings(found) if not one.needed]
    assert one.line == '# export CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK="1"'


def test_the_block_stands_in_both_reports() -> None:
    """The page always has it, a terminal for Claude Code's profile; no reason comes twice."""
    found = run("gpt-5.4", listed=["gpt-5.4", "claude-x"])
    profile = replace(found.selection, profile="claude-code")
    terminal = render(replace(found, selection=profile))
    for one in settings(found):
        assert one.line in page_of(found)
        assert one.line in terminal
    assert "Environment for Claude Code" not in render(found)
    assert terminal.count("alias stands for") == 1
