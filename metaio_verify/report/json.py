"""The run record as JSON: written, read back with errors that say where, and described by a schema.

The order of keys is that of the types and, in mappings, that of the run: the same record is always
the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.jsontext import json_text
from metaio_verify.record import FORMAT, RunRecord
from metaio_verify.urls import split

_SCHEMA_ID = "urn:metaio-verify:run:1"
_FAMILY = FORMAT.rpartition("/")[0] + "/"
_DEEPEST = 100
"""Levels of nesting in a server's JSON that the record keeps."""
_MAKE_ONE = "Make a run record with: metaio-verify check --report json=run.json"


def encode(record: RunRecord) -> bytes:
    """Return the record as indented JSON in UTF-8, with a final line break.

    Whatever a server put into an answer, the record can be written: text that is no Unicode is
    written out, nesting without end is cut.
    """
    try:
        return _indented(record)
    except (UnicodeEncodeError, RecursionError):
        return _indented(_tamed(record))


def text(record: RunRecord) -> str:
    """Return the record as text, like every other report."""
    return encode(record).decode()


def decode(data: bytes, path: str) -> RunRecord:
    """Return the record that a file holds; `path` names it in errors.

    Raises:
        UserError: the file is cut, no JSON, no run record, or of another format version.

    """
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise UserError(_malformed(data, path, str(error))) from None
    except (UnicodeDecodeError, RecursionError):
        raise UserError(
            Problem("this is no run record: it is not JSON in UTF-8", Place(path), _MAKE_ONE)
        ) from None
    _check_format(document, path)
    try:
        record = msgspec.convert(document, RunRecord)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at ")
        at = f" at {where.strip('`')}" if where else ""
        raise UserError(
            Problem(
                f"this run record is damaged{at}: {message[:1].lower()}{message[1:]}",
                Place(path),
                _MAKE_ONE,
            )
        ) from None
    for where, url in _urls(record):
        if not _is_url(url):
            message = f"this run record is damaged at {where}: it is no URL"
            raise UserError(Problem(message, Place(path), _MAKE_ONE))
    return record


def read(path: Path) -> RunRecord:
    """Return the record of a file; raises `UserError` when there is none."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        place = Place(str(path))
        raise UserError(Problem(f"the run record cannot be read: {reason}", place)) from None
    return decode(data, str(path))


def record_schema() -> dict[str, Any]:
    """Return the JSON Schema of the run record."""
    schema = msgspec.json.schema(RunRecord)
    document = schema["$defs"][RunRecord.__name__]
    document["properties"]["format"] = {"const": FORMAT}
    document["required"] = ["format", *document["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _SCHEMA_ID,
        "title": f"Run record {FORMAT}",
        **schema,
    }


def _check_format(document: object, path: str) -> None:
    """Raise for a document that is some other kind of JSON."""
    format_ = document.get("format") if isinstance(document, dict) else None
    if format_ == FORMAT:
        return
    if isinstance(format_, str) and format_.startswith(_FAMILY):
        message = f'this run record has the format "{format_}"; this version reads "{FORMAT}"'
        hint = "Read it with the version of metaio-verify that wrote it, or run the check again."
    else:
        message = f'this is JSON, but no run record: it has no "format": "{FORMAT}"'
        hint = _MAKE_ONE
    raise UserError(Problem(message, Place(path), hint))


def _urls(record: RunRecord) -> Iterator[tuple[str, str]]:
    """Each URL of a record, and where it stands."""
    yield "$.target.base_url", record.target.base_url
    yield "$.target.given_url", record.target.given_url
    for number, one in enumerate(record.exchanges):
        yield f"$.exchanges[{number}].request.url", one.request.url
    if record.since is not None:
        yield "$.since.base_url", record.since.base_url
    if record.reference is not None:
        yield "$.reference.base_url", record.reference.base_url


def _is_url(text: str) -> bool:
    """Whether it has parts; what they are is shown as it is."""
    try:
        split(text)
    except ValueError:
        return False
    return True


def _malformed(data: bytes, path: str, message: str) -> Problem:
    """Say where the JSON goes wrong."""
    if not data.strip():
        return Problem("the file is empty", Place(path), _MAKE_ONE)
    if message == "Input data was truncated":
        place = _place(data, len(data.rstrip()), path)
        return Problem(
            f"the run record is cut off: it ends after {len(data):,} bytes in mid-record",
            place,
            "Copy the file again, or run the check again.",
        )
    detail = message.removeprefix("JSON is malformed: ")
    reason, _, rest = detail.partition(" (byte ")
    offset = int(rest.rstrip(")")) if rest.rstrip(")").isdigit() else 0
    return Problem(
        f"this is no run record: {reason} (byte {offset:,})", _place(data, offset, path), _MAKE_ONE
    )


def _place(data: bytes, offset: int, path: str) -> Place:
    before = data[:offset]
    start = before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8", "replace")) + 1
    return Place(path, before.count(b"\n") + 1, column)


def _indented(value: object) -> bytes:
    return json_text(value).encode()


def _tamed(value: Any, depth: int = 0) -> Any:
    """Return the value as plain ones that can be encoded."""
    if depth > _DEEPEST:
        return "… (nested more deeply than the record keeps)"
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        return {_tamed(key): _tamed(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tamed(item, depth + 1) for item in value]
    return value
