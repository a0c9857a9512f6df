"""Every exchange, byte for byte: what was sent, and each piece of the answer when it came.

Lines that were sent begin with `>`, lines that came with `<`. A carriage return, a control
character or a byte that is no UTF-8 is written out, so what looks empty is empty. Times count from
the moment at which the request was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metaio_verify.record import Exchange, RunRecord
from metaio_verify.report.curl import replay
from metaio_verify.report.layout import Page, joined
from metaio_verify.report.surface import Surface
from metaio_verify.report.text import plural

_NO_TIME = " " * 12
_GOES_ON = " ⋯"
"""Stands where a piece of the answer ends within a line, and another one follows."""


def render(record: RunRecord, surface: Surface | None = None) -> str:
    """Return the exchanges of a run in the order in which they were sent."""
    page = Page(surface or Surface())
    for exchange in record.exchanges:
        _exchange(page, exchange)
    if not record.exchanges:
        page.line(("No request was sent.", ""))
    page.blank()
    return str(page)


def _exchange(page: Page, exchange: Exchange) -> None:
    request, answer = exchange.request, exchange.response
    status = str(answer.status) if answer else "no answer"
    page.rule(
        joined([exchange.id, request.method, status, _milliseconds(exchange.timing.total).strip()])
    )
    for line in _sent(exchange):
        page.verbatim(line, 0)
    page.blank()
    for line in _received(exchange):
        page.verbatim(line, 0)
    command = replay(exchange)
    page.blank()
    page.line(("Replay", "dim"))
    lines = [command.body_file] if command.body_file else []
    for line in [*lines, *str(command).splitlines()]:
        page.verbatim(line, 2)


def _sent(exchange: Exchange) -> Iterator[str]:
    request = exchange.request
    yield f"> {request.method} {request.url}"
    for name, value in request.headers:
        yield f"> {name}: {value}"
    if request.body:
        yield ">"
        yield from (f"> {line}" for line in _lines(request.body))
    if request.padding:
        yield f"> ({request.padding:,} bytes of white space)"


def _received(exchange: Exchange) -> Iterator[str]:
    answer, timing = exchange.response, exchange.timing
    if answer is not None:
        yield f"< {_milliseconds(timing.headers)}{answer.http_version} {answer.status}"
        for name, value in answer.headers:
            yield f"< {_NO_TIME}{name}: {value}"
        body = answer.body
        yield f"< {_NO_TIME}({plural(len(body), 'byte')} of body)"
        yield from _pieces(body, timing.chunks or [(timing.total, len(body))] * bool(body))
    if exchange.failure is not None:
        yield f"! {exchange.failure.kind}: {exchange.failure.detail}"
    if exchange.aborted:
        yield "! the connection was closed here, on purpose"


def _pieces(body: bytes, chunks: Sequence[tuple[float, int]]) -> Iterator[str]:
    """The body in the pieces in which it came."""
    start = 0
    for at, length in chunks:
        piece = body[start : start + length]
        start += length
        lines = _lines(piece.decode("utf-8", "backslashreplace"))
        if start < len(body) and not piece.endswith(b"\n"):
            lines[-1] += _GOES_ON
        for number, line in enumerate(lines):
            yield f"< {_NO_TIME if number else _milliseconds(at)}{line}"


def _lines(text: str) -> list[str]:
    r"""Lines by LF alone; other signs that end a line appear as `\r`."""
    return text.removesuffix("\n").split("\n")


def _milliseconds(seconds: float | None) -> str:
    return _NO_TIME if seconds is None else f"{seconds * 1000:7.1f} ms  "
