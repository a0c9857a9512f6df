from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from report.parts import record
from report.records import ALL, failing

from metaio_verify.errors import UserError
from metaio_verify.record import RunRecord, StreamEvent
from metaio_verify.report.json import decode, encode, record_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "run-record.schema.json"
WITHOUT_SURROGATES = {name: make for name, make in ALL.items() if name != "hostile"}


def refusal(data: bytes) -> str:
    """Return what a person reads about a file that is no run record."""
    with pytest.raises(UserError) as caught:
        decode(data, "run.json")
    assert caught.value.exit_code == 2
    return str(caught.value)


def changed(*path: str | int, value: Any) -> bytes:
    """Return a record with one value replaced."""
    document = json.loads(encode(failing()))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize("make", WITHOUT_SURROGATES.values(), ids=WITHOUT_SURROGATES)
def test_a_record_survives_the_file(make: Callable[[], RunRecord]) -> None:
    """Writing and reading gives the same record, and the same bytes again."""
    data = encode(make())
    assert decode(data, "run.json") == make()
    assert encode(decode(data, "run.json")) == data


def test_the_file_is_for_people_too() -> None:
    """Two spaces of indentation, the format first, the keys in the order of the types."""
    text = encode(record()).decode()
    assert text.startswith('{\n  "format": "metaio-verify/run/1",\n  "tool": {\n    "name"')
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    "data",
    [
        "\ud800 half of a pair",
        {"deep \udfff": ["\ud83d"]},
        float("nan"),
        10**40,
    ],
)
def test_any_answer_can_be_written(data: Any) -> None:
    """A server's text that is no Unicode, or a number that is none, does not lose the record."""
    run = record()
    event = StreamEvent(at=0.1, event=None, data=data)
    run = replace(run, exchanges=[replace(run.exchanges[0], events=[event])])
    assert decode(encode(run), "run.json").exchanges[0].events[0].at == 0.1


def test_nesting_without_end_can_be_written() -> None:
    """An event that is nested more deeply than a program can follow is cut."""
    data: list[Any] = []
    for _ in range(5000):
        data = [data]
    run = record()
    event = StreamEvent(at=0.1, event=None, data=data)
    run = replace(run, exchanges=[replace(run.exchanges[0], events=[event])])
    assert "nested more deeply" in encode(run).decode()


def test_a_cut_file_is_named_with_its_place() -> None:
    """A record that was cut off anywhere says so, and where."""
    data = encode(failing())
    for length in range(1, len(data) - 2, 997):
        text = refusal(data[:length])
        assert "cut off" in text
        lines = data[:length].rstrip().count(b"\n") + 1
        assert text.startswith(f"run.json:{lines}:")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b'{"format": "metaio-verify/run/1",\n "tool": }', "run.json:2:10: this is no run record"),
        (b"# A page\n", "run.json:1:1: this is no run record: invalid character (byte 0)"),
        (b'{"format": "x"} {}', "trailing characters (byte 17)"),
        (b'{"a": "\xff"}', "not JSON in UTF-8"),
        (b"\xff\xfe{\x00}\x00", "this is no run record"),
        (b"[" * 100_000, "this is no run record"),
        (b"[]", "this is JSON, but no run record"),
        (b'{"version": "2.1.0", "runs": []}', "this is JSON, but no run record"),
        (b'{"format": 1}', "this is JSON, but no run record"),
        (b'{"format": "metaio-verify/run/2"}', 'this version reads "metaio-verify/run/1"'),
        (b'{"format": "metaio-verify/run/1"}', "is damaged: object missing required field `tool`"),
    ],
)
def test_what_is_no_record_is_named(data: bytes, words: str) -> None:
    """Each kind of wrong file gets its own sentence, and what would be right."""
    text = refusal(data)
    assert words in text
    assert "\n  " in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("duration_s", value="fast"), "at $.duration_s: expected `float`, got `str`"),
        (changed("verdicts", 3, "verdict", value="ok"), "at $.verdicts[3].verdict: invalid enum"),
        (changed("checks", value=[]), "at $.checks: expected `object`, got `array`"),
        (changed("exchanges", 0, "request", value=None), "at $.exchanges[0].request"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(data: bytes, words: str) -> None:
    """A damaged record says which value is wrong and what it should be."""
    assert words in refusal(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Whatever a file holds, a person gets a sentence."""
    assert refusal(data)


def test_the_published_schema_is_the_code() -> None:
    """The committed schema describes the types as they are.

    To bring it up to date, write `record_schema()` with `json.dumps(…, indent=2)` into it.
    """
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == record_schema()


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_records_satisfy_the_schema(make: Callable[[], RunRecord]) -> None:
    """What is written is what the schema promises."""
    jsonschema_rs.validate(record_schema(), json.loads(encode(make())))


@pytest.mark.parametrize("data", [changed("format", value="x"), changed("verdicts", value={})])
def test_the_schema_refuses_what_is_no_record(data: bytes) -> None:
    """The schema is no rubber stamp."""
    assert not jsonschema_rs.is_valid(record_schema(), json.loads(data))
