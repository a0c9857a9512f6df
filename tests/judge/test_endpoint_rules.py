"""The rules about routes, refusals, model lists and rate limits."""

from __future__ import annotations

from typing import Any

import pytest
from judge.judging import exchange, message, target

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules import RULES
from metaio_verify.judge.rules.registry import NothingToJudgeError
from metaio_verify.record import Exchange, Finding, SentRequest


def _findings(name: str, *exchanges: Exchange, **args: Any) -> list[Finding]:
    """Apply a rule to one exchange for each of the probes p1, p2 and so on."""
    answers = {f"p{n}": [Evidence(one)] for n, one in enumerate(exchanges, start=1)}
    return RULES[name](answers, args, target(), None)


def _error(
    status: int, text: Any = "model: Field required", type_: Any = "invalid_request_error"
) -> Exchange:
    body = {"type": "error", "error": {"type": type_, "message": text}}
    return exchange(body, status=status)


def _page(*ids: str, **fields: Any) -> Exchange:
    return exchange({"data": [{"id": id_} for id_ in ids], **fields})


@pytest.mark.parametrize(
    "answer",
    [
        exchange(message()),
        _error(401),
        _error(403),
        exchange(b"", status=429, headers=[("retry-after", "3")]),
        exchange(
            {"error": {"message": "model: Small-1 does not exist"}},
            status=404,
            values={"model": "small-1"},
        ),
    ],
)
def test_a_route_is_served_when_its_answer_is_about_something_else(answer: Exchange) -> None:
    """A message, a refused credential, a limit or an unknown model: the route is there."""
    missing = exchange(b"404 page not found", status=404)
    assert _findings("messages-served", missing, answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        exchange(b"404 page not found", status=404),
        exchange({"error": {"message": "Not Found"}}, status=404, values={"model": "small-1"}),
        exchange(b"<html>", headers=[("content-type", "text/html")]),
        exchange(b"", status=307),
        _error(500),
        _error(400),
        exchange(status=None),
    ],
)
def test_a_route_is_not_served_when_nothing_answers_a_minimal_message(answer: Exchange) -> None:
    """Each of the answers is reported."""
    assert len(_findings("messages-served", answer, answer)) == 2


def test_only_the_named_probe_has_to_succeed() -> None:
    """The other probes of the check are there for its alternatives."""
    refused = _error(401)
    assert _findings("one-succeeds", refused, exchange(message())) == []
    assert len(_findings("one-succeeds", refused, exchange(message()), among=["p1"])) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null", b'"text"'])
def test_a_success_without_content_is_found(body: bytes) -> None:
    """Only a JSON object with something in it, or events, make a success."""
    assert len(_findings("success-has-content", exchange(body))) == 1
    assert _findings("success-has-content", exchange(body, status=404)) == []


@pytest.mark.parametrize(
    "answer",
    [
        exchange(b"", status=429),
        exchange(b"Invalid key", status=401),
        exchange({"detail": "Not Found"}, status=404),
        _error(400, ""),
        _error(400, {"message": "x"}),
        _error(400, "\x1f\ufffd\x08"),
    ],
)
def test_an_error_without_a_readable_message_is_found(answer: Exchange) -> None:
    """No text, no string, and bytes that were taken for text."""
    assert len(_findings("error-message", answer)) == 1


def test_a_message_of_several_lines_is_readable() -> None:
    """Line breaks and tabs are no garbage."""
    assert _findings("error-message", _error(400, "messages:\n\tField required")) == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"error": {"type": "x", "message": "y"}}, "$.type"),
        ({"type": "error", "error": {"message": "y"}}, "$.error.type"),
        ({"type": "error", "error": "y"}, "$.error.type"),
        ([], "$.type"),
    ],
)
def test_a_broken_envelope_is_found(body: Any, where: str) -> None:
    """The finding says which part is missing."""
    assert [f.where for f in _findings("error-envelope", exchange(body, status=400))] == [where]


@pytest.mark.parametrize("rule", ["error-message", "error-envelope"])
def test_without_a_refusal_there_is_nothing_to_judge(rule: str) -> None:
    """An endpoint that takes everything does not pass for one that refuses well."""
    with pytest.raises(NothingToJudgeError):
        _findings(rule, exchange(message()))


