"""An answer as it may be written down: no credential, and nothing of the inside of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from msgspec import Struct

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.internals import mask_all, mask_hosts, mask_keys
from metaio_verify.judge.sse import lines, looks_like_events
from metaio_verify.probe.client import Answer
from metaio_verify.probe.redact import Edit, Redactor, resized, splice
from metaio_verify.record import REDACTED

_MARKER = REDACTED.encode()


class Cleaned(Struct, frozen=True):
    """The parts of an answer without secrets."""

    headers: list[tuple[str, str]]
    body: bytes
    chunks: list[tuple[float, int]]
    leaks: list[str]
    """Where the credential stood: `header x-echo`, `body`."""


def cleaned(answer: Answer, redactor: Redactor, own_host: str) -> Cleaned:
    """Take all secrets out of an answer; `own_host` is the endpoint's and may be shown."""
    headers = redactor.headers(answer.headers)
    leaks = [
        f"header {new[0]}" for old, new in zip(answer.headers, headers, strict=True) if old != new
    ]
    refused = not 200 <= answer.status < 300
    body, chunks, leaked = _Body(answer).without(redactor, own_host, refused=refused)
    if leaked:
        leaks.append("body")
    masked = [(name, mask_hosts(value, own_host)) for name, value in headers]
    return Cleaned(masked, body, chunks, leaks)


def _is_stream(answer: Answer) -> bool:
    kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    return kind.lower().startswith("text/event-stream") or looks_like_events(answer.body)


class _Document(Struct):
    """Decoded JSON, and the bytes that hold it: one place, or the data lines of an event."""

    places: list[tuple[int, int]]
    value: Any
    changed: bool = False

    @property
    def is_error(self) -> bool:
        return isinstance(self.value, dict) and self.value.get("error") is not None

    @property
    def index(self) -> Any:
        """The content block that an event is about."""
        index = self.value.get("index") if isinstance(self.value, dict) else None
        return index if isinstance(index, int) else None

    def edits(self) -> Iterator[Edit]:
        """The change, once for the whole document."""
        if self.changed:
            new = json.dumps(self.value, ensure_ascii=False, separators=(",", ":")).encode()
            for start, end in self.places:
                yield Edit(start, end, new)
                new = b""


class _Text(Struct):
    """One string of a document, and how to replace it."""

    document: _Document
    holder: Any
    key: Any
    value: bytes

    def put(self, value: bytes) -> None:
        """Replace it."""
        if value != self.value:
            self.value = value
            self.holder[self.key] = value.decode()
            self.document.changed = True


class _Body:
    """A body with its documents."""

    def __init__(self, answer: Answer) -> None:
        self._body = answer.body
        self._chunks = answer.chunks
        self._documents = list(_events(self._body) if _is_stream(answer) else _whole(self._body))

    def without(
        self, redactor: Redactor, own_host: str, *, refused: bool
    ) -> tuple[bytes, list[tuple[float, int]], bool]:
        """The body, its chunks, and whether the credential was there."""
        texts = [(name, text) for one in self._documents for name, text in _texts(one)]
        # First of all, as half a key that is taken out would hide the other half.
        torn = self._mend(texts, redactor)
        for _, text in texts:
            if refused or text.document.is_error:
                text.put(mask_all(text.value.decode(), own_host).encode())
        edits = [edit for one in self._documents for edit in one.edits()]
        body, chunks, leaked = redactor.body(
            splice(self._body, edits), resized(self._chunks, edits)
        )
        shown = body.decode("utf-8", "surrogateescape")
        if refused and not self._documents:
            shown = mask_all(shown, own_host)
        masked = mask_keys(shown).encode("utf-8", "surrogateescape")
        if masked != body:
            edit = [Edit(0, len(body), masked)]
            body, chunks = masked, resized(chunks, edit)
        return body, chunks, leaked or torn

    @staticmethod
    def _mend(texts: list[tuple[str, _Text]], redactor: Redactor) -> bool:
        """Take out the credential, also where its parts stand in strings that readers join."""
        groups: dict[Any, list[_Text]] = {}
        for name, text in texts:
            groups.setdefault(name, []).append(text)
            groups.setdefault((name, text.document.index), []).append(text)
        # One look at all of them is enough for nearly every answer.
        if not redactor.spans(b"\n".join(map(_joined, groups.values()))):
            return False
        return sum(_mend(group, redactor) for group in groups.values()) > 0


def _joined(texts: list[_Text]) -> bytes:
    return b"".join(text.value for text in texts)


def _mend(texts: list[_Text], redactor: Redactor) -> bool:
    spans = redactor.spans(_joined(texts))
    begin = 0
    for text in texts if spans else ():
        end = begin + len(text.value)
        edits = [
            # The mark stands where the credential begins.
            Edit(max(a, begin) - begin, min(b, end) - begin, _MARKER if a >= begin else b"")
            for a, b in spans
            if a < end and begin < b
        ]
        begin = end
        text.put(splice(text.value, edits))
    return bool(spans)


def _whole(body: bytes) -> Iterator[_Document]:
    try:
        yield _Document([(0, len(body))], decode(body))
    except NotJSONError:
        return


def _events(body: bytes) -> Iterator[_Document]:
    """The JSON of each event; a last one without an empty line too, as it is written down."""
    places: list[tuple[int, int]] = []
    for start, end, _ in (*lines(body), (len(body), len(body), len(body))):
        if body.startswith(b"data:", start, end):
            places.append((start + len(b"data:"), end))
        elif start == end and places:
            with suppress(NotJSONError):
                yield _Document(places, decode(b"\n".join(body[a:b] for a, b in places)))
            places = []


def _texts(document: _Document) -> Iterator[tuple[str, _Text]]:
    """Every string with the name of the field that holds it, in order."""
    holder = [document.value]
    open_values: list[tuple[str, Any, Any]] = [("", holder, 0)]
    while open_values:
        name, inside, key = open_values.pop()
        value = inside[key]
        if isinstance(value, str):
            yield name, _Text(document, inside, key, value.encode())
        elif isinstance(value, list):
            open_values += [(name, value, i) for i in reversed(range(len(value)))]
        elif isinstance(value, dict):
            open_values += [(key, value, key) for key in reversed(value)]
