"""A canary key that the server repeats in every way it can: no byte that is written holds it."""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cli.process import run as run_cli
from hostile.server import JSON, SSE, Serve, answers, counting, holds, hostile, sends, streamed
from typer.main import get_command
from typer.testing import CliRunner

from metaio_verify import Endpoint, Options, verify
from metaio_verify.cli.main import app
from metaio_verify.errors import UserError
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import RunRecord
from metaio_verify.report import FORMATS

KEY = 'sk-ant-canary-7Qx+Zt/9w=BkLm"4&R%s\\Jp'
HALF = len(KEY) // 2
WINDOW = 16
OPTIONS = Options(only=["counting.served", "streaming.message-stop", "messages.shape"])


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """A clean lab that takes the canary."""
    with running(Lab(KEY)) as url:
        yield url


def error(text: str) -> bytes:
    """An error body whose message is JSON text as given."""
    head = b'{"type":"error","error":{"type":"authentication_error","message":"bad key '
    return head + text.encode() + b'"}}'


def refuses(body: bytes, *, headers: str = "") -> Serve:
    """A 401."""
    head = b"HTTP/1.1 401 X\r\ncontent-type: application/json\r\n" + headers.encode()
    return answers(head, body)


def plain(text: str) -> str:
    """A text as JSON writes it."""
    return json.dumps(text)[1:-1]


def deltas(*parts: str, field: str = "text") -> bytes:
    """A stream whose deltas are these."""
    events = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": f"{field}_delta", field: part},
            }
            for part in parts
        ),
    ]
    return b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in events)


def stream(body: bytes) -> Serve:
    """A 200 with a stream."""
    return answers(SSE, body)


B64 = base64.b64encode(f"id:{KEY}".encode()).decode()
PLACES: dict[str, Serve] = {
    "plain": refuses(error(plain(KEY))),
    "plain text": answers(b"HTTP/1.1 401 X\r\ncontent-type: text/plain\r\n", KEY.encode()),
    "not UTF-8": answers(b"HTTP/1.1 401 X\r\n", b"\xff" + KEY.encode()),
    "URL-encoded": refuses(error(quote(KEY, safe=""))),
    "URL-encoded in small letters": refuses(error(quote(KEY, safe="").lower())),
    "every sign URL-encoded": refuses(error("".join(f"%{ord(c):02X}" for c in KEY))),
    "JSON-escaped": refuses(error(plain(plain(KEY)))),
    "JSON-escaped as PHP does it": refuses(error(plain(KEY).replace("/", "\\/"))),
    "every sign JSON-escaped": refuses(error("".join(f"\\u{ord(c):04x}" for c in KEY))),
    "HTML-escaped": refuses(error("".join(f"&#{ord(c)};" for c in KEY))),
    "named in HTML": refuses(error(plain(KEY.replace("&", "&amp;").replace('"', "&quot;")))),
    "base64": refuses(error(B64)),
    "base64 for URLs": refuses(error(B64.replace("+", "-").replace("/", "_"))),
    "base64 of a basic credential": refuses(
        error(base64.b64encode(f"user:{KEY}:x".encode()).decode().replace("/", "\\/"))
    ),
    "hexadecimal": refuses(error(KEY.encode().hex())),
    "in capitals": refuses(error(plain(KEY.upper()))),
    "cut": refuses(error(plain(KEY[:-8]))),
    "a later part of it": refuses(error(plain(KEY[10:]))),
    "at the end of a broken body": sends(JSON + b"content-length: 999\r\n\r\n" + KEY[:20].encode()),
    "a header": refuses(b"{}", headers=f"x-echo: {KEY}\r\n"),
    "a header's name": refuses(b"{}", headers="x-sk-ant-canary-7Qx+Zt: 1\r\n"),
    "a URL-encoded header": refuses(b"{}", headers=f"x-echo: {quote(KEY)}\r\n"),
    "a cookie": refuses(b"{}", headers=f"set-cookie: k={KEY}; path=/\r\n"),
    "a redirect": answers(b"HTTP/1.1 302 X\r\nlocation: /?k=" + quote(KEY).encode() + b"\r\n", b""),
    "a redirect elsewhere": answers(
        b"HTTP/1.1 307 X\r\nlocation: https://evil.example/" + quote(KEY).encode() + b"\r\n", b""
    ),
    "a redirect to nothing": answers(
        b"HTTP/1.1 302 X\r\nlocation: http://[" + KEY[:20].encode() + b"\r\n", b""
    ),
    "a content-encoding": answers(JSON + b"content-encoding: " + KEY.encode() + b"\r\n", b"x"),
    "a content-type": answers(b"HTTP/1.1 200 OK\r\ncontent-type: " + KEY.encode() + b"\r\n", b"x"),
    "a name in JSON": answers(JSON, json.dumps({KEY: 1}).encode()),
    "deep in JSON": answers(JSON, b"[" * 200 + json.dumps(KEY).encode()),
    "two text blocks": answers(
        JSON, json.dumps({"content": [{"text": KEY[:HALF]}, {"text": KEY[HALF:]}]}).encode()
    ),
}
STREAMS: dict[str, Serve] = {
    "an event's name": stream(f"event: {KEY}\ndata: {{}}\n\n".encode()),
    "an event's data": stream(f"data: {KEY}\n\n".encode()),
    "a comment": stream(f": {KEY}\ndata: {{}}\n\n".encode()),
    "two text deltas": stream(deltas(KEY[:HALF], KEY[HALF:])),
    "many text deltas": stream(deltas("a ", *KEY, " b")),
    "two thinking deltas": stream(deltas(KEY[:HALF], KEY[HALF:], field="thinking")),
    "two deltas, base64": stream(deltas(B64[:30], B64[30:])),
    "two deltas, URL-encoded": stream(deltas(quote(KEY)[:22], quote(KEY)[22:])),
    "the tail of a cut event": stream(f"data: {plain(KEY)}".encode()),
    "two lines of one event": stream(
        b'data: {"a":"%b",\ndata: "b":"x"}\n\n' % plain(KEY).encode()
    ),
    "an error event": stream(b"event: error\ndata: " + error(plain(KEY)) + b"\n\n"),
}  # fmt: skip


