"""How bodies are sent: padded, and in chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from metaio_verify import Endpoint, Options, verify
from metaio_verify.errors import UserError
from metaio_verify.lab.app import Lab
from metaio_verify.lab.asgi import Receive, Scope, Send
from metaio_verify.lab.server import running
from metaio_verify.report.curl import replay
from metaio_verify.suite.load import load

_PACK = """
probes:
  own:
    purpose: Says hello.
    post: /v1/messages
    {more}
    json:
      {{model: "${{model}}", max_tokens: 1, messages: [{{role: user, content: Hello.}}]}}
checks:
  own.check:
    title: It is answered
    level: must
    contract: CON-01
    source: measured
    on: own
    expect: {{status: 200}}
    breaks: {{any-client: nothing works}}
    fix: Mend it.
"""


class _Recorder(Lab):
    """A lab that keeps the length and framing of each message body."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[tuple[int, dict[bytes, bytes]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what is received."""
        size = 0

        async def counting() -> dict[str, object]:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            return dict(message)

        await super().__call__(scope, counting, send)
        self.bodies.append((size, dict(scope["headers"])))


def _sent(tmp_path: Path, more: str) -> tuple[int, dict[bytes, bytes], str]:
    pack = tmp_path / "own.yaml"
    pack.write_text(_PACK.format(more=more), encoding="utf-8")
    lab = _Recorder()
    with running(lab) as url:
        endpoint = Endpoint(url, lab.key, [lab.models[0].id])
        record = verify(endpoint, Options(only=["own.check"], checks=[pack]))
    assert record.exit_code == 0
    exchange = next(one for one in record.exchanges if one.probe == "own")
    size, headers = max(lab.bodies, key=lambda one: one[0])
    return size - len(exchange.request.body), headers, str(replay(exchange).body_file)


def test_padding_makes_a_body_long_and_not_the_record(tmp_path: Path) -> None:
    """White space follows the JSON; the record holds its length, and the replay makes it again."""
    further, headers, command = _sent(tmp_path, "padding: 70000")
    assert further == 70000
    assert b"content-length" in headers
    assert "head -c 70000 /dev/zero" in command


def test_a_body_goes_out_in_chunks(tmp_path: Path) -> None:
    """`chunked` sends no content-length, and the whole body."""
    further, headers, _ = _sent(tmp_path, "chunked: true\n    padding: 70000")
    assert further == 70000
    assert headers[b"transfer-encoding"] == b"chunked"
    assert b"content-length" not in headers


def test_padding_needs_a_body(tmp_path: Path) -> None:
    """Without a body there is nothing to make long."""
    pack = tmp_path / "own.yaml"
    text = _PACK.format(more="padding: 5").replace("post:", "get:")
    lines = [line for line in text.splitlines() if "json:" not in line and "{model" not in line]
    pack.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError, match="there is none"):
        load([pack])
