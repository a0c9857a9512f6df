"""Measure what a user waits for, each time beside a floor that was measured in the same run.

Usage: python benchmarks/run.py [--runs N]. Prints a Markdown table of medians and ratios. Absolute
times depend on the machine; the ratios are what the project promises.
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
from typing import Any

from metaio_verify.api import Options, choose, planned
from metaio_verify.record import REDACTED, Exchange, RunRecord
from metaio_verify.report.json import decode

HERE = pathlib.Path(__file__).parent
PROGRAM = [sys.executable, "-m", "metaio_verify"]
LATENCY = 0.3


@contextlib.contextmanager
def lab(latency: float = 0.0) -> Iterator[dict[str, str]]:
    """The lab in a process of its own; yields the environment that points to it."""
    command = [*PROGRAM, "serve", "--port", "0", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(2)]
        exports = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        try:
            yield {**os.environ, **exports, "NO_COLOR": "1"}
        finally:
            server.terminate()


def timed(command: Sequence[str], environment: dict[str, str]) -> float:
    """Seconds of one whole process."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{command}: exit {done.returncode}\n{done.stderr.decode()}")
    return seconds


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
    numbers = {job.key: number for number, job in enumerate(j for j in jobs if j.key in fired)}
    first = {numbers[key] for key in entry if key in numbers}
    found = []
    for job in jobs:
        if job.key not in fired:
            continue
        after = {numbers[need] for need in job.waits_for if need in numbers}
        turns: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
        for exchange in fired[job.key]:
            turn = (exchange.copy - 1) // job.probe.at_once
            place = (turn, exchange.attempt, exchange.id if exchange.retry_of else "")
            turns.setdefault(place, []).append(request(exchange, key))
        found.append(
            {
                "after": sorted(after if job.key in entry else after | first),
                "turns": [turns[place] for place in sorted(turns)],
            }
        )
    return found


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
    print("| what | ours (s) | floor (s) | ratio | floor is |")
    print("|---|---:|---:|---:|---|")

    def row(what: str, figures: tuple[float, float, float], floor: str) -> None:
        ours, base, ratio = figures
        print(f"| {what} | {ours:.3f} | {base:.3f} | {ratio:.2f} | {floor} |", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plan = folder / "script.json"
        with lab() as environment:
            plan.write_text(json.dumps(recorded(environment, folder)), encoding="utf-8")
            bare = [sys.executable, str(HERE / "floor.py"), str(plan), "8"]
            row("full suite", pairs([*PROGRAM, "check"], bare, environment, runs), "bare httpx")
            httpx_start = [sys.executable, "-c", "import httpx"]
            for command in (["checks", "list"], ["--help"]):
                figures = pairs([*PROGRAM, *command], httpx_start, environment, runs)
                row(f"`{' '.join(command)}`", figures, "`import httpx`")
        with lab(LATENCY) as environment:
            jobs = recorded(environment, folder)
            plan.write_text(json.dumps(jobs), encoding="utf-8")
            bare = [sys.executable, str(HERE / "floor.py"), str(plan), "8"]
            figures = pairs([*PROGRAM, "check"], bare, environment, max(1, runs // 3))
            row("full suite, 300 ms latency", figures, "bare httpx")
            wide = [*PROGRAM, "check", "--concurrency", "64"]
            chain = longest_chain(jobs) * LATENCY
            seconds = statistics.median(timed(wide, environment) for _ in range(max(1, runs // 3)))
            figures = (seconds, chain, seconds / chain)
            row(
                "the same, --concurrency 64",
                figures,
                f"longest chain, {chain / LATENCY:.0f} requests",
            )


if __name__ == "__main__":
    main()