_UNSEEN = {"a redirect to nothing"}
"""Nothing of such an answer is kept, so that nothing is to be told."""


def traces(text: str) -> list[str]:
    """What of the key a text holds, in any form."""
    forms = [KEY, quote(KEY, safe=""), plain(KEY), plain(plain(KEY)), KEY.encode().hex()]
    small = text.lower()
    parts = {
        form[at : at + WINDOW].lower() for form in forms for at in range(len(form) - WINDOW + 1)
    }
    found = [part for part in parts if part in small]
    for lead in range(3):
        core = base64.b64encode(b"\0" * lead + KEY.encode()).decode()[4:-4]
        found += [core] if core in text.replace("\\/", "/") else []
    return found


def written(record: RunRecord) -> str:
    """Every report, and the strings of each exchange as a reader joins them."""
    joined = [
        "".join(re.findall(r'"(?:text|thinking)"\s*:\s*"([^"]*)"', one.response.text or ""))
        for one in record.exchanges
        if one.response
    ]
    events = [
        "".join(
            str(event.data.get("delta", {}).get("text", ""))
            for event in one.events
            if isinstance(event.data, dict)
        )
        for one in record.exchanges
    ]
    reports = [format_.render(record) for format_ in FORMATS.values()]
    return "\n".join([*reports, *joined, *events, repr(record)])


@pytest.mark.parametrize("place", [*PLACES, *STREAMS])
def test_the_key_is_nowhere(place: str, upstream: str) -> None:
    """Wherever the server puts it, and in whatever form, no report holds it; the leak is known."""
    serve, picks = (PLACES[place], counting) if place in PLACES else (STREAMS[place], streamed)
    with hostile(serve, picks=picks, upstream=upstream) as url:
        record = verify(Endpoint(url, KEY), OPTIONS)
    assert traces(written(record)) == []
    assert any(one.leaks for one in record.exchanges) or place in _UNSEEN


def test_a_model_id_with_the_key_is_not_shown() -> None:
    """Discovery may list the key as a model."""
    listing = {"data": [{"id": KEY, "type": "model"}], "has_more": False}
    with hostile(answers(JSON, json.dumps(listing).encode())) as url:
        record = verify(Endpoint(url, KEY, ["all"]), OPTIONS)
    assert traces(written(record)) == []


def test_the_key_as_a_model_is_refused() -> None:
    """Whoever gives the key in the wrong place is told so, without it."""
    with pytest.raises(UserError) as caught:
        verify(Endpoint("http://127.0.0.1:1", KEY, [KEY]), OPTIONS)
    assert traces(str(caught.value)) == []


def test_the_key_in_the_base_url_is_not_shown(upstream: str) -> None:
    """Some gateways have it in their path."""
    record = verify(Endpoint(f"{upstream}/{quote(KEY, safe='')}", KEY, ["m"]), OPTIONS)
    assert traces(written(record)) == []


