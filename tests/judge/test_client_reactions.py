"""What breaks for whom in a run: what its streams show, and what its checks add."""

from __future__ import annotations

from functools import cache

import pytest

from metaio_verify import Endpoint, Options, verify
from metaio_verify.judge.reactions import CLIENTS
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import ClientResult, Reach, RunRecord

WORKS, FALLBACK, BREAKS = Reach.WORKS, Reach.FALLBACK, Reach.BREAKS


@cache
def _run(*faults: str, variant: str = "") -> RunRecord:
    lab = Lab(faults=faults, variants=[variant] if variant else [])
    with running(lab) as url:
        return verify(Endpoint(url, lab.key, [lab.models[0].id]))


def _client(record: RunRecord, name: str) -> ClientResult:
    return next(one for one in record.clients if one.client == name)


@pytest.mark.parametrize(
    ("fault", "reaches", "sees"),
    [
        ("tool-input-only-in-start", [BREAKS, *[WORKS] * 4], "called with {}"),
        ("stream-named-done", [WORKS, BREAKS, WORKS, BREAKS, WORKS], "after the whole answer"),
        ("stream-as-json", [FALLBACK, *[BREAKS] * 4], "AssertionError"),
        ("stream-of-many-tools-fails", [FALLBACK, *[BREAKS] * 4], "APIStatusError"),
    ],
)
def test_what_a_run_says_of_its_clients_comes_from_its_streams(
    fault: str, reaches: list[Reach], sees: str
) -> None:
    """The lab's defect gives the row of the measured table: what works, recovers and breaks."""
    found = _run(fault).clients
    assert [one.client for one in found] == list(CLIENTS)
    assert [one.reach for one in found] == reaches
    broken = next(one for one in found if one.reach is Reach.BREAKS)
    assert sees in broken.troubles[0].sees


def test_everything_works_on_a_clean_endpoint() -> None:
    """No client has any trouble."""
    assert {(one.reach, len(one.troubles)) for one in _run().clients} == {(Reach.WORKS, 0)}


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("auth-ignores-bearer", {"anthropic-sdk-python>=2", "anthropic-sdk-typescript>=1"}),
        ("auth-ignores-x-api-key", {"anthropic-sdk-python<2", "anthropic-sdk-typescript<1"}),
    ],
)
def test_a_client_breaks_only_by_what_it_sends(fault: str, broken: set[str]) -> None:
    """Each SDK sends the key in one header; Claude Code in the one that its variable chooses."""
    found = _run(fault).clients
    assert {one.client for one in found if one.reach is Reach.BREAKS} == broken


def test_a_confusing_refusal_breaks_nobody() -> None:
    """What is wrong with the answer to a wrong key is a flaw; with the right key all works."""
    found = _client(_run("wrong-key-answered-400"), "claude-code")
    assert found.reach is Reach.WORKS
    assert found.troubles


def test_a_refusal_that_claude_code_gets_over_is_a_fallback() -> None:
    """Without context_management it sends the turn again."""
    found = _client(_run("context-management-refused"), "claude-code")
    assert found.reach is Reach.FALLBACK
    assert "drops it and sends the turn again" in found.troubles[0].sees
    assert found.switches == {"CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS": "1"}


def test_a_refusal_that_it_does_not_get_over_is_none() -> None:
    """Without adaptive thinking it sends a budget; where that is refused, too, thinking goes."""
    found = _client(_run(variant="all-thinking-refused"), "claude-code")
    assert found.reach is Reach.SETTING
    assert found.switches == {"MAX_THINKING_TOKENS": "0"}
    assert "is refused, too" in found.troubles[0].sees


def test_a_level_of_effort_is_sent_to_every_model_that_it_does_not_know() -> None:
    """A refusal may be right for the model, and still no turn works."""
    found = _client(_run(variant="effort-refused"), "claude-code")
    assert found.reach is Reach.BREAKS
    assert found.switches == {}


def test_a_fallback_that_fails_is_none() -> None:
    """A stream without names is no matter for Claude Code, unless the second request fails too."""
    record = _run("stream-without-event-lines", "plain-form-of-claude-code-refused")
    found = _client(record, "claude-code")
    assert found.reach is Reach.BREAKS
    assert "so does what replaces it" in " ".join(one.sees for one in found.troubles)


def test_a_switch_of_claude_code_is_named_where_it_helps() -> None:
    """The variant that its variable makes was answered, the full request was not."""
    found = _client(_run("adaptive-thinking-refused"), "claude-code")
    assert found.reach is Reach.SETTING
    assert found.switches == {"CLAUDE_CODE_DISABLE_ADAPTIVE_THINKING": "1"}


def test_where_no_switch_helps_it_breaks() -> None:
    """No variable of Claude Code takes output_config out."""
    found = _client(_run("output-config-refused"), "claude-code")
    assert found.reach is Reach.BREAKS
    assert found.switches == {}


def test_what_was_not_measured_is_not_known() -> None:
    """A stopped or narrowed run does not say that a client works."""
    lab = Lab()
    with running(lab) as url:
        record = verify(Endpoint(url, "sk-wrong"))
    assert {one.reach for one in record.clients} == {Reach.UNKNOWN}
    assert _reason(record, "claude-code") == (
        "this run could not judge its first request and its second request, with a tool result"
    )
    with running(lab) as url:
        narrow = Options(only=["auth.bearer", "headers.version-*"])
        record = verify(Endpoint(url, lab.key), narrow)
    python = _reason(record, "anthropic-sdk-python>=2")
    assert python == "this run did not test a plain message and a streamed message"
    assert "-01" not in " ".join(one.reason for one in record.clients)


def _reason(record: RunRecord, client: str) -> str:
    return next(one.reason for one in record.clients if one.client == client)
