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
    message,
    opened,
    said,
    streamed,
    target,
)

from metaio_verify.judge.rules.registry import NothingToJudgeError
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
        ([0.3 * n for n in range(1, 11)], 3.1, None),
        ([0.2] * 10, 1.5, None),
        ([2.9] * 10, 3.0, "after 2.90 of 3.00 s"),
        ([0.5] * 10, 3.0, "10 deltas at 1"),
        ([0.1, 0.2, 0.3, 0.4] + [2.9] * 36, 3.0, "36 of 40 at once, after 2.90 s"),
    ],
)
def test_incremental(times: list[float], total: float, actual: str | None) -> None:
    """A long stream comes piece by piece; a short one may come at once."""
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