FOREIGN = {
    "an OpenAI key": "sk-proj-Zx81Kq02Lw93Mv84",
    "a Google key": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "an AWS key id": "AKIAIOSFODNN7EXAMPLE",
    "an AWS secret": "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a GitHub token": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "a stack trace": 'Traceback (most recent call last):\n  File "/srv/app/relay.py", line 3, in f',
    "an internal host": "vllm-7.prod.internal",
    "an internal address": "10.20.30.41",
    "a file path": "/srv/gateway/secret/relay.py",
    "an account": "arn:aws:iam::123456789012:role/gateway",
}


@pytest.mark.parametrize("secret", FOREIGN)
@pytest.mark.parametrize("form", ["JSON", "text", "stream"])
def test_what_a_server_tells_of_its_inside_is_masked(secret: str, form: str, upstream: str) -> None:
    """It is a finding, and nothing that is written holds it."""
    text = FOREIGN[secret]
    body = json.dumps({"type": "error", "error": {"type": "api_error", "message": f"x {text}"}})
    serve = {
        "JSON": answers(b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\n", body.encode()),
        "text": answers(b"HTTP/1.1 502 X\r\ncontent-type: text/plain\r\n", f"x {text}".encode()),
        "stream": stream(f"event: error\ndata: {body}\n\n".encode()),
    }[form]
    picks = streamed if form == "stream" else counting
    with hostile(serve, picks=picks, upstream=upstream) as url:
        record = verify(Endpoint(url, KEY), OPTIONS)
    hidden = text.rpartition("\n")[2].strip().partition("=")[2] or text.rpartition("\n")[2].strip()
    assert hidden not in written(record)
    assert json.dumps(hidden)[1:-1] not in written(record)
    assert "[masked " in written(record)


def test_a_whole_process_writes_no_trace(upstream: str, tmp_path: Path) -> None:
    """Standard output and error, every report, debug mode included; evidence is its owner's."""
    outputs = [f"--report={name}={tmp_path / name}" for name in FORMATS]
    env = {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_AUTH_TOKEN": KEY[::-1],
        "METAIO_VERIFY_DEBUG": "1",
        "PYTHONASYNCIODEBUG": "1",
        "FORCE_COLOR": "1",
    }
    with hostile(PLACES["a header"], picks=counting, upstream=upstream) as url:
        done = run_cli("check", "--base-url", url, "--profile", "quick", *outputs, env=env)
    files = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(files) == set(FORMATS)
    for text in (done.stdout, done.stderr, *files.values()):
        assert traces(text) == []
        assert KEY[::-1] not in text
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--plan"),
        ("check", "--show-completion"),
        ("--show-completion", "bash"),
        ("--help",),
        ("check", "--help"),
        ("check", "--base-url", f"https://u:{quote(KEY, safe='')}@h"),
        ("check", "--base-url", f"https://h/?k={quote(KEY, safe='')}"),
        ("check", "--base-url", f"https://h/<{quote(KEY, safe='')}"),
        ("check", "--base-url", "http://127.0.0.1:1", "--model", KEY),
        ("check", "--base-url", "http://127.0.0.1:1", "--model", "m"),
    ],
)
def test_what_is_printed_without_a_server_holds_no_key(arguments: tuple[str, ...]) -> None:
    """Plans, help, completion and mistakes."""
    env = {"ANTHROPIC_API_KEY": KEY, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = run_cli(*arguments, env=env)
    assert traces(done.stdout + done.stderr) == []
    assert "Traceback" not in done.stderr


FOREIGN_KEY = "sk-ant-api03-Zk39dLw02Mx84Qv71Rt65Yb"


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command there is, by its words."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path
    else:
        for name, one in below.items():
            yield from _commands(one, (*path, name))


@pytest.mark.parametrize("command", [(), *_commands(get_command(app))], ids=" ".join)
@pytest.mark.parametrize("key", [KEY, FOREIGN_KEY], ids=["known", "unknown"])
def test_a_key_in_the_wrong_place_is_not_repeated(
    command: tuple[str, ...], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an argument, as an option, as a value, of any command; the key of the environment or not.

    A key that is not known is masked by its looks, which leaves its first characters.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    for arguments in ([key], [f"--{key}"], [f"--only={key}"], ["--profile", key], ["--help"]):
        env = {"ANTHROPIC_API_KEY": KEY}
        done = CliRunner().invoke(app, [*command, *arguments], env=env)
        assert traces(done.output) == []
        assert FOREIGN_KEY[14:] not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_the_key_is_in_no_process_title(tmp_path: Path) -> None:
    """A key of the environment is not among the arguments that other users see."""
    with hostile(holds()) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "metaio_verify", "check", "--base-url", url, "--model", "m"],
            env={"PATH": os.environ["PATH"], "ANTHROPIC_API_KEY": KEY},
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        title = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        process.kill()
        process.wait()
    assert traces(title) == []
