"""Rules about headers, codings, counts, pages and refusals wherever they turn up in a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from judge.judging import apply_rule, exchange, target, text_stream, wire

from metaio_verify.judge.rules.registry import NotSeenError
from metaio_verify.record import REDACTED, Exchange, Failure, SentRequest

KEY = [("x-api-key", REDACTED)]


def _refused(status: int, text: str, type_: str = "invalid_request_error", **body: Any) -> Exchange:
    """A refusal of a request with this body, sent with the user's key and a beta value."""
    lines = [*KEY, ("anthropic-beta", "x")]
    request = SentRequest(method="POST", url="http://h", headers=lines, body=json.dumps(body))
    error = {"type": "error", "error": {"type": type_, "message": text}}
    return exchange(error, status=status, request=request)


def _with(name: str, value: str) -> Exchange:
    return exchange({}, headers=[(name, value)])


ADAPTIVE: dict[str, Any] = {"thinking": {"type": "adaptive"}}
DEVIATIONS = [
    ("recoverable-texts", [_refused(400, "maximum context length is 8192 tokens")]),
    ("recoverable-texts", [_refused(400, "Input tag 'adaptive' found", **ADAPTIVE)]),
    ("recoverable-texts", [_refused(400, "invalid beta flag")]),
    ("account-refusals", [_refused(403, "not for you", "forbidden")]),
    ("account-refusals", [_refused(402, "pay first", "permission_error")]),
    ("account-refusals", [_refused(400, "用户额度不足")]),
    ("account-refusals", [_refused(403, "quota of 5 dollars exceeded", "permission_error")]),
    ("error-details", [exchange({"error": {"details": "x"}}, status=400)]),
    ("error-details", [exchange({"error": {"details": {"error_code": 5}}}, status=400)]),
    ("rate-limit-headers", [_with("anthropic-ratelimit-tokens-reset", "12s")]),
    ("codings-decode", [exchange(b"x", failure=Failure(kind="encoding", detail="no gzip"))]),
    ("keeps-connections", [_with("connection", "close")]),
    ("page-ends", [exchange({"data": [{"id": "a"}], "first_id": "b"})]),
    ("page-ends", [exchange({"data": [], "last_id": "b"})]),
    ("counts-equal", [exchange({"input_tokens": 7}), exchange({"input_tokens": 8})]),
]
LEGAL = [
    ("recoverable-texts", [_refused(400, "prompt is too long: 9 tokens > 8 maximum")]),
    (
        "recoverable-texts",
        [_refused(400, "Adaptive thinking is not supported on this model", **ADAPTIVE)],
    ),
    ("account-refusals", [_refused(403, "not for you", "permission_error")]),
    ("error-details", [exchange({"error": {"details": {"error_code": "x"}}}, status=400)]),
    ("error-details", [exchange({"error": {"details": {}}}, status=400)]),
    ("rate-limit-headers", [_with("anthropic-ratelimit-tokens-reset", "2026-11-22T12:00:00Z")]),
    ("keeps-connections", [exchange({}, status=400, headers=[("connection", "close")])]),
    ("page-ends", [exchange({"data": [{"id": "a"}], "first_id": "a", "last_id": "a"})]),
    ("page-ends", [exchange({"data": [], "first_id": None, "last_id": None})]),
    ("page-ends", [exchange({"data": [{"name": "a"}], "first_id": "b"})]),
    ("newest-first", [exchange({"data": [{"id": "a"}, {"id": "b", "created_at": "2026"}]})]),
    ("counts-equal", [exchange({"input_tokens": 7}), exchange({"input_tokens": 7})]),
]
NOT_SEEN = [
    ("recoverable-texts", _refused(400, "maximum context length", max_tokens=200_000)),
    ("recoverable-texts", _refused(400, "model: Field required")),
    ("account-refusals", exchange(b"<html>", status=403)),
    ("account-refusals", _refused(400, "model: Field required")),
    ("error-details", _refused(400, "no")),
    ("compressed-streams-flow", exchange(wire(text_stream()))),
]


@pytest.mark.parametrize(("name", "exchanges"), DEVIATIONS)
def test_a_deviation_is_found(name: str, exchanges: list[Exchange]) -> None:
    """Each of these is one finding."""
    assert len(apply_rule(name, *exchanges)) == 1


@pytest.mark.parametrize(("name", "exchanges"), LEGAL)
def test_what_is_right_is_left_alone(name: str, exchanges: list[Exchange]) -> None:
    """None of these is a finding."""
    assert apply_rule(name, *exchanges) == []


@pytest.mark.parametrize(("name", "one"), NOT_SEEN)
def test_a_rule_says_when_it_saw_nothing(name: str, one: Exchange) -> None:
    """What the rule is about does not occur in these."""
    with pytest.raises(NotSeenError):
        apply_rule(name, one)


def test_old_models_come_last() -> None:
    """The place where the order breaks is told once."""
    dates = ["2026-04-01T00:00:00Z", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"]
    page = {"data": [{"id": date[:7], "created_at": date} for date in dates]}
    ((_, expected, actual),) = apply_rule("newest-first", exchange(page))
    assert dates[0] in expected
    assert dates[1] in actual


def test_one_key_has_one_organization() -> None:
    """A second value of the header is a finding."""
    name = "anthropic-organization-id"
    answers = [_with(name, "a"), _with(name, "a"), _with(name, "b")]
    assert len(apply_rule("same-header", *answers, header=name)) == 1
    assert apply_rule("same-header", *answers[:2], header=name) == []


@pytest.mark.parametrize(
    ("url", "deviates"),
    [
        ("https://gateway.example.com", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://localhost:8080/x", False),
        ("http://gateway.example.com", True),
        ("http://192.168.1.7:8080", True),
    ],
)
def test_only_this_machine_needs_no_tls(url: str, *, deviates: bool) -> None:
    """Everything else is https."""
    assert bool(apply_rule("encrypted", on=target(base_url=url))) == deviates


def _unauthorized(text: str) -> Exchange:
    return exchange({"error": {"type": "authentication_error", "message": text}}, status=401)


@pytest.mark.parametrize(
    ("in_url", "deviates"), [("no key", False), ("wrong key", True), ("key in URL", False)]
)
def test_a_key_in_the_url_is_recognised_by_its_refusal(in_url: str, *, deviates: bool) -> None:
    """It is read from there when it is refused like a wrong key and unlike a missing one."""
    wrong = [_unauthorized("wrong key")] * 3
    found = apply_rule("url-key-unread", _unauthorized(in_url), _unauthorized("no key"), *wrong)
    assert bool(found) == deviates


def test_an_endpoint_that_says_the_same_to_all_tells_nothing_of_the_url() -> None:
    """A missing and a wrong key have to be told apart first."""
    with pytest.raises(NotSeenError):
        apply_rule("url-key-unread", *[_unauthorized("no")] * 5)
