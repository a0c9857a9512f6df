"""Runs that end early: real processes, which leave a partial record and the right exit code."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cli.process import run as run_cli
from hostile.server import JSON, counting, hostile, repeats

from metaio_verify import Endpoint, Options, verify
from metaio_verify.errors import UserError
from metaio_verify.lab.server import Lab, running
from metaio_verify.report.json import decode, encode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
KEY = "sk-lab-interruptions"


@pytest.fixture(scope="module")
def slow() -> Iterator[str]:
    """A lab with so much latency that no run is finished before it is interrupted."""
    with running(Lab(KEY, latency=0.5)) as url:
        yield url


@pytest.fixture(scope="module")
def quick() -> Iterator[str]:
    """A lab without latency."""
    with running(Lab(KEY)) as url:
        yield url


@contextmanager
def started(
    url: str, *arguments: str, cwd: Path, **streams: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A run that is under way: it has said how much it will fire."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    with subprocess.Popen(
        [sys.executable, "-m", "metaio_verify", "check", "--concurrency", "1", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": KEY,
            "TERM": "xterm",
        },
        cwd=cwd,
        **streams,
    ) as process:
        if process.stderr is not None:
            assert b"firing" in process.stderr.readline()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_with_a_partial_record(
    number: signal.Signals, slow: str, tmp_path: Path
) -> None:
    """Exit code 130; record and page are written, and say that they are partial."""
    reports = ["--report=json=run.json", "--report=markdown=page.md"]
    with started(slow, *reports, cwd=tmp_path) as process:
        process.send_signal(number)
        output, talk = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in talk
    record = decode((tmp_path / "run.json").read_bytes(), "run.json")
    assert record.stopped is not None
    assert record.stopped.kind == "interrupted"
    assert record.exit_code == 130
    assert b"interrupted" in output
    assert "interrupted" in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.md", "run.json"]


def test_two_signals_leave_no_half_written_file(slow: str, tmp_path: Path) -> None:
    """An impatient user gets no traceback, and never half a record."""
    with started(slow, "--report=json=run.json", cwd=tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in talk
    for path in tmp_path.iterdir():
        assert path.name == "run.json"
        decode(path.read_bytes(), "run.json")


def test_a_terminal_is_left_clean(slow: str, tmp_path: Path) -> None:
    """The cursor that the live display hides is shown again."""
    reader, terminal = pty.openpty()
    streams = {"stdout": terminal, "stderr": terminal, "stdin": terminal}
    with started(slow, cwd=tmp_path, **streams) as process:
        os.close(terminal)
        seen = read_until(reader, b"\x1b[?25l")
        process.send_signal(signal.SIGINT)
        seen += read_until(reader, b"", process)
    os.close(reader)
    assert process.returncode == 130
    assert seen.count(b"\x1b[?25l") <= seen.count(b"\x1b[?25h")
    assert b"Traceback" not in seen


def read_until(reader: int, mark: bytes, process: subprocess.Popen[bytes] | None = None) -> bytes:
    """Read a terminal until a mark comes, or until its process has ended."""
    seen = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (process is not None or mark not in seen):
        if select.select([reader], [], [], 0.2)[0]:
            try:
                seen += os.read(reader, 65536)
            except OSError:
                break
        elif process is not None and process.poll() is not None:
            break
    return seen


def test_a_reader_that_goes_away_changes_no_exit_code(quick: str, tmp_path: Path) -> None:
    """With `| head` the run ends as it would have, and its files are written."""
    arguments = ["--profile=quick", "--report=json=run.json"]
    with started(quick, *arguments, cwd=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        talk = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 0
    assert b"Traceback" not in talk
    assert b"BrokenPipe" not in talk
    decode((tmp_path / "run.json").read_bytes(), "run.json")


def test_nobody_listening_at_all_changes_no_exit_code(quick: str, tmp_path: Path) -> None:
    """Closed standard streams lose what is said, and nothing else."""
    command = f"{sys.executable} -m metaio_verify check --profile=quick --report=json=run.json"
    env = {
        "PATH": os.environ["PATH"],
        "ANTHROPIC_BASE_URL": quick,
        "ANTHROPIC_API_KEY": KEY,
    }
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} >&- 2>&-"], env=env, cwd=tmp_path, check=False, timeout=60
    )
    assert done.returncode == 0
    decode((tmp_path / "run.json").read_bytes(), "run.json")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_and_keeps_nothing_else_back(quick: str, tmp_path: Path) -> None:
    """The other reports are written, the result is shown, and the exit code is not green."""
    env = {"ANTHROPIC_BASE_URL": quick, "ANTHROPIC_API_KEY": KEY}
    reports = ["--report=json=/dev/full", "--report=markdown=page.md"]
    done = run_cli("check", "--profile=quick", *reports, env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert "must-checks pass" in done.stdout
    assert "/dev/full: this cannot be written: No space left on device" in done.stderr
    assert (tmp_path / "page.md").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["checks list", "check --profile=quick", "check --plan"])
def test_a_full_disk_behind_standard_output_is_told(arguments: str, quick: str) -> None:
    """Exit code 2 and one sentence."""
    env = {"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": quick, "ANTHROPIC_API_KEY": KEY}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "metaio_verify", *arguments.split()],
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.count(b"standard output cannot be written: No space left on device") == 1
    assert b"Traceback" not in done.stderr


def test_a_limit_on_file_sizes_leaves_the_old_report(quick: str, tmp_path: Path) -> None:
    """What cannot be written whole is not written, and what was there stays."""
    (tmp_path / "run.json").write_text("before")
    env = {"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": quick, "ANTHROPIC_API_KEY": KEY}
    command = f"{sys.executable} -m metaio_verify check --profile=quick --report=json=run.json"
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 8; exec {command}"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert (tmp_path / "run.json").read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_vanishes_is_made_again(slow: str, tmp_path: Path) -> None:
    """A report's folder may be cleaned away during a run."""
    folder = tmp_path / "reports"
    folder.mkdir()
    with started(slow, f"--report=json={folder}/run.json", cwd=tmp_path) as process:
        shutil.rmtree(folder)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    decode((folder / "run.json").read_bytes(), "run.json")


