"""Connections that are lost half-way, or carry bytes that belong to no answer."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile.server import JSON, Serve, hostile, keeps, sends
from hostile.test_interruptions import KEY, read_until, started
from hostile.test_ways import AUTHORITY, HELLO, context

from metaio_verify import Endpoint, Options, verify
from metaio_verify.lab.server import Lab, running
from metaio_verify.probe import engine
from metaio_verify.record import RunRecord
from metaio_verify.report.json import decode
from metaio_verify.verdict import Verdict

ANSWERED = 6
"""So many requests are answered before something happens."""


def after(number: int, then: Callable[[], object]) -> Callable[[], None]:
    """Call `then` with the so many-th call, and never again."""
    left = [number]

    def count() -> None:
        left[0] -= 1
        if not left[0]:
            then()

    return count


def is_told(record: RunRecord) -> None:
    """The run stopped as the endpoint went away: nothing is accused, nothing green."""
    assert record.stopped is not None
    assert record.stopped.kind == "gone"
    assert "went away" in record.stopped.message
    assert record.exit_code == 3
    found = {one.verdict for one in record.verdicts}
    assert Verdict.FAIL not in found
    assert Verdict.BLOCKED in found
    assert len(record.exchanges) >= ANSWERED


def test_a_server_that_goes_leaves_a_partial_record(tmp_path: Path) -> None:
    """The command ends with 3, its record says why, and the terminal is left clean."""
    reader, terminal = pty.openpty()
    lost = threading.Event()
    streams = {"stdout": terminal, "stderr": terminal, "stdin": terminal}
    with running(Lab(KEY, latency=0.05)) as lab:
        with hostile(sends(), picks=lambda _: False, upstream=lab,
                     passed=after(ANSWERED, lost.set)) as url:  # fmt: skip
            run = started(url, "--report=json=run.json", cwd=tmp_path, **streams)
            process = run.__enter__()
            os.close(terminal)
            assert lost.wait(30)
        # Listener and connections are closed now, in the middle of the run.
        seen = read_until(reader, b"", process)
        run.__exit__(None, None, None)
    os.close(reader)
    assert process.returncode == 3
    assert seen.count(b"\x1b[?25l") <= seen.count(b"\x1b[?25h")
    assert b"Traceback" not in seen
    assert b"went away" in seen
    is_told(decode((tmp_path / "run.json").read_bytes(), "run.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_name_that_resolves_no_more_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network of this machine has gone."""
    monkeypatch.setattr(engine, "_SECOND_CHANCES", (0.0,))
    known = socket.getaddrinfo
    gone = threading.Event()

    def resolve(*arguments: Any, **options: Any) -> Any:
        if gone.is_set():
            raise socket.gaierror(socket.EAI_AGAIN, "no network")
        return known(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with (
        running(Lab(KEY)) as lab,
        hostile(sends(), picks=lambda _: False, upstream=lab,
                passed=after(ANSWERED, gone.set)) as url,
    ):  # fmt: skip
        named = url.replace("127.0.0.1", "localhost")
        is_told(verify(Endpoint(named, KEY), Options(profile="quick", concurrency=1)))


def test_a_network_that_swallows_everything_is_told_apart() -> None:
    """No connection is refused, and none is made: nobody takes them, and the queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as queue:
        for _ in range(2):
            one = queue.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        record = verify(
            Endpoint(f"http://127.0.0.1:{full.getsockname()[1]}", KEY, ["m"]),
            Options(only=["auth.bearer"], connect_timeout=0.2),
        )
    assert record.stopped is not None
    assert "no connection within 0.2 s" in record.stopped.message
    assert any("firewall" in hint for hint in record.stopped.hints)
    # As for a connection that is refused: with it a run that is under way is over.
    assert {one.failure.kind for one in record.exchanges if one.failure} == {"connect"}


BROKEN_RECORD = b"\x17\x03\x03\x00\x20" + b"A" * 32


def breaks_encryption(first: bytes) -> Serve:
    """Send these bytes, then some that are no TLS."""

    def serve(connection: socket.socket) -> None:
        if first:
            connection.sendall(first)
        with socket.socket(fileno=os.dup(connection.fileno())) as bare:
            bare.sendall(BROKEN_RECORD)
        assert isinstance(connection, ssl.SSLSocket)
        connection.recv(1)

    return serve


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (b"", "the encryption broke before an answer came"),
        (JSON + b"content-length: 99\r\n\r\n{", "the encryption broke before the answer was com"),
    ],
)
def test_encryption_that_breaks_is_named(first: bytes, says: str, tmp_path: Path) -> None:
    """It is not laid to the request."""
    bundle = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(bundle))
    secured = context(AUTHORITY.issue_cert("127.0.0.1"))
    options = Options(only=["messages.shape"], ca_bundle=bundle)
    with hostile(breaks_encryption(first), tls=secured) as url:
        record = verify(Endpoint(url, KEY, ["m"]), options)
    assert record.exit_code in (1, 3)
    failures = [one.failure for one in record.exchanges if one.failure]
    assert failures
    assert all(says in one.detail for one in failures)


STRAY = "bytes behind the answer before it"


@pytest.mark.parametrize("behind", [b"\r\n", b"\0", b"garbage\r\n\r\n", b"\x1b]0;x\x07"])
def test_bytes_behind_an_answer_are_named(behind: bytes) -> None:
    """They make the next answer on that connection no HTTP, and the finding says why."""
    options = Options(only=["messages.*"], concurrency=1)
    with hostile(keeps(JSON, HELLO, behind)) as url:
        record = verify(Endpoint(url, KEY, ["m"]), options)
    failures = [one.failure for one in record.exchanges if one.failure]
    assert failures
    assert {one.kind for one in failures} == {"protocol"}
    assert all(STRAY in one.detail for one in failures)
    assert record.exit_code in (1, 3)


@pytest.mark.parametrize(
    "behind", [b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}", b"x" * 99_999]
)
def test_a_second_answer_ends_no_run(behind: bytes) -> None:
    """The next request may be given it, as any client would be; the run is not green."""
    with hostile(keeps(JSON, HELLO, behind)) as url:
        record = verify(Endpoint(url, KEY, ["m"]), Options(only=["messages.*"], concurrency=1))
    assert record.exit_code in (1, 3)
    assert record.stopped is None


def test_a_fault_of_ours_is_named_and_leaves_nothing_behind(
    lab: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised as it is, from every stage of a run, and the next run is as any other."""
    endpoint = Endpoint(lab["ANTHROPIC_BASE_URL"], lab["ANTHROPIC_API_KEY"])
    options = Options(only=["auth.*"])
    send = httpx.AsyncHTTPTransport.handle_async_request
    for sound in (0, 1, 5):
        left = [sound]

        async def broken(
            self: httpx.AsyncHTTPTransport, request: httpx.Request, left: list[int] = left
        ) -> httpx.Response:
            left[0] -= 1
            if left[0] < 0:
                raise ZeroDivisionError("in the transport")
            return await send(self, request)

        with monkeypatch.context() as patch:
            patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", broken)
            with pytest.raises(ZeroDivisionError, match="in the transport"):
                verify(endpoint, options)
        assert verify(endpoint, options).exit_code == 0
