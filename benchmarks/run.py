"""Measure what a user waits for, each time beside a floor that was measured in the same run.

Usage: python benchmarks/run.py [--runs N]. Prints a Markdown table of medians and ratios. Absolute
figures depend on the machine; the ratios are what the project promises. README.md explains them.
"""

from __future__ import annotations

import argparse
import contextlib
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
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
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
    for exchange in record.exchanges:
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
        found.append(
            {
                "after": sorted(
                    _before_entry(job.key, numbers) if job.key in entry else after | first
                ),
                "turns": [turns[place] for place in sorted(turns)],
            }
        )
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


def longest_chain(jobs: Sequence[dict[str, Any]]) -> int:
    """Requests that must follow each other."""
    height: dict[int, int] = {}

    def of(number: int) -> int:
        if number not in height:
            before = max((of(other) for other in jobs[number]["after"]), default=0)
            height[number] = before + len(jobs[number]["turns"])
        return height[number]

    return max(of(number) for number in range(len(jobs)))


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

    def row(what: str, figures: tuple[float, float, float], target: str, floor: str) -> None:
        ours, base, ratio = figures
        print(
            f"| {what} | {ours:.3f} | {base:.3f} | {ratio:.2f} | {target} | {floor} |", flush=True
        )

    few = max(1, runs // 3)
    full = [*PROGRAM, "check"]
    httpx = [sys.executable, "-c", "import httpx"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plan = folder / "script.json"
        bare = [sys.executable, str(HERE / "floor.py"), str(plan), "8"]
        with lab() as environment:
            plan.write_text(json.dumps(recorded(environment, folder)), encoding="utf-8")
            row("full suite (s)", pairs(full, bare, environment, runs), "< 1.3", "bare httpx")
            for command in (["checks", "list"], ["--help"]):
                figures = pairs([*PROGRAM, *command], httpx, environment, runs)
                row(f"`{' '.join(command)}` (s)", figures, "< 1.2", "`import httpx`")
            seconds = statistics.median(
                judged(folder / "run.json", environment) for _ in range(runs)
            )
            row("judging a saved full run (CPU s)", (seconds, 0.3, seconds / 0.3), "< 1", "0.3 s")
            ours, base = peak(full, environment), peak(httpx, environment)
            above = "< 60 MiB above"
            row(
                "peak memory of a full run (MiB)",
                (ours, base, ours / base),
                above,
                "`import httpx`",
            )
        with lab(LATENCY) as environment:
            jobs = recorded(environment, folder)
            plan.write_text(json.dumps(jobs), encoding="utf-8")
            figures = pairs(full, bare, environment, few)
            row("full suite, 300 ms latency (s)", figures, "", "bare httpx")
            chain = longest_chain(jobs) * LATENCY
            wide = [*full, "--concurrency", "64"]
            seconds = statistics.median(timed(wide, environment) for _ in range(few))
            what = f"longest chain, {chain / LATENCY:.0f} requests"
            row("the same, 64 at a time (s)", (seconds, chain, seconds / chain), "< 1.15", what)
        with lab_of_many_models() as environment:
            one, ten = [*full, "--model", "model-0"], [*full, "--model", "all"]
            row("ten models (s)", pairs(ten, one, environment, few), "< 10", "one model")
            figures = (peak(ten, environment), base := peak(one, environment), 0.0)
            evidence = size(ten, environment, folder) - size(one, environment, folder)
            grown = (figures[0] - base) / evidence
            what = f"one model; the evidence grew by {evidence:.1f} MiB"
            row("peak memory of ten models (MiB)", (figures[0], base, figures[0] / base), "", what)
            print(f"\nTen models: {grown:.1f} bytes of memory for each byte of evidence more.")


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
