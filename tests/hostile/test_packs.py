"""Packs of strangers that take values of answers into requests: bounded, and below the base URL."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hostile.server import JSON, answers, hostile
from hostile.test_ways import HELLO, QUICK

from metaio_verify import Endpoint, Options, verify
from metaio_verify.errors import UserError
from metaio_verify.probe.template import TooLargeError, fill
from metaio_verify.record import RunRecord

KEY = "sk-lab-packs-0123456789"
PACK = """
area: Strange
probes:
  first:
    purpose: A value to go on with.
    get: /v1/first
    capture: {{value: $.value, list: "$.list"}}
  second:
    purpose: It is put to use.
    {second}
checks:
  strange.one:
    title: It is answered
    level: must
    contract: MSG-01
    source: https://example.com
    on: second
    expect: {expect}
    breaks: {{any-client: x}}
    fix: x
"""


def run(
    second: str, value: Any, folder: Path, expect: str = "{status: 200}"
) -> tuple[RunRecord, list[bytes]]:
    """Run a pack against a server that answers with a value; gives what it was asked, too."""
    path = folder / "pack.yaml"
    path.write_text(PACK.format(second=second, expect=expect), encoding="utf-8")
    asked: list[bytes] = []

    def note(request: bytes) -> bool:
        asked.append(request)
        return True

    body = {**json.loads(HELLO), "value": value, "list": [1] * 100}
    options = Options(
        **{name: getattr(QUICK, name) for name in ("connect_timeout", "timeout", "run_timeout")},
        checks=[path],
        only=["strange.*"],
        patience=0.0,
    )
    with hostile(answers(JSON, json.dumps(body).encode()), picks=note) as url:
        return verify(Endpoint(f"{url}/tenant", KEY, ["m"]), options), asked


VALUES = [
    *("..", ".", "../..", "%2e%2e", "..%2f", "/../../x", "//evil.example", "@evil.example/"),
    *("\\..\\x", "a\r\nhost: evil.example\r\nx: y", "?a=b#c", "http://evil.example/", "\0", ""),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "second",
    [
        "get: '/v1/models/${first.value}'",
        "get: '/v1/${first.value}/${first.value}'",
        "{get: /v1/models, query: {a: '${first.value}'}}",
        "{get: /v1/models, headers: {x-copy: '${first.value}'}}",
    ],
)
def test_no_value_of_an_answer_leads_the_key_elsewhere(
    second: str, value: str, tmp_path: Path
) -> None:
    """Every request goes to the host and below the path that the user gave, or nowhere."""
    inside = second.strip("{}") if second.startswith("{") else second
    for key in (", query: ", ", headers: "):
        inside = inside.replace(key, f"\n    {key[2:]}")
    inside = f"{inside}}}" if second.startswith("{") else inside
    record, asked = run(inside, value, tmp_path)
    host = record.target.base_url.partition("://")[2].partition("/")[0].encode()
    for request in asked:
        head = request.partition(b"\r\n\r\n")[0].lower()
        path = head.split(b" ")[1].partition(b"?")[0]
        assert path.startswith(b"/tenant/v1/")
        assert {b"..", b"."}.isdisjoint(re.split(rb"[/\\]", unquote_to_bytes(path)))
        assert [line for line in head.split(b"\r\n") if line.startswith(b"host:")] == [
            b"host: " + host
        ]
    assert record.exit_code in (0, 1, 3)


def _nested(depth: int, times: int) -> Any:
    inner = "x" if depth == 1 else [_nested(depth - 1, times)]
    return {"for-each": ["x"] * times, "send": inner}


@pytest.mark.parametrize(
    "template",
    [
        [_nested(4, 300)],
        [{"for-each": ["x"] * 300, "send": "${long}"}],
        [{"for-each": ["x"] * 300, "send": "${list}"}],
        "${long}" * 300,
        {"a": ["${long}"] * 300},
    ],
)
def test_what_is_filled_in_is_bounded(template: Any) -> None:
    """Whatever a pack multiplies, and however large the value of an answer is."""
    values = {"long": "x" * 2**20, "list": ["x"] * 20_000}
    with pytest.raises(TooLargeError):
        fill(template, values.__getitem__)


def test_a_request_that_would_be_too_large_is_not_sent(tmp_path: Path) -> None:
    """The run says so and goes on."""
    item = "{for-each: '${first.list}', send: '${first.value}'}"
    record, asked = run(f"post: /v1/messages\n    json: {{a: [{item}]}}", "x" * 700_000, tmp_path)
    (second,) = [one for one in record.exchanges if one.probe == "second"]
    assert second.failure is not None
    assert second.failure.kind == "unsent"
    assert "would take more than" in second.failure.detail
    assert not any(len(one) > 10_000 for one in asked)


@pytest.mark.parametrize("path", ["$..[*]..[*]", "$..a..b", "$..[?@..a]"])
def test_a_path_that_may_take_for_ever_is_refused(path: str, tmp_path: Path) -> None:
    """With answers that are deep it would find more than fits into memory."""
    with pytest.raises(UserError, match="may stand in a path once"):
        run("get: /v1", "x", tmp_path, expect=f"{{json: {{{json.dumps(path)}: x}}}}")
    record, _ = run("get: /v1", "x", tmp_path, expect="{json: {\"$..['a..b']\": {type: string}}}")
    assert record.exit_code in (1, 3)
