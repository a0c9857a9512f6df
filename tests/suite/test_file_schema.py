from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from suite.packs import PACK, changed

from metaio_verify.suite.load import builtin_folder
from metaio_verify.suite.schema import FILE_NAME, as_text, check_file_schema
from metaio_verify.suite.syntax import FastLoader

_FILES = sorted(builtin_folder().glob("*.yaml"))


def _data(text: str) -> Any:
    return yaml.load(text, Loader=FastLoader)


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    """Of the published schema."""
    return jsonschema_rs.Draft202012Validator(check_file_schema())


def test_the_published_schema_is_the_one_of_the_model() -> None:
    """Write it anew with `metaio-verify checks schema > checks/check-file.schema.json`."""
    assert (builtin_folder() / FILE_NAME).read_text(encoding="utf-8") == as_text()


def test_the_schema_is_draft_2020_12() -> None:
    """An editor can use it."""
    schema = check_file_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_every_key_is_described() -> None:
    """What an editor shows beside a key."""
    schema = check_file_schema()
    parts = {"file": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, value in part.get("properties", {}).items()
        if "description" not in value
    ]
    assert bare == []


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_the_built_in_files_follow_it(
    path: Path, validator: jsonschema_rs.Draft202012Validator
) -> None:
    """And name it in their first line, so that an editor judges them."""
    text = path.read_text(encoding="utf-8")
    validator.validate(_data(text))
    marker, _, schema = text.partition("\n")[0].partition("=")
    assert marker == "# yaml-language-server: $schema"
    assert (path.parent / schema).resolve() == (path.parent / FILE_NAME).resolve()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("post: /v1/messages", "pots: /v1/messages"),
        ("    post: /v1/messages\n", ""),
        ("post: /v1/messages", "post: https://evil.example/v1"),
        ("post: /v1/messages", "post: //evil.example/v1"),
        ("post: /v1/messages", "post: /v1\n    get: /v1"),
        ("post: /v1/messages", "post: /v1\n    headers: {host: x}"),
        ("post: /v1/messages", "post: /v1\n    times: 99"),
        ("post: /v1/messages", "post: /v1\n    attempts: [{}]"),
        ("post: /v1/messages", "post: /v1\n    body: x"),
        ("level: must", "level: mist"),
        ("    title: The answer is right\n", ""),
        ("own.answer", "answer"),
        ("contract: OWN-01", "contract: own"),
        ("status: 200", "stauts: 200"),
        ("status: 200", "status: 20x"),
        ("status: 200", ""),
        ("status: 200", "json: {$.a: {patern: x}}"),
        ("    expect: {status: 200}\n", ""),
        ("faults: []", "faults: []\n    accept: [{status: 400, verdict: fail, because: x}]"),
    ],
)
def test_an_editor_marks_mistakes(
    old: str, new: str, validator: jsonschema_rs.Draft202012Validator
) -> None:
    """Those of keys, types and forms; what parts say about each other is for `checks lint`."""
    validator.validate(_data(PACK))
    assert not validator.is_valid(_data(changed(old, new)))
