from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from metaio_verify import Endpoint, judge_again, verify
from metaio_verify.record import Exchange, RunRecord
from metaio_verify.verdict import Verdict

STRANGE: list[Any] = [[], {}, [[]], None, True, 0, -1, 1e300, "", "x", [None], {"type": []}]
READ = {"content", "data", "delta", "error", "id", "index", "input", "message", "model", "name"} | {
    *("role", "stop_reason", "text", "type", "usage", "input_tokens", "output_tokens")
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value that clients read."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        if key in READ or isinstance(key, int):
            yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def damaged(text: str, random: Random) -> str:
    """JSON with something strange in one place, where it is JSON."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if isinstance(document, dict | list) and (ways := list(places(document))):
        *way, last = random.choice(ways)
        inside = document
        for key in way:
            inside = inside[key]
        inside[last] = random.choice(STRANGE)
    return json.dumps(document)


def answer(exchange: Exchange, random: Random) -> Exchange:
    """The exchange with something strange in its answer, in one event if it is a stream."""
    response = exchange.response
    if response is None or not response.text:
        return exchange
    lines = response.text.split("\n")
    data = [number for number, line in enumerate(lines) if line.startswith("data: ")]
    if data:
        number = random.choice(data)
        lines[number] = f"data: {damaged(lines[number].removeprefix('data: '), random)}"
        text = "\n".join(lines)
    else:
        text = damaged(response.text, random)
    return replace(exchange, response=replace(response, text=text))


@pytest.fixture(scope="module")
def run(lab: dict[str, str]) -> RunRecord:
    """A run of all checks."""
    return verify(Endpoint(lab["ANTHROPIC_BASE_URL"], lab["ANTHROPIC_API_KEY"]))


@pytest.mark.parametrize("seed", range(6))
def test_damaged_answers_are_judged(run: RunRecord, seed: int) -> None:
    """Something strange in every answer of a run makes checks fail and breaks nothing."""
    random = Random(seed)
    strange = [answer(exchange, random) for exchange in run.exchanges]
    again = judge_again(replace(run, exchanges=strange))
    assert again.exit_code == 1
    assert any(one.verdict is Verdict.FAIL and one.findings for one in again.verdicts)
