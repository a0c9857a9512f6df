"""What a run is held against: a baseline, an earlier run, a reference."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import Struct

from metaio_verify.config import key_in
from metaio_verify.errors import Problem, UserError

if TYPE_CHECKING:
    from metaio_verify.baseline.model import Baseline
    from metaio_verify.record import RunRecord
    from metaio_verify.wanted import Endpoint, Options

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Against(Struct, frozen=True, kw_only=True):
    """What the command line says about it; a baseline may differ by target."""

    update_baseline: bool
    baseline_run: Path | None
    reference_url: str | None
    reference_key_env: str | None
    reference_model: str | None

    def read(self, options: Options, baseline: Path | None, target: str = "") -> Options:
        """Return the options with what the run is held against, read before anything is sent.

        In paths, `{target}` stands for the name of the target.
        """
        if baseline is not None:
            from metaio_verify.baseline.read import read  # noqa: PLC0415 - most runs have none
            from metaio_verify.report import files  # noqa: PLC0415 - likewise

            path = named(baseline, target)
            found = read(path, may_be_missing=self.update_baseline)
            if self.update_baseline:
                files.prepare([path])
            options = replace(options, baseline=found)
        elif self.update_baseline:
            hint = "for instance --baseline metaio-verify-baseline.yaml"
            raise UserError(Problem("--update-baseline wants to know which file", hint=hint))
        if self.baseline_run is not None:
            from metaio_verify.report.json import read as read_run  # noqa: PLC0415 - likewise
            from metaio_verify.wanted import Earlier  # noqa: PLC0415 - likewise

            path = named(self.baseline_run, target)
            options = replace(options, since=Earlier(str(path), read_run(path)))
        reference = _reference(self.reference_url, self.reference_key_env, self.reference_model)
        return replace(options, reference=reference)


def named(path: Path, target: str) -> Path:
    """Return a path with the name of the target in it, if there is one."""
    return Path(str(path).replace("{target}", target)) if target else path


def _reference(
    url: str | None,
    variable: str | None,
    model: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Endpoint | None:
    if url is None:
        for flag, value in (("--reference-key-env", variable), ("--reference-model", model)):
            if value is not None:
                hint = "give --reference-url https://… too"
                raise UserError(
                    Problem(f"{flag} is about a reference, and none is given", hint=hint)
                )
        return None
    if variable is None:
        hint = "export its key and name the variable: --reference-key-env REFERENCE_KEY"
        raise UserError(Problem("the key of the reference is not known", hint=hint))
    if not _VARIABLE.fullmatch(variable) or variable in _values(environ):
        # It may be the key itself, so it is not repeated.
        hint = "name the variable, without $: --reference-key-env REFERENCE_KEY"
        raise UserError(Problem("--reference-key-env is no name of a variable", hint=hint))
    key = key_in(variable, environ, "--reference-key-env")
    from metaio_verify.wanted import Endpoint  # noqa: PLC0415 - imports the network

    return Endpoint(url, key, [model] if model else [])


def _values(environ: Mapping[str, str]) -> set[str]:
    return {value for name, value in environ.items() if name.endswith(("KEY", "TOKEN"))}


def add_failures(baseline: Baseline, record: RunRecord) -> None:
    """Write a waiver for each failure that has none, and say what was done."""
    from metaio_verify.after import day_of  # noqa: PLC0415
    from metaio_verify.baseline.stub import DAYS, additions, start, update  # noqa: PLC0415
    from metaio_verify.outcome import NEVER_BEGAN  # noqa: PLC0415

    path = baseline.path
    if record.stopped is not None and record.stopped.kind in NEVER_BEGAN:
        typer.echo(f"{path}: nothing was judged, so nothing was added", err=True)
        return
    new = additions(record, baseline)
    if new and baseline.file is not None:
        new = update(baseline.file, new, day_of(record))
    if not new:
        is_new = baseline.file is not None and start(baseline.file)
        done = "written without waivers" if is_new else "not changed"
        typer.echo(f"{path}: {done}, no check fails that has no waiver", err=True)
    else:
        names = ", ".join(f"{one.check}{f' ({one.model})' if one.model else ''}" for one in new)
        count = f"{len(new)} waiver{'' if len(new) == 1 else 's'}"
        typer.echo(f"{path}: {count} added, good for {DAYS} days: {names}", err=True)
        typer.echo("  Change each “CHANGE ME” into a reason: until then it is refused.", err=True)
    for waiver in record.waivers:
        if waiver.state.is_stale:
            typer.echo(f"{waiver.place}: {waiver.check}, left as it is. {waiver.detail}", err=True)
