"""What breaks for whom: the measured table of the clients, row by row, and what checks add."""

from __future__ import annotations

from functools import cache

import pytest

from metaio_verify import Endpoint, verify
from metaio_verify.judge.reactions import CLIENTS
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import ClientResult, Reach, RunRecord

OK, AGAIN, BREAKS = "works", "works with a fallback", "breaks"
_NO_CHUNKS = "request ended without sending any chunks"
_NO_MESSAGE = "without producing a Message"
_READ = "Cannot read properties"
_CUT = "truncated answer looks complete"
_EMPTY_INPUT = "called with {}"

ROWS: dict[str, tuple[str, ...]] = {
    # fault: Claude Code 2.1, Python 2, Python before 2, TypeScript 1, TypeScript before 1
    "stream-without-event-lines": (
        AGAIN,
        "AssertionError",
        "AssertionError",
        _NO_CHUNKS,
        _NO_CHUNKS,
    ),
    "stream-done-sentinel": (OK, OK, OK, OK, OK),
    "stream-named-done": (OK, "JSONDecodeError", OK, "JSON error", OK),
    "truncated-stream-unfinished": (
        "Connection lost mid-response",
        _CUT,
        _CUT,
        _NO_MESSAGE,
        _NO_MESSAGE,
    ),
    "message-stop-missing": (OK, OK, OK, _NO_MESSAGE, _NO_MESSAGE),
    "message-delta-missing": (OK, OK, OK, OK, OK),
    "message-start-without-usage": (OK, "AttributeError", "AttributeError", _READ, _READ),
    "message-delta-without-usage": (OK, "AttributeError", "AttributeError", _READ, _READ),
    "block-index-from-one": (OK, "IndexError", "IndexError", "text is lost", "text is lost"),
    "block-start-missing": (AGAIN, "IndexError", "IndexError", _READ, _READ),
    "block-stop-missing": ("an empty answer", OK, OK, OK, OK),
    "message-start-missing": (
        AGAIN,
        "AssertionError",
        "RuntimeError",
        _NO_CHUNKS,
        "Unexpected event order",
    ),
    "message-start-content-null": (OK, "AttributeError", "AttributeError", _READ, _READ),
    "stream-as-json": (AGAIN, "AssertionError", "AssertionError", _NO_CHUNKS, _NO_CHUNKS),
    "stream-of-many-tools-empty": (
        AGAIN,
        "AssertionError",
        "AssertionError",
        _NO_CHUNKS,
        _NO_CHUNKS,
    ),
    "thinking-stream-cut": (AGAIN, _CUT, _CUT, _NO_MESSAGE, _NO_MESSAGE),
    "tool-input-only-in-start": (_EMPTY_INPUT, OK, OK, OK, OK),
    "tool-json-torn": (
        "InputValidationError",
        _EMPTY_INPUT,
        _EMPTY_INPUT,
        _EMPTY_INPUT,
        _EMPTY_INPUT,
    ),
    # Measured as well, though not in the first table
    "thinking-delta-in-text-block": (AGAIN, OK, OK, OK, OK),
    "block-index-repeated": ("only the last", "glued", "glued", "glued", "glued"),
}


@cache
def _run(*faults: str) -> RunRecord:
    lab = Lab(faults=faults)
    with running(lab) as url:
        return verify(Endpoint(url, lab.key, [lab.models[0].id]))


def _client(record: RunRecord, name: str) -> ClientResult:
    return next(one for one in record.clients if one.client == name)


@pytest.mark.parametrize("fault", ROWS)
def test_each_client_reacts_to_a_defect_of_a_stream_as_measured(fault: str) -> None:
    """The lab's defect gives the row of the table: what works, what recovers, what breaks."""
    found = _run(fault).clients
    assert [one.client for one in found] == list(CLIENTS)
    for one, expected in zip(found, ROWS[fault], strict=True):
        if expected in (OK, AGAIN):
            assert str(one.reach) == expected, one
        else:
            assert one.reach is Reach.BREAKS, one
            assert expected in one.troubles[0].sees


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
