from __future__ import annotations

from collections.abc import Sequence

import pytest
from judge.judging import (
    END,
    START,
    STOP,
    TEXT,
    apply_rule,
    closed,
    exchange,
    frame,
    merged,
    message,
    opened,
    said,
    streamed,
    target,
)
from msgspec.structs import replace

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules import RULES
from metaio_verify.judge.rules.registry import NothingToJudgeError, UnsureError
from metaio_verify.record import Exchange


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:pw@other/v1?key=secret", "302 to https://other/v1"),
        ("/login", "302 to /login"),
        ("http://[", "302 to an unreadable location"),
    ],
)
def test_not_redirected(location: str, shown: str) -> None:
    """A redirect is reported without what may be secret in its target."""
    assert apply_rule("not-redirected", exchange({}, headers=[("location", location)])) == []
    one = exchange({}, status=302, headers=[("location", location)])
    assert apply_rule("not-redirected", one) == [("status", "no redirect", shown)]


def test_no_credential_echo() -> None:
    """Where the credential was found is reported, not the credential."""
    assert apply_rule("no-credential-echo", exchange({})) == []
    assert apply_rule("no-credential-echo", exchange({}, leaks=["header x-echo", "body"])) == [
        ("header x-echo", "no credential", "the credential of the request"),
        ("body", "no credential", "the credential of the request"),
    ]


@pytest.mark.parametrize(
    ("text", "kind", "excerpt"),
    [
        (
            "Traceback (most recent call last):\n x",
            "stack trace",
            "Traceback (most recent call last)",
        ),
        ("E\n    at f (index.js:10:5)\n", "stack trace", "at f (index.js:10:5)"),
        ("can't open /usr/lib/x.py", "file path", "/usr/…"),
        ("C:\\Users\\bob\\x", "file path", "C:/Users/…"),
        ("Incorrect API key: sk-proj-abcdefghijklmnop", "key", "sk-pro…"),
        ("hash " + "a1" * 32, "key", "a1a1a1…"),
        ("arn:aws:bedrock:us-east-1:123456789012:model/x", "account id", "arn:aws:bedrock"),
        ("upstream 10.0.3.7 refused", "internal host", "10.…"),
        ("dial vllm.prod.svc.cluster.local:8000", "internal host", "….local"),
    ],
)
def test_no_internal_leak(text: str, kind: str, excerpt: str) -> None:
    """Each kind of leak is found, and another's secret is not shown in full."""
    error = {"type": "error", "error": {"type": "api_error", "message": text}}
    ((where, expected, actual),) = apply_rule("no-internal-leak", exchange(error, status=500))
    assert (where, expected) == ("body", f"no {kind}")
    assert actual.startswith(excerpt.replace("\\\\", "\\"))
    assert "ghijklmnop" not in actual
    assert "123456789012" not in actual
    assert apply_rule("no-internal-leak", exchange({"text": text})) == []


@pytest.mark.parametrize(
    "text",
    [
        "POST /v1/messages: messages: at least one message is required",
        "model: claude-opus-5-5 at https://h/v1/models",
        "x-api-key sk-ant-invalid-metaio-verify is not valid",
        "max_tokens: 10.5 > 10; the task-force risk-management-unit",
        "see http://h:8080/usr/local",
    ],
)
def test_what_is_no_leak(text: str) -> None:
    """Routes, versions, links and the program's own made-up keys are no secrets."""
    error = {"type": "error", "error": {"type": "api_error", "message": text}}
    assert apply_rule("no-internal-leak", exchange(error, status=400)) == []


def test_the_own_host_is_no_leak() -> None:
    """Whoever asks a private address knows it."""
    one = exchange({"error": {"message": "10.0.3.7:8000 says no"}}, status=500)
    assert apply_rule("no-internal-leak", one, on=target(base_url="http://10.0.3.7:8000")) == []


def arriving(times: Sequence[float], total: float, words: str = "word " * 10) -> Exchange:
    """A stream whose deltas come at these times."""
    deltas = [said(0, words) for _ in times]
    events = [START, opened(0, TEXT), *deltas, closed(0), END, STOP]
    moments = [times[0], times[0], *times, *[total] * 3]
    chunks = [(at, len(frame(event))) for at, event in zip(moments, events, strict=True)]
    return streamed(events, chunks=chunks, total=total)


