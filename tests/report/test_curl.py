from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import exchange, message, streamed

from metaio_verify.record import REDACTED, Exchange
from metaio_verify.report.curl import LONGEST_INLINE, replay

BASH = shutil.which("bash")
KEY = "the real key; $(reboot) 'x'"
needs_bash = pytest.mark.skipif(BASH is None, reason="the command is for a POSIX shell")


def arguments(one: Exchange) -> list[str]:
    """Return what curl would get from the shell."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{replay(one)}\n"
    assert BASH
    done = subprocess.run(
        [BASH, "--norc", "-c", script],
        env={**os.environ, "ANTHROPIC_API_KEY": KEY},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode("utf-8", "surrogatepass").split("\0")[:-1]


def after(option: str, given_: list[str]) -> list[str]:
    """Return the values of an option."""
    return [value for name, value in pairwise(given_) if name == option]


@needs_bash
@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (("x-api-key", REDACTED), f"x-api-key: {KEY}"),
        (("authorization", f"Bearer {REDACTED}"), f"authorization: Bearer {KEY}"),
        (("x-forwarded", f"a'{REDACTED}b\"c"), f"x-forwarded: a'{KEY}b\"c"),
        (("x-forwarded", f"{REDACTED}_b"), f"x-forwarded: {KEY}_b"),
        (("x-api-key", "sk-ant-invalid-metaio-verify"), "x-api-key: sk-ant-invalid-metaio-verify"),
        (("x-empty", ""), "x-empty;"),
    ],
)
def test_headers_are_sent_as_they_were(header: tuple[str, str], sent: str) -> None:
    """The credential comes from the environment; a made-up key and an empty value stay."""
    assert sent in after("-H", arguments(exchange(key=header)))


@needs_bash
@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
@example("'; reboot; '")
@example('$(reboot) `reboot` \\ " ! # \n \r \x1b[2J \u202e \x80 é 9')
@example("@/etc/passwd")
def test_any_body_reaches_curl_unchanged_and_is_printable(body: str) -> None:
    """Whatever is in a body, the shell gives curl the same text and the terminal sees only text."""
    one = exchange(body=body or " ")
    given_ = arguments(one)
    assert (after("--data-binary", given_) or after("--data-raw", given_)) == [body or " "]
    assert all(argument.isprintable() for argument in replay(one).arguments)


@needs_bash
def test_a_body_that_looks_like_a_file_is_no_file() -> None:
    """A body that begins with @ is sent, not read."""
    assert after("--data-raw", arguments(exchange(body="@body"))) == ["@body"]


@pytest.mark.parametrize("body", [message("x" * LONGEST_INLINE), "a\0b"])
def test_a_long_body_comes_from_a_file(body: str) -> None:
    """What does not fit into a line is read from a file, and a command makes that file."""
    command = replay(exchange(body=body, id_='say-"hi"'))
    assert command.arguments[-1] == "--data-binary @body.json"
    assert '.id == "say-\\"hi\\""' in command.body_file
    assert command.body_file.endswith("run.json > body.json")


@pytest.mark.parametrize(
    ("one", "options"),
    [
        (exchange(), ["-i"]),
        (exchange(method="HEAD", path="/"), ["-I"]),
        (exchange(method="OPTIONS"), ["-X OPTIONS"]),
        (exchange(method="GET", path="/v1/models?x=[1]"), ["-g"]),
        (streamed(exchange()), ["-N"]),
        (exchange(body=message(stream=True)), ["-N"]),
        (exchange(key=("accept-encoding", "gzip")), ["--compressed", "-H 'accept-encoding: gzip'"]),
        (exchange(path="/v1/models/a b\u00e9"), ["/v1/models/a%20b%C3%A9"]),
        (exchange(body=""), ["--data-binary ''"]),
    ],
)
def test_options_fit_the_exchange(one: Exchange, options: list[str]) -> None:
    """Streams are not buffered, HEAD stays HEAD, encodings are undone, the URL is encoded."""
    assert all(option in str(replay(one)) for option in options)


def test_what_was_not_sent_is_not_added() -> None:
    """Headers that curl would add by itself are taken out when the probe did not send them."""
    bare = exchange()
    bare = replace(bare, request=replace(bare.request, headers=[("host", "h")]))
    assert replay(bare).arguments[1:4] == ("-H 'accept:'", "-H 'user-agent:'", "-H 'content-type:'")


class _Seen(BaseHTTPRequestHandler):
    """Keeps what arrives."""

    seen: dict[str, object]

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        type(self).seen = {
            "path": self.path,
            "body": self.rfile.read(length),
            "headers": [(name.lower(), value) for name, value in self.headers.items()],
        }
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def _server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), _Seen) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@needs_bash
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_replay_is_the_request_byte_for_byte() -> None:
    """A real curl sends the same path, headers and body as the probe did."""
    one = exchange(body='{"a": "é\u202e\x01"}', path="/v1/messages?beta=true")
    with _server() as server:
        url = f"http://127.0.0.1:{server.server_port}/v1/messages?beta=true"
        one = replace(one, request=replace(one.request, url=url))
        assert BASH
        environment = {**os.environ, "ANTHROPIC_API_KEY": "k", "no_proxy": "127.0.0.1"}
        subprocess.run(
            [BASH, "-c", str(replay(one))], env=environment, check=True, stdout=subprocess.DEVNULL
        )
    own = [
        (n, v) for n, v in _as_pairs(_Seen.seen["headers"]) if n not in ("host", "content-length")
    ]
    sent = [(name, value.replace(REDACTED, "k")) for name, value in one.request.headers]
    assert own == sent
    assert (_Seen.seen["path"], _Seen.seen["body"]) == (
        "/v1/messages?beta=true",
        one.request.body.encode(),
    )


def _as_pairs(value: object) -> list[tuple[str, str]]:
    assert isinstance(value, list)
    return value
