"""What a person sees while a run is under way: one line that moves, or a few plain lines in a pipe.

All of it is talk, so it goes to stderr and is gone when the run ends; results go to stdout.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from metaio_verify.probe.observer import Observer
from metaio_verify.record import Exchange
from metaio_verify.report.surface import Surface, is_live
from metaio_verify.report.text import plural, safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NAMED = 2
"""Probes under way that are named at a time."""


def progress(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Observer:
    """Return the display that suits a stream: it moves on a terminal and is sparing in a pipe."""
    if is_live(stream, environment):
        return Bar(stream, Surface.of(stream, environment))
    return Lines(stream)


class Lines:
    """A line at the start and one for each remark."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def started(self, total: int) -> None:
        """Say how much will be fired."""
        self._say(f"firing {plural(total, 'probe')}")

    def fired(self, probe: str, model: str | None) -> None:
        """Say nothing: a log of each probe is the run record."""

    def answered(self, exchange: Exchange) -> None:
        """Say nothing."""

    def settled(self, probe: str, model: str | None) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Pass a remark on."""
        self._say(safe(text))

    def finished(self) -> None:
        """Say nothing: the report follows."""

    def _say(self, text: str) -> None:
        # A terminal in another encoding still gets the line, with what it cannot show written out.
        encoding = self._stream.encoding or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        # Nobody may be reading any more; the run goes on.
        with contextlib.suppress(OSError):
            print(f"metaio-verify: {shown}", file=self._stream, flush=True)


class Bar:
    """A bar with the probes that are under way; it leaves nothing behind but the remarks."""

    def __init__(self, stream: TextIO, surface: Surface) -> None:
        self._bar, self._task = _bar(stream, surface)
        self._under_way: Counter[str] = Counter()
        self._settled = 0
        self._exchanges = 0
        self._over = False

    def started(self, total: int) -> None:
        """Give the bar its length."""
        self._bar.update(self._task, total=total)
        self._show()

    def fired(self, probe: str, model: str | None) -> None:
        """Name the probe."""
        del model
        self._under_way[probe] += 1
        self._show()

    def answered(self, exchange: Exchange) -> None:
        """Count the exchange."""
        del exchange
        self._exchanges += 1
        self._show()

    def settled(self, probe: str, model: str | None) -> None:
        """Move on."""
        del model
        self._under_way[probe] -= 1
        self._under_way += Counter()
        self._settled += 1
        self._show()

    def note(self, text: str) -> None:
        """Write a remark above the bar, where it stays."""
        self._bar.console.print(safe(text), style="yellow")

    def finished(self) -> None:
        """Take the bar away."""
        self._over = True
        self._bar.stop()

    def _show(self) -> None:
        """Draw; the first step begins the display, so that a run that never starts leaves none."""
        if self._over:
            return
        self._bar.start()
        names = [safe(name, 40) for name in self._under_way]
        more = f" +{len(names) - _NAMED}" if len(names) > _NAMED else ""
        self._bar.update(
            self._task,
            completed=self._settled,
            requests=plural(self._exchanges, "request"),
            under_way=", ".join(names[:_NAMED]) + more,
        )


def _bar(stream: TextIO, surface: Surface) -> tuple[Progress, TaskID]:
    """A transient bar; Rich is imported here because it is slow and a pipe needs none of it."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415
    from rich.table import Column  # noqa: PLC0415

    console = Console(
        file=stream,
        force_terminal=True,
        no_color=not surface.colour,
        markup=False,
        highlight=False,
        emoji=False,
    )
    bar = Progress(
        SpinnerColumn("dots" if surface.unicode else "line", style="cyan"),
        BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
        TextColumn("{task.fields[requests]}", markup=False, table_column=Column(no_wrap=True)),
        # What is under way takes the room that is left.
        TextColumn(
            "{task.fields[under_way]}",
            style="dim",
            markup=False,
            table_column=Column(no_wrap=True, ratio=1, overflow="ellipsis"),
        ),
        console=console,
        expand=True,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        refresh_per_second=12,
    )
    task = bar.add_task("", total=None, requests="connecting", under_way="")
    return bar, task