def test_a_path_that_turns_into_a_folder_is_told(slow: str, tmp_path: Path) -> None:
    """The result is still shown; the exit code says that a report is missing."""
    with started(slow, "--report=json=run.json", cwd=tmp_path) as process:
        (tmp_path / "run.json").mkdir()
        process.send_signal(signal.SIGINT)
        output, talk = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"run.json" in talk
    assert b"Traceback" not in talk
    assert b"interrupted" in output


def test_two_runs_at_once_do_not_touch_each_other(tmp_path: Path) -> None:
    """Each has its own key, endpoint and record, in one folder."""
    keys = ["sk-lab-first-0123456789", "sk-lab-other-0123456789"]
    with running(Lab(keys[0])) as one, running(Lab(keys[1])) as other:
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "metaio_verify", "check", "--profile=quick",
                 f"--report=json={number}.json", "--report=markdown=page.md"],
                env={"PATH": os.environ["PATH"], "ANTHROPIC_BASE_URL": url,
                     "ANTHROPIC_API_KEY": key},
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for number, (url, key) in enumerate([(one, keys[0]), (other, keys[1])])
        ]  # fmt: skip
        assert [process.wait(timeout=60) for process in runs] == [0, 0]
    for number, url in enumerate([one, other]):
        record = json.loads((tmp_path / f"{number}.json").read_bytes())
        assert {e["request"]["url"].startswith(url) for e in record["exchanges"]} == {True}
    # The page is that of one of the two, whole.
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert (one in page) != (other in page)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_record_that_is_cut_anywhere_is_refused(quick: str) -> None:
    """Whatever byte it ends at, there is one clear sentence; and it names the file."""
    record = verify(Endpoint(quick, KEY, ["m"]), Options(only=["errors.unknown-model"]))
    data = encode(record).rstrip()
    # The bytes of a long text are as good as each other, so of those a sample is cut.
    ends = {*range(4000), *range(4000, len(data), 11), *range(len(data) - 2000, len(data))}
    for end in ends:
        with pytest.raises(UserError) as caught:
            decode(data[:end], "run.json")
        (problem,) = caught.value.problems
        assert str(problem).startswith("run.json")
        assert re.search(r"cut off|empty|no run record", problem.message)


def test_a_cut_record_is_refused_by_the_command(quick: str, tmp_path: Path) -> None:
    """Exit code 2 and no traceback."""
    data = encode(verify(Endpoint(quick, KEY), Options(only=["auth.bearer"])))
    (tmp_path / "run.json").write_bytes(data[: len(data) // 2])
    done = run_cli("report", "run.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "the run record is cut off" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_bound_on_a_run_holds_for_the_worst_server(quick: str) -> None:
    """A server that drips for ever does not keep a run beyond its time."""
    drip: Callable[[Any], None] = repeats(JSON + b"\r\n", b" ", pause=0.02)
    options = Options(only=["counting.served"], run_timeout=1.0)
    with hostile(drip, picks=counting, upstream=quick) as url:
        record = verify(Endpoint(url, KEY), options)
    assert record.stopped is not None
    assert record.stopped.kind == "deadline"
    assert record.exit_code == 3
