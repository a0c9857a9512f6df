"""Proxies of the environment: used, left out, and their passwords kept as the key is."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from cli.process import run as run_cli
from hostile.server import JSON, Serve, answers, hostile, sends
from hostile.test_secrets import written
from hostile.test_ways import AUTHORITY, HELLO, QUICK, context, is_served
from typer.testing import CliRunner

from metaio_verify import Endpoint, verify
from metaio_verify.cli.main import app
from metaio_verify.doctor.secrets import without_user_info
from metaio_verify.errors import UserError
from metaio_verify.record import RunRecord

PASSWORD = "geheim/4711@Zx!q8"
SENT = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
NOWHERE = "gateway.invalid"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the proxies of a test are used, whatever this machine has."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def with_password(proxy: str) -> str:
    """The URL of a proxy that wants a user name and a password."""
    return proxy.replace("://", f"://me:{quote(PASSWORD, safe='')}@")


def go(url: str, bundle: Path | None = None) -> RunRecord:
    """A short run."""
    return verify(Endpoint(url, "sk-lab-ways-0123456789", ["m"]), replace(QUICK, ca_bundle=bundle))


def tunnel(to: str) -> Serve:
    """Join a connection with this server, whatever was asked for."""
    address = (urlsplit(to).hostname or "", urlsplit(to).port or 0)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(connection: socket.socket) -> None:
        with socket.create_connection(address) as server:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(server, connection), daemon=True)
            back.start()
            pump(connection, server)
            back.join()

    return serve


def test_a_tunnel_is_made_with_the_password_and_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy sees where to and who asks; what goes through is for the endpoint alone."""
    bundle = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(bundle))
    asked: list[bytes] = []

    def note(request: bytes) -> bool:
        asked.append(request)
        return True

    secured = context(AUTHORITY.issue_cert(NOWHERE))
    with (
        hostile(answers(JSON, HELLO), tls=secured) as url,
        hostile(tunnel(url), picks=note) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", with_password(proxy))
        record = go(f"https://{NOWHERE}", bundle)
    assert is_served(record)
    assert {one.partition(b"\r\n")[0] for one in asked} == {b"CONNECT gateway.invalid:443 HTTP/1.1"}
    assert all(f"Proxy-Authorization: Basic {SENT}".encode() in one for one in asked)
    assert b"sk-lab-ways" not in b"".join(asked)
    assert SENT not in written(record)
    assert PASSWORD not in written(record)


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Claude Code and the SDKs use it."""
    with hostile(answers(JSON, HELLO)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        record = go("http://gateway.invalid")
    assert is_served(record)


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the variable, and never its value, which may hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:1")
    record = go("https://gateway.invalid")
    assert record.stopped is not None
    assert any("HTTPS_PROXY" in hint for hint in record.stopped.hints)
    assert PASSWORD not in repr(record)


def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is excepted is asked directly."""
    with hostile(answers(JSON, HELLO)) as url:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "other.example,127.0.0.1")
        assert is_served(go(url))


ECHO = f'{{"type":"error","error":{{"type":"x","message":"no {SENT} me:{PASSWORD}"}}}}'.encode()
REFUSES = answers(
    f'HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm="{PASSWORD} {SENT}"\r\n'.encode(), ECHO
)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_another_password_is_named(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """407 says nothing of the endpoint: the run stops, accuses nobody and shows no password."""
    with hostile(REFUSES) as proxy:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", with_password(proxy))
        record = go(f"{scheme}://{NOWHERE}")
    assert record.exit_code == 3
    assert record.stopped is not None
    assert record.stopped.kind == "unreachable"
    assert "user name and password" in record.stopped.message
    assert "(407)" in record.stopped.message
    assert any(f"{scheme.upper()}_PROXY" in hint for hint in record.stopped.hints)
    assert PASSWORD not in written(record)
    assert SENT[:-4] not in written(record)


@pytest.mark.parametrize(
    "echo",
    [
        ECHO,
        f"no {SENT} me:{PASSWORD} {quote(PASSWORD, safe='')}".encode(),
        f"no {PASSWORD.encode().hex()} {PASSWORD.replace('/', chr(92) + '/')}".encode(),
    ],
)
def test_a_proxy_that_repeats_its_password_is_not_repeated(
    echo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it answers itself is taken for the endpoint's answer, and shown without the password."""
    with hostile(answers(b"HTTP/1.1 502 Bad\r\n", echo)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", with_password(proxy))
        record = go(f"http://{NOWHERE}")
    for form in (PASSWORD, SENT[:-4], quote(PASSWORD, safe=""), PASSWORD.encode().hex()):
        assert form not in written(record)


@pytest.mark.parametrize("command", ["check --model m", "doctor"])
def test_a_command_says_nothing_of_the_password(command: str, tmp_path: Path) -> None:
    """Whatever the proxy answers."""
    with hostile(REFUSES) as proxy:
        environment = {
            "HOME": str(tmp_path),
            "ANTHROPIC_API_KEY": "sk-lab-ways-0123456789",
            "ANTHROPIC_BASE_URL": f"http://{NOWHERE}",
            "HTTP_PROXY": with_password(proxy),
        }
        done = run_cli(*command.split(), env=environment, cwd=tmp_path)
    shown = done.stdout + done.stderr
    assert done.returncode in (1, 3), shown
    assert "proxy" in shown
    for form in (PASSWORD, quote(PASSWORD, safe=""), SENT[:-4]):
        assert form not in shown


def test_a_password_that_is_typed_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is not encoded, so that the URL of the proxy is none."""
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{PASSWORD}@127.0.0.1:1")
    done = CliRunner().invoke(app, ["check", f"--only={PASSWORD}"])
    assert done.exit_code == 2
    assert PASSWORD not in done.output


@pytest.mark.parametrize(
    ("serve", "says"),
    [
        (sends(), "closed before the answer was complete"),
        (sends(b"garbage\r\n\r\n" * 9), "not valid HTTP"),
        (sends(b"HTTP/1.1 200 OK\r\n\r\n"), "TLS failed"),
        (sends(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}"), "TLS failed"),
        (answers(b"HTTP/1.1 403 No\r\n", b"<script>"), "refused the connection"),
    ],
)
def test_a_proxy_that_breaks_is_told(
    serve: Serve, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it does instead of a tunnel."""
    with hostile(serve) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        record = go(f"https://{NOWHERE}")
    assert record.exit_code == 3
    assert record.stopped is not None
    assert says in record.stopped.message


@pytest.mark.parametrize("value", ["ftp://h", "http://[", "socks5://127.0.0.1:1"])
def test_a_proxy_that_is_none_is_a_usage_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in the environment is told, not a crash."""
    monkeypatch.setenv("HTTP_PROXY", value)
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(UserError, match="HTTP_PROXY"):
        go(f"http://{NOWHERE}")


SHOWN: Mapping[str, str] = {
    "http://me:p@ss@h:1": "http://••••@h:1",
    "http://me:p/s@s@h": "http://••••@h",
    "http://me@h/a": "http://••••@h/a",
    "http://h:80/@a": "http://h:80/@a",
    "http://h/a@b": "http://h/a@b",
    "a http://u:p@h and http://h": "a http://••••@h and http://h",
}


@pytest.mark.parametrize("text", SHOWN)
def test_the_password_in_a_url_is_hidden_whole(text: str) -> None:
    """Passwords are often not encoded, as they would have to be."""
    assert without_user_info(text) == SHOWN[text]
