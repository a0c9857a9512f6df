"""As much of a CI runner as an action and a workflow need: expressions, scripts, outputs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass
class Done:
    """What a runner knows when the steps have run."""

    code: int = 0
    """The exit code of the first step that failed."""
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, dict[str, str]] = field(default_factory=dict)


def load(path: Path) -> dict[str, Any]:
    """Return a YAML file."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def run_action(
    path: Path,
    given: Mapping[str, str],
    workspace: Path,
    *,
    installed: str = "",
    env: Mapping[str, str] | None = None,
) -> Done:
    """Run a composite action; with `installed`, its first step is not run again."""
    action = load(path)
    unknown = set(given) - set(action["inputs"])
    assert not unknown, f"there are no such inputs: {unknown}"
    inputs = {name: given.get(name, one["default"]) for name, one in action["inputs"].items()}
    known = {f"inputs.{name}": value for name, value in inputs.items()}
    known["github.action_path"] = str(path.parent)
    done = Done()
    for step in action["runs"]["steps"]:
        if step["id"] == "install" and installed:
            done.steps["install"] = {"bin": installed}
        elif done.code == 0:
            _run(step, known | _outputs(done.steps), workspace, done, env or {})
    context = _outputs(done.steps)
    done.outputs = {name: _filled(one["value"], context) for name, one in action["outputs"].items()}
    return done


def run_script(
    script: str, env: Mapping[str, str], workspace: Path
) -> subprocess.CompletedProcess[str]:
    """Run a script as `shell: bash` does, with nothing of the caller's environment but its path."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=workspace,
        env={**kept, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def filled(values: Mapping[str, str], context: Mapping[str, str]) -> dict[str, str]:
    """Fill in the expressions of a mapping."""
    return {name: _filled(str(value), context) for name, value in values.items()}


def _run(
    step: dict[str, Any],
    known: Mapping[str, str],
    workspace: Path,
    done: Done,
    env: Mapping[str, str],
) -> None:
    temp = workspace.parent / "runner"
    temp.mkdir(exist_ok=True)
    files = {name: temp / f"{step['id']}-{name.lower()}" for name in _FILES}
    for file in files.values():
        file.write_text("", encoding="utf-8")
    given = filled(step.get("env", {}), known)
    ends = {name: str(file) for name, file in files.items()}
    finished = run_script(
        step["run"], {**env, **ends, "RUNNER_TEMP": str(temp), **given}, workspace
    )
    done.log += finished.stdout
    done.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
    lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
    done.steps[step["id"]] = dict(line.split("=", 1) for line in lines)
    done.code = finished.returncode


_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")


def _outputs(steps: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"steps.{id_}.outputs.{n}": v for id_, found in steps.items() for n, v in found.items()}


def _filled(text: str, known: Mapping[str, str]) -> str:
    """Fill in names; what has no value is empty, as a runner has it."""
    return _EXPRESSION.sub(lambda match: known.get(match[1], ""), text)


def obeyed(log: str) -> list[str]:
    """Return the lines of a log that a runner takes for commands."""
    found, stopped = [], ""
    for line in re.split(r"\r\n|\r|\n", log):
        text = line.lstrip()
        if stopped:
            stopped = "" if text.rstrip() == f"::{stopped}::" else stopped
        elif text.startswith("::stop-commands::"):
            stopped = text.removeprefix("::stop-commands::").strip()
        elif text.startswith("::") or "##[" in text:
            found.append(text)
    return found
