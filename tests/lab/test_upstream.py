"""The upstream: what it records, what it plays, whom it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from metaio_verify.lab.server import running
from metaio_verify.lab.upstream.recorder import Recorder
from metaio_verify.lab.upstream.scripts import SCRIPTS

TOKEN = "sk-upstream-for-tests-0001"
KEY = {"x-api-key": TOKEN, "anthropic-version": "2023-06-01"}
PATHS = {
    "anthropic": "/v1/messages",
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[httpx.Client]:
    """A client of a recorder."""
    with running(Recorder(TOKEN)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


def asks(token: str, script: str, **fields: Any) -> dict[str, Any]:
    """A body with the mark of a script, fit for every dialect."""
    said = {"role": "user", "content": f"[[metaio:{token}:{script}]] Hello."}
    return {"model": "m", "max_tokens": 9, "messages": [said], "input": [said], **fields}


def taken(client: httpx.Client, token: str) -> list[dict[str, Any]]:
    """What the upstream hands over."""
    answer = client.post(f"/metaio/take/{token}?wait=5", headers={"x-metaio-token": TOKEN})
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.mark.parametrize("dialect", PATHS)
def test_a_request_is_recorded_byte_for_byte_and_handed_over_once(
    upstream: httpx.Client, dialect: str
) -> None:
    """Method, path, query, header lines in their order and body; then it is forgotten."""
    token = f"VERIFY-RECORD0{len(dialect) % 10}"
    body = json.dumps(asks(token, "text"), indent=3, ensure_ascii=False).encode()
    headers = [("X-Two", "a"), ("x-api-key", TOKEN), ("x-two", "b")]
    path = f"{PATHS[dialect]}?beta=true&x=%20"
    assert upstream.post(path, content=body, headers=headers).status_code == 200
    (one,) = taken(upstream, token)
    assert (one["dialect"], one["request"]["method"]) == (dialect, "POST")
    assert one["request"]["target"] == path
    assert one["request"]["text"].encode() == body
    assert [v for k, v in one["request"]["headers"] if k == "x-two"] == ["a", "b"]
    assert one["played"].get("ended", "whole") == "whole"
    assert taken(upstream, token) == []


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [s for s, one in SCRIPTS.items() if not one.pause])
def test_every_script_is_played_in_every_dialect(
    upstream: httpx.Client, dialect: str, script: str, *, stream: bool
) -> None:
    """What was played is what arrives, to the byte."""
    token = "VERIFY-SCRIPT01"
    body = asks(token, script, stream=stream, stream_options={"include_usage": True})
    received = b""
    try:
        with upstream.stream("POST", PATHS[dialect], json=body, headers=KEY) as answer:
            for piece in answer.iter_raw():
                received += piece
    except httpx.RemoteProtocolError:
        assert (script, stream) == ("cut-midway", True)
    (one,) = taken(upstream, token)
    assert received.decode() == one["played"]["text"]
    assert answer.status_code == one["played"]["status"]
    failure = SCRIPTS[script].failure
    assert (answer.status_code == 200) == (failure is None or script == "error-midway")


def test_only_the_token_opens_it(upstream: httpx.Client) -> None:
    """Without it nothing is played, and nothing is handed over."""
    body = asks("VERIFY-STRANGER", "text")
    assert upstream.post("/v1/messages", json=body).status_code == 401
    assert upstream.get("/metaio/").status_code == 401
    refused = upstream.post("/metaio/take/VERIFY-STRANGER", headers={"x-metaio-token": "wrong"})
    assert refused.status_code == 401
    assert taken(upstream, "VERIFY-STRANGER")[0]["played"]["status"] == 401


def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    """With a file each request is a line of it, and the token in none."""
    kept = tmp_path / "kept.jsonl"
    recorder = Recorder(TOKEN, keep=kept)
    with running(recorder) as url:
        httpx.post(f"{url}/v1/messages", json=asks("VERIFY-KEEPTHIS", "text"), headers=KEY)
    (line,) = kept.read_text("utf-8").splitlines()
    assert "VERIFY-KEEPTHIS" in json.loads(line)["request"]["text"]
    assert TOKEN not in line


@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_request_without_a_mark_is_answered_by_the_labs_model(
    upstream: httpx.Client, dialect: str, *, stream: bool
) -> None:
    """So the checks of one side work through a gateway, whatever it speaks to its upstream."""
    said = {"role": "user", "content": "Repeat exactly: VERIFY-ABCD1234"}
    body = {"model": "gpt-x", "max_tokens": 64, "stream": stream}
    body |= {"input": [said]} if dialect == "responses" else {"messages": [said]}
    answer = upstream.post(PATHS[dialect], json=body, headers=KEY)
    assert answer.status_code == 200
    told = "".join(re.findall(r'"(?:text|content|delta)":"([^"]*)"', answer.text))
    assert "VERIFY-ABCD1234" in told