@pytest.mark.parametrize(
    ("times", "total", "actual"),
    [
        pytest.param([0.3 * n for n in range(1, 11)], 3.1, None, id="bit by bit"),
        pytest.param([0.2] * 10, 1.5, None, id="a quick answer"),
        pytest.param([8 + 0.2 * n for n in range(1, 11)], 10.1, None, id="a slow prompt"),
        pytest.param([1.0, 2.0, 3.0], 3.1, None, id="sentence by sentence"),
        pytest.param([0.5] * 10, 3.0, None, id="at once, and then a late end"),
        pytest.param([0.1, 0.2, 0.3, 2.9, 2.9, 2.9], 3.0, None, id="half of it late"),
        pytest.param(
            [2.9] * 10, 3.0, "100% of it within 0.00 s, after 2.90 of 3.00 s", id="collected"
        ),
        pytest.param(
            [2.8 + 0.01 * n for n in range(10)],
            3.0,
            "90% of it within 0.08 s, after 2.80 of 3.00 s",
            id="collected, and torn by the network",
        ),
        pytest.param(
            [0.1, 0.2, 0.3, 0.4] + [2.9] * 36,
            3.0,
            "90% of it within 0.00 s, after 2.90 of 3.00 s",
            id="collected behind the first words",
        ),
    ],
)
def test_incremental(times: list[float], total: float, actual: str | None) -> None:
    """A long stream comes bit by bit; a short one may come at once, and late."""
    found = apply_rule("incremental", arriving(times, total))
    assert [one for _, _, one in found] == ([] if actual is None else [actual])


def test_incremental_is_asked_of_long_texts() -> None:
    """One word after a long wait is no sign of a buffer; the bound on time can be set."""
    assert apply_rule("incremental", arriving([2.9] * 2, 3.0, "word ")) == []
    quick = arriving([0.9] * 10, 1.0)
    assert apply_rule("incremental", quick) == []
    assert len(apply_rule("incremental", quick, longer_than=0.5)) == 1
    with pytest.raises(NothingToJudgeError):
        apply_rule("incremental", exchange(message()))


@pytest.mark.parametrize(("begins", "found"), [(0.2, 1), (2.7, 0)])
def test_a_wait_that_any_answer_has_is_no_buffer(begins: float, found: int) -> None:
    """A short stream that begins as late shows that the time went by before the first word."""
    short = Evidence(arriving([begins], begins, "word"))
    judged = Evidence(arriving([2.9] * 10, 3.0))
    answers = {"short": [short], "long": [judged]}
    said = RULES["incremental"](answers, {"control": "short"}, target(), None)
    assert len(said) == found
    assert all(one.exchange == judged.exchange.id for one in said)
    assert all(f"`short` began to write after {begins:.2f} s" in one.actual for one in said)


def test_what_was_read_late_was_not_sent_late() -> None:
    """A busy machine cannot tell; a short delay of its own does not matter."""
    late = arriving([2.9] * 10, 3.0)
    busy = replace(late, timing=replace(late.timing, lag=2.0))
    with pytest.raises(UnsureError, match="this machine was too busy to read"):
        apply_rule("incremental", busy)
    assert len(apply_rule("incremental", replace(late, timing=replace(late.timing, lag=0.3)))) == 1


def test_a_model_that_thought_in_silence_was_not_held_back() -> None:
    """Its thoughts stand in the answer, or only in the number of its tokens."""
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    events = [START, opened(0, thinking), closed(0), opened(1, TEXT), said(1, "word " * 100)]
    events += [closed(1), END, STOP]
    moments = [0.1, 0.1, 2.8, 2.8, 2.8, 2.9, 3.0, 3.0]
    chunks = [(at, len(frame(event))) for at, event in zip(moments, events, strict=True)]
    with pytest.raises(UnsureError, match="the model thought before it wrote"):
        apply_rule("incremental", streamed(events, chunks=chunks, total=3.0))
    hidden = [*events[:1], opened(0, TEXT), said(0, "word " * 100), closed(0)]
    hidden += [merged(END, {"usage": {"output_tokens": 900}}), STOP]
    moments = [0.1, 2.8, 2.8, 2.9, 3.0, 3.0]
    chunks = [(at, len(frame(event))) for at, event in zip(moments, hidden, strict=True)]
    with pytest.raises(UnsureError):
        apply_rule("incremental", streamed(hidden, chunks=chunks, total=3.0))
