"""Measure what a user waits for, each time beside a floor that was measured in the same run.

Usage: python benchmarks/run.py [--runs N]. Prints a Markdown table of medians and ratios. Absolute
figures depend on the machine; the ratios are what the project promises. README.md explains them.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from metaio_verify.api import choose, planned
from metaio_verify.lab.server import Lab, running
from metaio_verify.probe.plan import JobKey
from metaio_verify.record import REDACTED, Exchange, RunRecord
from metaio_verify.report.json import decode
from metaio_verify.wanted import Options

HERE = pathlib.Path(__file__).parent
PROGRAM = [sys.executable, "-m", "metaio_verify"]
FULL = [*PROGRAM, "check"]
BARE = [sys.executable, str(HERE / "floor.py")]
LATENCY = 0.3
MODELS = 10
MIB = 1024 * 1024

JUDGE = """
import sys, time
from metaio_verify import judge_again
from metaio_verify.report.json import decode
started = time.process_time()
judge_again(decode(open(sys.argv[1], "rb").read(), "run.json"))
print(time.process_time() - started)
"""


@contextlib.contextmanager
def lab(latency: float = 0.0) -> Iterator[dict[str, str]]:
    """The lab in a process of its own; yields the environment that points to it."""
    command = [*PROGRAM, "serve", "--port", "0", "--latency", str(latency)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(2)]
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        try:
            yield surroundings(exports)
        finally:
            server.terminate()


@contextlib.contextmanager
def lab_of_many_models() -> Iterator[dict[str, str]]:
    """A lab with ten equal models."""
    models = tuple(replace(Lab().models[0], id=f"model-{number}") for number in range(MODELS))
    many = Lab(models=models)
    with running(many) as url:
        yield surroundings({"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": many.key})


def surroundings(exports: dict[str, str]) -> dict[str, str]:
    """The environment of a user: with bytecode, and a proxy for nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNUSUAL}
    return {**kept, **exports, "NO_COLOR": "1", "NO_PROXY": "*"}


_UNUSUAL = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def measured(command: Sequence[str], environment: dict[str, str]) -> tuple[float, int]:
    """Seconds of one whole process, and the bytes of memory that it had at most."""
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command}: exit {process.returncode}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def timed(command: Sequence[str], environment: dict[str, str]) -> float:
    """Seconds of one whole process."""
    return measured(command, environment)[0]


def peak(command: Sequence[str], environment: dict[str, str]) -> float:
    """MiB of memory that a process had at most."""
    return measured(command, environment)[1] / MIB


def pairs(
    ours: Sequence[str], floor: Sequence[str], environment: dict[str, str], runs: int
) -> tuple[float, float, float]:
    """Medians of both and of the ratio, pair by pair, after one warm-up."""
    timed(ours, environment)
    timed(floor, environment)
    both = [(timed(ours, environment), timed(floor, environment)) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in both),
        statistics.median(b for _, b in both),
        statistics.median(a / b for a, b in both),
    )


def script(record: RunRecord, key: str) -> list[dict[str, Any]]:
    """The requests of a recorded run, with the chains of its plan."""
    jobs, _ = planned(choose(Options()), record.target.models)
    fired: dict[tuple[str, str | None], list[Exchange]] = {}
    # What came late and was measured again was sent after everything else.
    for exchange in (one for one in record.exchanges if not one.timing.alone):
        fired.setdefault((exchange.probe, exchange.model), []).append(exchange)
    # What the preflight fired comes first, as it does in a run.
    entry = [(id_, None) for id_ in ("hello-x-api-key", "hello-bearer", "models-list")]
    numbers: dict[JobKey, int] = {}
    for job in jobs:
        if job.key in fired:
            numbers[job.key] = len(numbers)
    first = {numbers[key] for key in entry if key in numbers}
    found = []
    for job in jobs:
        if job.key not in fired:
            continue
        after = {numbers[need] for need in job.waits_for if need in numbers}
        after = _before_entry(job.key, numbers) if job.key in entry else after | first
        turns: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
        for exchange in fired[job.key]:
            turn = (exchange.copy - 1) // job.probe.at_once
            place = (turn, exchange.attempt, exchange.id if exchange.retry_of else "")
            turns.setdefault(place, []).append(request(exchange, key))
        found.append({"after": sorted(after), "turns": [turns[place] for place in sorted(turns)]})
    return found


def _before_entry(key: JobKey, numbers: dict[JobKey, int]) -> set[int]:
    """Discovery comes before the first message, which has to name a model."""
    return set() if key == _LISTING else {numbers[_LISTING]}


_LISTING = ("models-list", None)


def request(exchange: Exchange, key: str) -> dict[str, Any]:
    """One recorded request with its credential put back."""
    sent = exchange.request
    headers = [(name, value.replace(REDACTED, key)) for name, value in sent.headers]
    return {"method": sent.method, "url": sent.url, "headers": headers, "body": sent.body}


