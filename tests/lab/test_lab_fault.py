from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lab.labtest import Api, serving, user, valid

from metaio_verify.errors import UserError
from metaio_verify.lab.app import Lab
from metaio_verify.lab.change import Change, Registry, Stage
from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.types import Answer, ApiError, Event, Request

Probe = Callable[[Api], Any]


def drop_key(request: Request) -> Request:
    """Take the key out."""
    return request.without_header("x-api-key")


def teapot(_request: Request) -> Answer:
    """Answer everything at once."""
    return Answer.of_json({"short": "stout"}, 418)


def overload(_request: Request) -> ApiError:
    """Refuse everything."""
    return ApiError(529, "Overloaded", rule="test")


def forgive(refusal: ApiError, _request: Request) -> ApiError | None:
    """Let an empty list pass."""
    return None if refusal.rule == "messages.empty" else refusal


def shout(refusal: ApiError, _request: Request) -> ApiError:
    """Answer with another text."""
    return ApiError(refusal.status, refusal.message.upper(), rule=refusal.rule)


def html(_refusal: ApiError, _request: Request) -> Answer:
    """Answer with a page."""
    return Answer(502, [("content-type", "text/html")], b"<html>")


def deaf(body: dict[str, Any], _request: Request) -> dict[str, Any]:
    """Hear something else."""
    return {**body, "messages": [user("Reply with exactly: what?")]}


def renamed(message: dict[str, Any], _request: Request) -> dict[str, Any]:
    """Use another stop reason."""
    return {**message, "stop_reason": "stop"}


def unnamed(events: list[Event], _request: Request) -> list[Event]:
    """Write a sentinel."""
    return [*events, Event(None, "[DONE]")]


def untyped(answer: Answer, _request: Request) -> Answer:
    """Leave out the media type."""
    return answer.with_header("content-type", None)


def recount(answer: Answer, request: Request) -> Answer:
    """Count one token more, and remember how often."""
    request.memory["recount"] = request.memory.get("recount", 0) + 1
    found = answer.json
    return answer.with_json({**found, "input_tokens": request.memory["recount"]})


@pytest.mark.parametrize(
    ("stage", "function", "probe", "expected"),
    [
        (Stage.REQUEST, drop_key, lambda api: api.post(valid()).status_code, 401),
        (Stage.REQUEST, teapot, lambda api: api.client.get("/x").status_code, 418),
        (
            Stage.REQUEST,
            overload,
            lambda api: api.post(valid()).json()["error"]["type"],
            "overloaded_error",
        ),
        (Stage.REFUSAL, forgive, lambda api: api.post(valid(messages=[])).status_code, 200),
        (Stage.REFUSAL, forgive, lambda api: api.post(valid(model=5)).status_code, 400),
        (
            Stage.REFUSAL,
            shout,
            lambda api: api.client.get("/x").json()["error"]["message"],
            "NOT FOUND",
        ),
        (Stage.REFUSAL, html, lambda api: api.post(valid(messages=[])).text, "<html>"),
        (Stage.BODY, deaf, lambda api: api.reply("Hi."), "what?"),
        (Stage.MESSAGE, renamed, lambda api: api.message()["stop_reason"], "stop"),
        (
            Stage.MESSAGE,
            renamed,
            lambda api: "".join(str(e) for e in api.events()).count("'stop'"),
            1,
        ),
        (
            Stage.EVENTS,
            unnamed,
            lambda api: api.post(valid(stream=True)).text[-14:],
            "data: [DONE]\n\n",
        ),
        (Stage.WIRE, lambda pieces, _: pieces[:1], lambda api: len(api.events()), 1),
        (
            Stage.ANSWER,
            untyped,
            lambda api: "content-type" in api.post(valid(stream=True)).headers,
            False,
        ),
        (Stage.ANSWER, recount, lambda api: [api.count() for _ in range(3)], [1, 2, 3]),
    ],
)
def test_a_fault_acts_at_its_stage(
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    function: Callable[..., Any],
    probe: Probe,
    expected: Any,
) -> None:
    """Each stage shows its fault on the wire, and nothing else changes."""
    monkeypatch.setitem(FAULTS, "probed", Change("probed", stage, "A test.", function))
    with serving(Lab(faults=["probed"])) as api:
        assert probe(api) == expected


def test_without_its_fault_the_lab_is_clean() -> None:
    """Faults belong to one lab, not to the process."""
    with serving(Lab(faults=list(FAULTS)[:1])), serving() as api:
        assert api.post(valid()).status_code == 200


def test_an_unknown_fault_names_the_nearest() -> None:
    """All unknown ids are reported at once, each with a hint."""
    known = next(iter(FAULTS))
    with pytest.raises(UserError) as caught:
        Lab(faults=[known + "x", "zzz"])
    first, second = caught.value.problems
    assert str(first) == f"there is no fault {known}x\n  did you mean {known}?"
    assert str(second) == "there is no fault zzz\n  --fault list prints all of them"


def test_every_fault_says_what_it_does() -> None:
    """Ids are slugs and descriptions are sentences."""
    for identifier, one in FAULTS.items():
        assert identifier == one.id
        assert identifier.replace("-", "").isalnum()
        assert one.doc.endswith(".")


def test_a_change_needs_a_docstring_and_a_name_of_its_own() -> None:
    """A declaration that would not explain itself fails when it is imported."""
    registry = Registry("fault")

    def silent(request: Request) -> Request:
        return request

    with pytest.raises(ValueError, match="silent"):
        registry.request(silent)
    registry.request(drop_key)
    with pytest.raises(ValueError, match="drop-key"):
        registry.request(drop_key)


def test_a_crash_is_a_500_and_comes_to_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken fault answers 500 with the envelope and is raised when the server ends."""

    def broken(_request: Request) -> Request:
        raise RuntimeError("a secret path /home/x")

    monkeypatch.setitem(FAULTS, "broken", Change("broken", Stage.REQUEST, "A test.", broken))
    lab = Lab(faults=["broken"])
    with pytest.raises(RuntimeError, match="secret"), serving(lab) as api:
        assert api.post(valid()).json()["error"] == {
            "type": "api_error",
            "message": "Internal server error",
        }