def test_the_type_of_an_error_belongs_to_its_status() -> None:
    """Statuses that are not listed are left alone."""
    types = {"400": ["invalid_request_error"]}
    good, bad, other = _error(400), _error(400, type_="Bad Request"), _error(502, type_="x")
    assert _findings("error-types", good, other, types=types) == []
    assert [f.actual for f in _findings("error-types", good, bad, types=types)] == ['"Bad Request"']
    assert len(_findings("error-types", exchange({"detail": []}, status=400), types=types)) == 1


def test_a_listed_status_has_to_occur() -> None:
    """A rule about 401 is not met by answers of other kinds."""
    assert len(_findings("error-types", exchange(message()), types={"401": ["x"]})) == 1


def test_an_error_names_its_field_anywhere_in_its_body() -> None:
    """A framework's own shape may name it outside of the message; other statuses are left alone."""
    elsewhere = exchange({"detail": [{"loc": ["body", "model"]}]}, status=422)
    assert _findings("error-names", elsewhere, _error(500, "oops"), names={"p1": "model"}) == []
    assert len(_findings("error-names", _error(400, "oops"), names={"p1": "model"})) == 1


def test_an_error_with_status_200_is_found() -> None:
    """In Anthropic's envelope and in OpenAI's."""
    answers = [_error(200), exchange({"error": {"message": "x"}}), exchange(message())]
    assert [f.where for f in _findings("no-error-in-success", *answers)] == ["status", "status"]


@pytest.mark.parametrize(
    ("value", "expected"), [("3", 0), (" 0 ", 0), ("soon", 1), ("-1", 1), ("", 1), (None, 1)]
)
def test_a_429_has_whole_seconds(value: str | None, expected: int) -> None:
    """Anything else makes clients guess."""
    headers = [] if value is None else [("retry-after", value)]
    assert len(_findings("retry-after", exchange(b"", status=429, headers=headers))) == expected


def test_spent_money_needs_no_time_to_wait() -> None:
    """A spend cap is not over in some seconds."""
    assert _findings("retry-after", _error(429, type_="billing_error")) == []


def test_without_a_429_there_is_nothing_to_judge() -> None:
    """Nothing is said about a limit that was not met."""
    with pytest.raises(NothingToJudgeError):
        _findings("retry-after", exchange(message()))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (_page("a", has_more=True), 0),
        (_page("a", has_more=False), 1),
        (_page("a"), 1),
        (_page("a", "b", has_more=False), 0),
        (_page(), 0),
        (_error(400), 0),
    ],
)
def test_has_more_is_compared_with_the_whole_list(page: Exchange, expected: int) -> None:
    """Only a page that is shorter than the list has to say that more follows."""
    whole = _page("a", "b", has_more=False)
    assert len(_findings("has-more-is-true", whole, page)) == expected


@pytest.mark.parametrize(
    ("path", "id_", "expected"),
    [("m-1", "m-1", 0), ("m-1", "m-2", 1), ("vendor/m-1", "vendor/m-1", 0), ("v%2Fm", "v/m", 0)],
)
def test_a_model_is_retrieved_under_its_own_id(path: str, id_: str, expected: int) -> None:
    """The id in the URL may hold slashes, encoded or not."""
    sent = SentRequest(method="GET", url=f"http://h/v1/models/{path}", headers=[])
    assert len(_findings("retrieves-same-id", exchange({"id": id_}, request=sent))) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 401}, []),
        ({"body": b"the key sk-ant-invalid-metaio-verify is unknown"}, ["body"]),
        ({"headers": [("x-debug", "Bearer sk-ant-invalid-metaio-verify")]}, ["header x-debug"]),
    ],
)
def test_the_made_up_key_counts_as_a_credential(
    answer: dict[str, Any], expected: list[str]
) -> None:
    """It is no secret, but who repeats it repeats real keys too."""
    key = [("authorization", "Bearer sk-ant-invalid-metaio-verify")]
    sent = SentRequest(method="POST", url="http://h/v1/messages", headers=key)
    found = _findings("no-credential-echo", exchange(request=sent, **answer))
    assert [finding.where for finding in found] == expected
