"""`check -v`, `--watch` and `--interval`, in real processes that are driven by their streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli.process import run

from metaio_verify.lab.server import Lab, running

KEY = "sk-a-key-of-the-watch"


class Switch(Lab):
    """A lab that can be broken and mended while it runs."""

    def __init__(self) -> None:
        super().__init__(KEY)
        self.current = Lab(KEY)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer like the lab of the moment."""
        await self.current(scope, receive, send)


@contextmanager
def watching(*arguments: str, folder: Path) -> Iterator[tuple[Switch, subprocess.Popen[str]]]:
    """A watched run of one check, whose first round has begun."""
    lab = Switch()
    with (
        running(lab) as url,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "metaio_verify", "check", "--model", "claude-lab-3"),
                *("--only", "streaming.message-stop", *arguments),
            ],
            env={"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process,
    ):
        try:
            yield lab, process
        finally:
            if process.poll() is None:
                process.kill()


def until(stream: Any, words: str) -> str:
    """What a stream says up to a line with these words."""
    lines = []
    for line in stream:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} never came:\n{''.join(lines)}")


def test_enter_runs_again_and_shows_what_changed(tmp_path: Path) -> None:
    """Nothing, a new failure in full, the same failure, its end; then the input ends."""
    with watching("--watch", "--report", "json=run.json", folder=tmp_path) as (lab, process):
        assert process.stdin is not None
        until(process.stderr, "Enter: again")
        for faults in ([], ["message-stop-missing"], ["message-stop-missing"], []):
            lab.current = Lab(KEY, faults=faults)
            process.stdin.write("\n")
            process.stdin.flush()
            until(process.stderr, "Enter: again")
        output, _ = process.communicate(timeout=60)
    first, *rounds = output.split("── round ")
    assert "Works: 1 of 1 must-check passes" in first
    same, broken, still, mended = rounds
    assert "Nothing changed." in same
    assert "pass → fail" in broken
    assert "Expected    message_stop" in broken
    assert "1 check fails; exit code 1" in broken
    assert "Nothing changed." in still
    assert "fail → pass" in mended
    assert "Expected" not in mended
    assert process.returncode == 0
    assert (tmp_path / "run.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interval_needs_no_terminal_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """With the exit code of the last round that was finished."""
    with watching("--interval", "0.01", folder=tmp_path) as (lab, process):
        lab.current = Lab(KEY, faults=["message-stop-missing"])
        until(process.stdout, "exit code 1")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors


def test_what_cannot_be_watched_is_refused() -> None:
    """Exit code 2."""
    base = ("check", "--base-url", "http://127.0.0.1:1", "--api-key", "k", "--watch")
    done = run(*base, "--report", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a watched run needs a path" in done.stderr


def test_verbose_shows_every_byte_but_the_key(lab: dict[str, str]) -> None:
    """Request, answer and curl line of each exchange, then the result."""
    done = run("check", "--only", "streaming.message-stop", "-v", env=lab)
    assert done.returncode == 0, done.stderr
    wire, _, result = done.stdout.partition("Works: ")
    assert "> x-api-key: [redacted]" in wire
    assert '"stream":true' in wire
    assert "event: message_stop" in wire
    assert "curl -sS -i -N --compressed" in wire
    assert result.startswith("1 of 1 must-check passes")
    assert lab["ANTHROPIC_API_KEY"] not in done.stdout + done.stderr


def test_verbose_and_a_report_do_not_share_standard_output(lab: dict[str, str]) -> None:
    """Exit code 2, with what to do."""
    done = run("check", "-v", "--report", "json", env=lab)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--report wire=PATH" in done.stderr


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "1e300"])
def test_an_interval_that_makes_no_sense_is_refused(interval: str) -> None:
    """Before the first round."""
    done = run("check", "--interval", interval, "--base-url", "http://127.0.0.1:9")
    assert done.returncode == 2, done.stderr
    assert "--interval" in done.stderr