def longest_chain(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests that must follow each other, where these are most."""

    @functools.cache
    def ending_with(number: int) -> list[int]:
        before = max(map(ending_with, jobs[number]["after"]), key=turns, default=[])
        return [*before, number]

    def turns(chain: Sequence[int]) -> int:
        return sum(len(jobs[number]["turns"]) for number in chain)

    chain = max(map(ending_with, range(len(jobs))), key=turns)
    return [
        {
            "after": [place - 1] if place else [],
            "turns": [turn[:1] for turn in jobs[number]["turns"]],
        }
        for place, number in enumerate(chain)
    ]


def recorded(environment: dict[str, str], folder: pathlib.Path) -> list[dict[str, Any]]:
    """Run the suite once and take its requests."""
    path = folder / "run.json"
    command = [*PROGRAM, "check", "--report", f"json={path}"]
    subprocess.run(command, env=environment, capture_output=True, check=True)
    record = decode(path.read_bytes(), str(path))
    return script(record, environment["ANTHROPIC_API_KEY"])


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs: int = parser.parse_args().runs
    print("| what | ours | floor | ratio | target | floor is |")
    print("|---|---:|---:|---:|---:|---|")
    few = max(1, runs // 3)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        without_waiting(folder, runs)
        with_latency(folder, few)
        with_many_models(folder, few)


def without_waiting(folder: pathlib.Path, runs: int) -> None:
    """What the program itself needs."""
    plan = folder / "script.json"
    httpx = [sys.executable, "-c", "import httpx"]
    with lab() as environment:
        plan.write_text(json.dumps(recorded(environment, folder)), encoding="utf-8")
        figures = pairs(FULL, [*BARE, str(plan), "8"], environment, runs)
        row("full suite (s)", figures, "< 1.3", "bare httpx")
        for command in (["checks", "list"], ["--help"]):
            figures = pairs([*PROGRAM, *command], httpx, environment, runs)
            row(f"`{' '.join(command)}` (s)", figures, "< 1.2", "`import httpx`")
        seconds = statistics.median(judged(folder / "run.json", environment) for _ in range(runs))
        row("judging a saved full run (CPU s)", (seconds, 0.3, seconds / 0.3), "< 1", "0.3 s")
        ours, base = peak(FULL, environment), peak(httpx, environment)
        figures = (ours, base, ours / base)
        row("peak memory of a full run (MiB)", figures, "< 60 MiB above", "`import httpx`")


def with_latency(folder: pathlib.Path, runs: int) -> None:
    """What a user waits for where an answer takes its time."""
    plan = folder / "script.json"
    wide = [*FULL, "--concurrency", "64"]
    with lab(LATENCY) as environment:
        jobs = recorded(environment, folder)
        plan.write_text(json.dumps(jobs), encoding="utf-8")
        figures = pairs(FULL, [*BARE, str(plan), "8"], environment, runs)
        row("full suite, 300 ms latency (s)", figures, "", "bare httpx")
        figures = pairs(wide, [*BARE, str(plan), "64"], environment, runs)
        row("the same, 64 at a time (s)", figures, "", "bare httpx")
        chain = longest_chain(jobs)
        plan.write_text(json.dumps(chain), encoding="utf-8")
        figures = pairs(wide, [*BARE, str(plan), "1"], environment, runs)
        requests = sum(len(job["turns"]) for job in chain)
        what = f"bare httpx, the longest chain alone: {requests} requests"
        row("the same, 64 at a time (s)", figures, "< 1.15", what)
        latency = requests * LATENCY
        figures = (figures[0], latency, figures[0] / latency)
        row("the same, 64 at a time (s)", figures, "< 1.15", "the latency of that chain")


def with_many_models(folder: pathlib.Path, runs: int) -> None:
    """How time and memory grow with the models."""
    with lab_of_many_models() as environment:
        one, ten = [*FULL, "--model", "model-0"], [*FULL, "--model", "all"]
        row("ten models (s)", pairs(ten, one, environment, runs), "< 10", "one model")
        most, least = peak(ten, environment), peak(one, environment)
        evidence = size(ten, environment, folder) - size(one, environment, folder)
        what = f"one model; the evidence grew by {evidence:.1f} MiB"
        row("peak memory of ten models (MiB)", (most, least, most / least), "", what)
        grown = (most - least) / evidence
        print(f"\nTen models: {grown:.1f} bytes of memory for each byte of evidence more.")


def row(what: str, figures: tuple[float, float, float], target: str, floor: str) -> None:
    """Print one row of the table: ours, the floor, and the ratio."""
    ours, base, ratio = figures
    print(f"| {what} | {ours:.3f} | {base:.3f} | {ratio:.2f} | {target} | {floor} |", flush=True)


def judged(path: pathlib.Path, environment: dict[str, str]) -> float:
    """Seconds of CPU for reading and judging a saved record, which waits for nothing."""
    command = [sys.executable, "-c", JUDGE, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    return float(done.stdout)


def size(command: Sequence[str], environment: dict[str, str], folder: pathlib.Path) -> float:
    """MiB of the record of a run."""
    path = folder / "size.json"
    timed([*command, "--report", f"json={path}"], environment)
    return path.stat().st_size / MIB


if __name__ == "__main__":
    main()
