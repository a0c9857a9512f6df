"""Run records that somebody changed: refused with their place, or shown; never a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report import records
from typer.testing import CliRunner

from metaio_verify import judge_again
from metaio_verify.cli.main import app
from metaio_verify.compare.build import compare
from metaio_verify.compare.formats import Format as CompareFormat
from metaio_verify.errors import UserError
from metaio_verify.record import RunRecord
from metaio_verify.report import Format
from metaio_verify.report.json import decode, encode
from metaio_verify.wanted import Earlier

WHOLE = [
    json.loads(encode(make()))
    for make in (
        *(records.failing, records.two_models, records.blocked, records.refused),
        *(records.interrupted, records.with_stale_waiver),
    )
]
URLS = [
    "",
    "x",
    "http://[",
    "http://[::1",
    "http://h\u2100/",
    "https://h:99999/",
    "//h",
    "http://]",
]
TEXTS = [
    *URLS,
    "\x1b[2J",
    "\0",
    "::error::x",
    "2027-13-45",
    "9999-12-31T23:59:59+99:99",
    "a" * 2000,
]
NUMBERS = [0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, -1e308, 0.5, -0.0]
OTHERS: list[Any] = [None, True, [], {}, [[]], [None], {"": None}, "pass", "fail", "waived", "must"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _by_shape(document: Any) -> list[list[tuple[Any, ...]]]:
    """All places, those of like parts together, so that long lists are not changed most."""
    shapes: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in _places(document):
        shape = tuple("*" if isinstance(part, int) else part for part in path)
        shapes.setdefault(shape, []).append(path)
    return list(shapes.values())


PLACES = [_by_shape(document) for document in WHOLE]


def _like(old: Any) -> list[Any]:
    """Values that may pass for the one that is there."""
    match old:
        case bool():
            return [not old]
        case int() | float():
            return NUMBERS
        case str():
            return [*TEXTS, old * 2, old[1:]]
        case list():
            return [[], old * 2, old[::-1], old[:1]]
        case dict():
            return [{}, {**old, "x": old}, dict(list(old.items())[1:])]
    return [*TEXTS, *NUMBERS]


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """A record with a few values replaced, removed or renamed; still JSON."""
    number = draw(st.integers(0, len(WHOLE) - 1))
    document = copy.deepcopy(WHOLE[number])
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(draw(st.sampled_from(PLACES[number]))))
        holder = document
        try:
            for part in path[:-1]:
                holder = holder[part]
            old = holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took it away
        if not isinstance(holder, dict | list):
            continue
        how = draw(st.integers(0, 9))
        if how == 0:
            del holder[path[-1]]
        elif how == 1 and isinstance(holder, dict):
            holder[draw(st.sampled_from(["", "\x1b", "a'b", "x"]))] = holder.pop(path[-1])
        elif how == 2:
            holder[path[-1]] = draw(st.sampled_from(OTHERS))
        else:
            holder[path[-1]] = draw(st.sampled_from(_like(old)))
    return json.dumps(document).encode()


def _compared(format_: CompareFormat) -> Callable[[RunRecord], object]:
    def make(record: RunRecord) -> str:
        runs = [Earlier("a", record), Earlier("b", records.clean())]
        return format_.render(compare(runs, fail_on_worse=True))

    return make


USES: dict[str, Callable[[RunRecord], object]] = {
    **{str(one): lambda record, one=one: one.render(record).encode() for one in Format},  # type: ignore[misc]
    **{f"compare {one}": _compared(one) for one in CompareFormat},
    "judge again": lambda record: encode(judge_again(record)),
}


@pytest.mark.parametrize("use", USES)
def test_a_changed_record_breaks_nothing(use: str) -> None:
    """Whoever reads it: it is refused with its place, or something is made of it."""

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(changed())
    def holds(data: bytes) -> None:
        made: list[RunRecord] = []
        refused = _told(lambda: made.append(decode(data, "run.json")))
        assert not refused or refused.startswith("run.json")
        for record in made:
            told = _told(lambda: USES[use](record))  # noqa: B023 - it is called at once
            assert not told or "run record is damaged at" in told

    holds()


def _told(call: Callable[[], object]) -> str:
    """What a user is told; all other exceptions are crashes."""
    try:
        call()
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "http://h\u2100/", "http://]"])
@pytest.mark.parametrize("part", ["base_url", "given_url", "request"])
def test_a_url_that_is_none_is_told_with_its_place(url: str, part: str, tmp_path: Path) -> None:
    """By every command that reads records, with exit code 2."""
    document = copy.deepcopy(WHOLE[0])
    if part == "request":
        document["exchanges"][1]["request"]["url"] = url
    else:
        document["target"][part] = url
    where = "$.exchanges[1].request.url" if part == "request" else f"$.target.{part}"
    (tmp_path / "run.json").write_text(json.dumps(document), encoding="utf-8")
    run = str(tmp_path / "run.json")
    for command in (["report", run], ["report", run, "--again"], ["compare", run, run]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 2, done.output
        assert f"run.json: this run record is damaged at {where}: it is no URL" in done.output


def test_a_base_url_that_held_the_key_is_one() -> None:
    """What stands in for the key has brackets, which a host must not have."""
    plain = records.failing()
    target = replace(plain.target, base_url="https://[redacted].gw.example/[redacted]")
    record = decode(encode(replace(plain, target=target)), "run.json")
    for use in USES.values():
        use(record)
