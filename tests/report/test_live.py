from __future__ import annotations

import io
import re

import pytest
from report.parts import exchange

from metaio_verify.probe.observer import Observer
from metaio_verify.report.live import Bar, Lines, progress
from metaio_verify.report.surface import Surface

COLOUR = re.compile(r"\x1b\[[\d;]*m")


class Stream(io.TextIOWrapper):
    """An output that may be a terminal."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")
        self._terminal = terminal

    def isatty(self) -> bool:
        """Say what it was made as."""
        return self._terminal

    def written(self) -> str:
        """Return everything that was written."""
        self.flush()
        self.seek(0)
        return self.read()


def run(observer: Observer) -> None:
    """Tell an observer of a short run."""
    observer.fired("hello", None)
    observer.answered(exchange())
    observer.settled("hello", None)
    observer.started(2)
    observer.fired("tools", "m")
    observer.note("tools: answered 429, waiting 2 s \x1b[2J [bold]")
    observer.answered(exchange())
    observer.settled("tools", "m")
    observer.settled("never-fired", "m")
    observer.finished()


def test_a_pipe_gets_few_lines() -> None:
    """The start and each remark, as harmless text, whatever colour is asked for."""
    stream = Stream(terminal=False)
    run(progress(stream, {"FORCE_COLOR": "1"}))
    assert stream.written() == (
        "metaio-verify: firing 2 probes\n"
        "metaio-verify: tools: answered 429, waiting 2 s \\x1b[2J [bold]\n"
    )


def test_a_line_fits_any_encoding() -> None:
    """What a stream cannot show is written out."""
    stream = Stream(terminal=False, encoding="ascii")
    Lines(stream).note("…")
    assert stream.written() == "metaio-verify: \\u2026\n"


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    """The bar is drawn in place and taken away; the remark stays, as text."""
    stream = Stream(terminal=True)
    run(progress(stream, {}))
    text = stream.written()
    assert "2 requests" in text
    assert "answered 429, waiting 2 s \\x1b[2J [bold]" in text
    assert text.rstrip("\r\n").endswith("\x1b[2K")


def test_a_run_that_never_starts_draws_nothing() -> None:
    """A display that was made but told of no step leaves the terminal as it was."""
    stream = Stream(terminal=True)
    progress(stream, {})
    assert not stream.written()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_the_bar_honours_no_color(environment: dict[str, str], *, coloured: bool) -> None:
    """A bar without colour still moves."""
    stream = Stream(terminal=True)
    run(progress(stream, environment))
    colours = set(COLOUR.findall(stream.written())) - {"\x1b[0m", "\x1b[2m"}
    assert bool(colours) is coloured


def test_a_dumb_terminal_is_treated_as_a_pipe() -> None:
    """A terminal that cannot redraw gets lines."""
    assert isinstance(progress(Stream(terminal=True), {"TERM": "dumb"}), Lines)
    assert isinstance(progress(Stream(terminal=True), {"TERM": "xterm"}), Bar)


@pytest.mark.parametrize(
    ("terminal", "environment", "surface"),
    [
        (False, {}, Surface(80, colour=False)),
        (False, {"COLUMNS": "100"}, Surface(100, colour=False)),
        (False, {"COLUMNS": "5"}, Surface(40, colour=False)),
        (False, {"COLUMNS": "999"}, Surface(120, colour=False)),
        (False, {"COLUMNS": "wide"}, Surface(80, colour=False)),
        (False, {"FORCE_COLOR": "1"}, Surface(80, colour=True)),
        (False, {"FORCE_COLOR": "0"}, Surface(80, colour=False)),
        (True, {}, Surface(80, colour=True)),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, Surface(80, colour=False)),
        (True, {"NO_COLOR": ""}, Surface(80, colour=True)),
        (True, {"TERM": "dumb"}, Surface(80, colour=False)),
    ],
)
def test_the_surface_follows_the_stream_and_the_environment(
    *, terminal: bool, environment: dict[str, str], surface: Surface
) -> None:
    """Width, colour and their overrides are those that other tools use."""
    assert Surface.of(Stream(terminal=terminal), environment) == surface


def test_a_stream_in_another_encoding_gets_ascii() -> None:
    """Signs that the encoding lacks are not sent."""
    assert not Surface.of(Stream(terminal=False, encoding="latin-1"), {}).unicode
