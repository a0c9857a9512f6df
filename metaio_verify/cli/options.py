"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_SELECT = "What to check"
_RUN = "How to run"
_OUT = "Results"

Profile = Annotated[
    str | None,
    typer.Option(help="A named selection: quick, onboarding, full …", rich_help_panel=_SELECT),
]
Only = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Only these checks; repeatable.", rich_help_panel=_SELECT),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(metavar="GLOB", help="Not these checks; repeatable.", rich_help_panel=_SELECT),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        help="Only checks with this tag; `heavy` adds costly ones.",
        rich_help_panel=_SELECT,
    ),
]
Checks = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH", help="Check files of your own, or folders of them.", rich_help_panel=_SELECT
    ),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT=PATH",
        help="Write a report: json, markdown, terminal; repeatable.",
        rich_help_panel=_OUT,
    ),
]
Strict = Annotated[
    bool | None,
    typer.Option("--strict", help="A failed should-check fails the run.", rich_help_panel=_RUN),
]
FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_RUN)
]
Concurrency = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Probes at a time [default: 8].", rich_help_panel=_RUN),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        metavar="SECONDS",
        help="Longest wait for the next byte of an answer [default: 60].",
        rich_help_panel=_RUN,
    ),
]
PlanOnly = Annotated[
    bool,
    typer.Option(
        "--plan", help="Print what would be sent, and send nothing.", rich_help_panel=_RUN
    ),
]
Faults = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="ID", help="A defect to switch on; repeatable. `list` lists."),
]
