from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.labtest import MODEL, NEW_VERSION, VERSION, Api, serving, user, valid

from metaio_verify.errors import UserError
from metaio_verify.lab.app import DEFAULT_KEY, Lab
from metaio_verify.lab.asgi import MAX_BODY_BYTES
from metaio_verify.lab.server import running


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a clean lab."""
    with serving() as api:
        yield api


def ask(api: Api, headers: dict[str, str], body: Any = None) -> httpx.Response:
    """Post with exactly these headers."""
    url = str(api.client.base_url.join("/v1/messages"))
    return httpx.post(url, json=body or valid(), headers=headers)


@pytest.mark.parametrize(
    "credential",
    [
        {"x-api-key": DEFAULT_KEY},
        {"authorization": f"Bearer {DEFAULT_KEY}"},
        {"authorization": f"bearer {DEFAULT_KEY}"},
        {"x-api-key": DEFAULT_KEY, "authorization": f"Bearer {DEFAULT_KEY}"},
        {"x-api-key": "stale", "authorization": f"Bearer {DEFAULT_KEY}"},
        {"x-api-key": DEFAULT_KEY, "authorization": "Bearer stale"},
    ],
)
def test_one_valid_credential_is_enough(api: Api, credential: dict[str, str]) -> None:
    """The key works in either header, also beside a stale one."""
    assert ask(api, {**credential, "anthropic-version": VERSION}).status_code == 200


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        ({}, "x-api-key header is required"),
        ({"x-api-key": "wrong"}, "invalid x-api-key"),
        ({"authorization": "Bearer wrong"}, "Invalid bearer token"),
        ({"authorization": f"Basic {DEFAULT_KEY}"}, "x-api-key header is required"),
    ],
)
def test_a_bad_credential_is_refused_first(
    api: Api, credential: dict[str, str], message: str
) -> None:
    """Without a valid key the answer is 401, whatever the body and the version are."""
    answer = ask(api, credential, body={"nothing": 1})
    assert answer.status_code == 401
    assert answer.json()["error"] == {"type": "authentication_error", "message": message}
    assert "wrong" not in answer.text


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/claude-lab-3"])
def test_models_want_the_credential_too(api: Api, path: str) -> None:
    """Discovery without a key is 401."""
    assert api.client.get(path, headers={"x-api-key": "no"}).status_code == 401


@pytest.mark.parametrize("version", [VERSION, NEW_VERSION])
def test_both_api_versions_are_served(api: Api, version: str) -> None:
    """The documented versions answer the same request."""
    assert api.post(valid(), anthropic_version=version).status_code == 200


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "anthropic-version: header is required"),
        ("2023-10-01", 'anthropic-version: "2023-10-01" is not a valid version'),
    ],
)
def test_other_versions_are_refused(api: Api, version: str | None, message: str) -> None:
    """A missing and an unknown version are 400 with the documented texts."""
    headers = {"x-api-key": DEFAULT_KEY} | ({"anthropic-version": version} if version else {})
    answer = ask(api, headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/", 200),
        ("HEAD", "/api/hello", 200),
        ("GET", "/", 200),
        ("GET", "/v1/messages", 405),
        ("DELETE", "/v1/messages/count_tokens", 405),
        ("POST", "/v1/models", 405),
        ("POST", "/v1/models/claude-lab-3", 405),
        ("GET", "/v1/nowhere", 404),
        ("POST", "/v1/v1/messages", 404),
        ("POST", "/v1/messages/", 404),
        ("GET", "/v1/models/", 404),
    ],
)
def test_routes(api: Api, method: str, path: str, status: int) -> None:
    """Known paths answer, wrong methods are 405, all else is 404; nothing redirects."""
    answer = api.client.request(method, path)
    assert answer.status_code == status
    if status >= 400:
        assert answer.json()["type"] == "error"
    if status == 405:
        assert answer.headers["allow"] in ("POST", "GET")


def test_the_query_is_ignored(api: Api) -> None:
    """Routing looks at the path only."""
    assert api.post(valid(), "/v1/messages?beta=true").status_code == 200


def test_every_answer_has_its_own_request_id(api: Api) -> None:
    """The header differs from answer to answer, and an error's body repeats it."""
    answers = [
        api.post(valid()),
        api.post(valid(stream=True)),
        api.post(valid(messages=[])),
        api.client.get("/nowhere"),
        api.client.get("/v1/models"),
        api.client.head("/"),
    ]
    assert len({answer.headers["request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        if answer.status_code >= 400:
            assert answer.json()["request_id"] == answer.headers["request-id"]


def test_unknown_headers_and_betas_are_accepted(api: Api) -> None:
    """Headers and beta values are open lists, as a faithful gateway has them."""
    answer = api.post(
        valid(),
        anthropic_beta="metaio-verify-unknown-2099-01-01, other",
        x_app="cli",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", ""])
def test_the_content_type_of_a_request_does_not_matter(api: Api, kind: str) -> None:
    """A JSON body is read under any media type."""
    answer = api.client.post(
        "/v1/messages", content=json.dumps(valid()), headers={"content-type": kind}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "content-encoding" not in answer.headers


def test_a_chunked_body_is_read(api: Api) -> None:
    """A request without a length is answered like one with it."""
    raw = json.dumps(valid()).encode()
    answer = api.client.post("/v1/messages", content=iter([raw[:10], raw[10:]]))
    assert answer.status_code == 200


def test_connections_are_kept_alive(api: Api) -> None:
    """Plain answers and streams leave the connection open for the next request."""
    parts = urlsplit(str(api.client.base_url))
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    headers = {"x-api-key": DEFAULT_KEY, "anthropic-version": VERSION}
    connection.connect()
    first = connection.sock
    for stream in (False, True, False):
        connection.request("POST", "/v1/messages", json.dumps(valid(stream=stream)), headers)
        assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "The request body is not valid JSON"),
        (b"  ", "The request body is not valid JSON"),
        (b'{"model": "x", ', "The request body is not valid JSON"),
        (b'{"model": "\xff"}', "The request body is not valid JSON"),
        (b'{"model": "\\ud800"}', "The request body is not valid JSON"),
        (b"[" * 100_000, "The request body is not valid JSON"),
        (b"[]", "Input should be a valid dictionary"),
        (b'"hi"', "Input should be a valid dictionary"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_a_body_that_is_no_object_is_400(api: Api, path: str, raw: bytes, message: str) -> None:
    """Broken JSON and JSON of the wrong kind are the client's mistake."""
    answer = api.client.post(path, content=raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["message"].startswith(message)


def test_a_deep_schema_is_no_crash(api: Api) -> None:
    """A schema nested beyond reason is 400 or 200, never 5xx."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False}
    for _ in range(300):
        schema = {"type": "object", "additionalProperties": False, "properties": {"a": schema}}
    body = valid(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert api.post(body).status_code in (200, 400)


def test_bodies_up_to_the_limit_are_taken(api: Api) -> None:
    """A megabyte is answered, more than 32 MB is 413 with the envelope."""
    assert api.post(valid(messages=[user("x" * 1_000_000)])).status_code == 200
    answer = api.client.post("/v1/messages", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"


def test_a_lab_below_a_prefix() -> None:
    """With a prefix the lab answers below it and nowhere else."""
    with serving(Lab(prefix="/anthropic")) as api:
        base = str(api.client.base_url)
        assert "/anthropic" in base
        assert api.post(valid()).status_code == 200
        assert httpx.head(base.replace("/anthropic/", "/")).status_code == 404


def test_a_taken_port_is_a_user_error(api: Api) -> None:
    """The message names the port and what to do."""
    port = api.client.base_url.port or 0
    with pytest.raises(UserError, match=f"127.0.0.1:{port}"), running(Lab(), port):
        pass


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "role", "name", "source", "input"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_FIELDS = [
    "messages",
    "model",
    "max_tokens",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "metadata",
    "stream",
    "stop_sequences",
    "cache_control",
    "context_management",
    "container",
    "safeguards",
    "temperature",
    "mcp_servers",
]


@settings(max_examples=100, deadline=None)
@given(
    fields=st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=3),
    content=_VALUES,
    block=st.dictionaries(st.sampled_from(["text", "source", "content", "id", "input"]), _VALUES),
    kind=st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking"]),
)
def test_no_body_makes_the_lab_crash(
    api: Api, fields: dict[str, Any], content: Any, block: dict[str, Any], kind: str
) -> None:
    """Whatever stands in a body, the answer is 200 or a 4xx with the envelope."""
    messages = [user(content), user([{"type": kind, **block}])]
    body = {"model": MODEL, "max_tokens": 16, "messages": messages, **fields}
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        answer = api.post(body, path)
        assert answer.status_code in (200, 400, 404)
        if answer.status_code != 200:
            assert set(answer.json()) == {"type", "error", "request_id"}
    assert not api.lab.crashes


def test_a_fault_writes_lines_that_contradict_each_other() -> None:
    """What no HTTP library writes is on the wire: a length, and chunks beside it."""
    with serving(Lab(faults=["length-beside-chunks"])) as api:
        answer = api.post(valid())
    assert answer.headers["transfer-encoding"] == "chunked"
    assert int(answer.headers["content-length"]) == len(answer.content)
