"""The options that several commands share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from metaio_verify.cli import complete
from metaio_verify.lab.gateway.kind import Kind

_SELECT = "What to check"
_RUN = "How to run"
_BOUNDS = "Bounds"
_OUT = "Results"
_COMPARE = "Known deviations and comparison"

FORMATS = (
    "annotations, badge, badge-json, github, html, json, junit, markdown, outputs, terminal or wire"
)
"""The formats, written out: what knows them is slow to import."""

Profile = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A named selection: quick, onboarding, claude-code, sdk, gateway or full.",
        autocompletion=complete.profiles,
        rich_help_panel=_SELECT,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Only these checks; repeatable.",
        autocompletion=complete.checks,
        rich_help_panel=_SELECT,
    ),
]
Skip = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Not these checks; repeatable.",
        autocompletion=complete.checks,
        rich_help_panel=_SELECT,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="TAG",
        help="Only checks with this tag; `heavy` adds costly ones.",
        autocompletion=complete.tags,
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
        help=f"Write a report: {FORMATS}; repeatable.",
        autocompletion=complete.formats,
        rich_help_panel=_OUT,
    ),
]
Template = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A Jinja template of your own for the onboarding page (docs/templates.md).",
        rich_help_panel=_OUT,
    ),
]
Since = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN.json",
        help="The onboarding page says what changed since this run.",
        rich_help_panel=_OUT,
    ),
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Known deviations that may stay until a day (YAML).",
        rich_help_panel=_COMPARE,
    ),
]
UpdateBaseline = Annotated[
    bool,
    typer.Option(
        "--update-baseline",
        help="Add a waiver to --baseline for each check that fails now, to be given a reason.",
        rich_help_panel=_COMPARE,
    ),
]
BaselineRun = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN.json",
        help="An earlier run: fail only on what got worse since.",
        rich_help_panel=_COMPARE,
    ),
]
ReferenceUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Ask this endpoint the same, and show where the answers differ in shape.",
        rich_help_panel=_COMPARE,
    ),
]
ReferenceKeyEnv = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The environment variable that holds the reference's key.",
        rich_help_panel=_COMPARE,
    ),
]
ReferenceModel = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="The reference's model [default: the same id].",
        rich_help_panel=_COMPARE,
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
    typer.Option(
        min=1,
        max=256,
        metavar="N",
        help="Probes at a time [default: 8].",
        rich_help_panel=_RUN,
    ),
]


def _finite(value: float | None) -> float | None:
    """Refuse `nan` and `inf`, which are floats and no times."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter("this is no number of seconds")
    return value


def _seconds(explanation: str) -> Any:
    return typer.Option(
        min=0.01,
        metavar="SECONDS",
        help=explanation,
        callback=_finite,
        rich_help_panel=_BOUNDS,
    )


ConnectTimeout = Annotated[float | None, _seconds("Longest wait for a connection [default: 10].")]
Timeout = Annotated[
    float | None,
    _seconds("Longest wait for the next byte of an answer, also the first one [default: 60]."),
]
RequestTimeout = Annotated[
    float | None,
    _seconds("Longest time for a request and its answer [default: twice --timeout, at least 30]."),
]
RunTimeout = Annotated[float | None, _seconds("Longest time for the whole run [default: 900].")]
MaxBody = Annotated[
    int | None,
    typer.Option(
        min=1024,
        metavar="BYTES",
        help="Largest answer; eight times as much may come in all [default: 8388608].",
        rich_help_panel=_BOUNDS,
    ),
]
MaxEvents = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Most events of one stream [default: 10000].",
        rich_help_panel=_BOUNDS,
    ),
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Certificates (PEM) to trust besides the usual ones.",
        rich_help_panel=_BOUNDS,
    ),
]
PlanOnly = Annotated[
    bool,
    typer.Option(
        "--plan", help="Print what would be sent, and send nothing.", rich_help_panel=_RUN
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Show every exchange, byte for byte, before the result.",
        rich_help_panel=_OUT,
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Run again on Enter and show what changed, until Ctrl-C; the exit code is that of "
        "the last round.",
        rich_help_panel=_RUN,
    ),
]
Interval = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=31_536_000,
        metavar="SECONDS",
        help="Like --watch, again after this time.",
        callback=_finite,
        rich_help_panel=_RUN,
    ),
]
Gateway = Annotated[
    Kind | None,
    typer.Option(
        "--gateway",
        help="A gateway of the lab instead of the endpoint: it passes Anthropic messages on, or "
        "translates for OpenAI chat completions or responses.",
    ),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="ID",
        help="A defect to switch on; repeatable. `list` lists.",
        autocompletion=complete.faults,
    ),
]
Variants = Annotated[
    list[str] | None,
    typer.Option(
        "--variant",
        metavar="ID",
        help="A legal difference to switch on; repeatable. `list` lists.",
        autocompletion=complete.variants,
    ),
]
