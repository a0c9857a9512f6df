from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from action.runner import Done, filled, load, obeyed, run_action, run_script
from cli.process import run as command

from metaio_verify.lab.server import Lab, running

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "examples/github-workflow.yml"
GITLAB = ROOT / "examples/gitlab-ci.yml"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are for bash")

_STAND_IN = f"""
import os, sys
def run():
    os.execv({sys.executable!r}, [{sys.executable!r}, "-m", "metaio_verify", *sys.argv[1:]])
"""


INSTALLED = str(Path(sys.executable).parent)
"""Where the command of this working tree is."""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel whose command is the program of this working tree: nothing has to be fetched."""
    path = tmp_path / "metaio_verify-0-py3-none-any.whl"
    about = "metaio_verify-0.dist-info"
    files = {
        "stand_in.py": _STAND_IN,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: metaio-verify\nVersion: 0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\nmetaio-verify = stand_in:run\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty checkout."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


def act(workspace: Path, lab: Lab, **given: str) -> Done:
    """Run the action against a lab."""
    with running(lab) as url:
        inputs = {"base-url": url, "api-key": lab.key, "profile": "quick"}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        return run_action(ACTION, inputs, workspace, installed=INSTALLED)


def test_it_installs_what_it_is_given(wheel: Path, workspace: Path) -> None:
    """The first step makes an environment of its own, whose program the second one runs."""
    lab = Lab()
    with running(lab) as url:
        given = {"install": str(wheel), "python": sys.executable, "base-url": url}
        given |= {"api-key": lab.key, "only": "auth.x-api-key"}
        done = run_action(ACTION, given, workspace, env={"PIP_NO_INDEX": "1"})
    assert done.code == 0, done.log
    assert str(workspace.parent) in done.steps["install"]["bin"]
    assert done.outputs["verdict"] == "works"


def test_a_python_that_is_too_old_is_named(workspace: Path) -> None:
    """What to do about it stands in the annotation; nothing is verified."""
    old = workspace / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = run_action(ACTION, {"python": str(old)}, workspace)
    assert (done.code, list(done.steps)) == (2, ["install"])
    assert "run actions/setup-python first" in obeyed(done.log)[0]


def test_a_good_endpoint_passes(workspace: Path) -> None:
    """Outputs, a job summary, the reports, and no annotation."""
    lab = Lab()
    done = act(workspace, lab, reports="my reports", only="auth.x-api-key\nauth.no-key")
    assert done.code == 0, done.log
    assert done.outputs["verdict"] == "works"
    assert done.outputs["exit-code"] == "0"
    assert (done.outputs["passed"], done.outputs["failed"]) == ("2", "0")
    assert json.loads(done.outputs["verified-models"]) == [lab.models[0].id]
    assert done.summary.startswith("## ✅ Works")
    assert obeyed(done.log) == []
    files = ("run-record", "html", "junit", "markdown", "badge")
    assert all((workspace / done.outputs[name]).stat().st_size for name in files)
    assert done.outputs["reports"] == "my reports"
    assert lab.key not in done.log + done.summary + str(done.outputs)


def test_a_broken_endpoint_fails_the_job(workspace: Path) -> None:
    """The step has the exit code of the run; later steps still know what came of it."""
    done = act(workspace, Lab(faults=["auth-ignores-bearer"]), only="auth.*")
    assert done.code == 1, done.log
    assert done.outputs["verdict"] == "does-not-work"
    assert int(done.outputs["failed"]) >= 1
    assert any(line.startswith("::error title=auth.bearer%3A ") for line in obeyed(done.log))
    assert "<code>auth.bearer</code>" in done.summary
    junit = ET.parse(workspace / done.outputs["junit"]).getroot()
    assert junit.findall(".//failure")


def test_the_result_can_be_left_to_later_steps(workspace: Path) -> None:
    """With fail: false the step passes, and its outputs say that the run did not."""
    lab = Lab(faults=["auth-ignores-bearer"])
    done = act(workspace, lab, only="auth.bearer", fail="false", annotations="false")
    assert (done.code, done.outputs["exit-code"]) == (0, "1")
    assert obeyed(done.log) == []


def test_a_usage_error_is_no_success(workspace: Path) -> None:
    """Without a run there is no verdict to be had, whatever an earlier one left behind."""
    assert act(workspace, Lab(), only="auth.x-api-key").outputs["verdict"] == "works"
    done = act(workspace, Lab(), only="no.such.check")
    assert done.code == 2
    assert done.outputs["verdict"] == "not-verified"
    assert done.outputs["run-record"] == ""
    assert len(obeyed(done.log)) == 1


def test_no_input_becomes_a_command(workspace: Path) -> None:
    """Quotes, substitutions, options and line breaks in an input are parts of a value."""
    evil = "$(touch taken)`touch taken`\"; touch taken; '\n--help\n*"
    done = run_action(
        ACTION,
        {
            # No complaint repeats the key, nor a long part of it.
            name: "`touch taken`" if name == "api-key" else evil
            for name in load(ACTION)["inputs"]
            if name not in ("arguments", "fail")
        },
        workspace,
        installed=INSTALLED,
    )
    assert done.code == 2, done.log
    assert "$(touch taken)" in done.log
    assert set(done.steps["verify"]) == {"verdict", "exit-code"}
    assert not list(workspace.parent.rglob("taken"))


def test_what_an_endpoint_writes_is_no_command(workspace: Path) -> None:
    """No line of the log begins like a command, also where the text was wrapped."""
    done = act(workspace, Lab(), models=f"{'x' * 66} ::error::taken", only="auth.x-api-key")
    assert not any(line.lstrip().startswith("::error::taken") for line in done.log.splitlines())
    assert "\\x3a:error::taken" in done.log
    assert done.code != 0
    assert all(line.startswith("::error title=metaio-verify") for line in obeyed(done.log))
    assert set(done.steps["verify"]) <= set(load(ACTION)["outputs"])


def test_no_script_holds_an_expression() -> None:
    """What a runner fills into a script is run; what it puts into the environment is not."""
    for step in load(ACTION)["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"
    for job in load(WORKFLOW)["jobs"].values():
        assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_every_option_of_the_action_exists() -> None:
    """Its script says nothing that `check` does not know, and uses every input."""
    text = ACTION.read_text(encoding="utf-8")
    (script,) = [step["run"] for step in load(ACTION)["runs"]["steps"] if step["id"] == "verify"]
    shown = command("check", "--help", env={"COLUMNS": "200"}).stdout
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", script)) - {"--as"}
    assert options <= set(re.findall(r"--[a-z-]+", shown))
    assert all(f"${{{{ inputs.{name} }}}}" in text for name in load(ACTION)["inputs"])


def test_every_output_is_made_by_a_step(workspace: Path) -> None:
    """No output is empty after a run, and no value is thrown away."""
    done = act(workspace, Lab(), only="auth.x-api-key")
    assert all(done.outputs.values()), done.outputs
    assert set(done.steps["verify"]) == set(done.outputs)


def test_the_example_workflow_works(workspace: Path) -> None:
    """Its steps run as a runner would run them, against a lab in place of the gateway."""
    lab = Lab()
    known = {"secrets.GATEWAY_TOKEN": lab.key}
    for step in _steps(load(WORKFLOW)):
        if step.get("uses", "").startswith("your-org/metaio-verify@"):
            with running(lab) as url:
                given = filled(step["with"], known) | {"base-url": url}
                done = run_action(ACTION, given, workspace, installed=INSTALLED)
            assert done.code == 0, done.log
            known |= {f"steps.{step['id']}.outputs.{n}": v for n, v in done.outputs.items()}
        elif "run" in step:
            finished = run_script(step["run"], filled(step["env"], known), workspace)
            assert finished.stdout.startswith("works (0 failed): Works"), finished.stdout
        elif "path" in step.get("with", {}):
            uploaded = workspace / filled(step["with"], known)["path"]
            assert (uploaded / "report.html").exists()


def test_the_example_workflow_asks_for_outputs_that_exist() -> None:
    """A misspelt output would be silently empty."""
    text = WORKFLOW.read_text(encoding="utf-8")
    names = re.findall(r"steps\.gateway\.outputs\.([\w-]+)", text)
    assert names
    assert set(names) <= set(load(ACTION)["outputs"])


def test_the_example_for_gitlab_works(workspace: Path) -> None:
    """Its script writes the JUnit file that it hands to GitLab."""
    job = load(GITLAB)["verify-gateway"]
    make, *_ = [line for line in job["before_script"] if not line.startswith("pip ")]
    lab = Lab()
    with running(lab) as url:
        env = {
            "GATEWAY_TOKEN": lab.key,
            **job["variables"],
            "ANTHROPIC_BASE_URL": url,
            "PATH": f"{INSTALLED}:/usr/bin:/bin",
        }
        finished = run_script("\n".join([make, *job["script"]]), env, workspace)
    assert finished.returncode == 0, finished.stdout
    junit = workspace / job["artifacts"]["reports"]["junit"]
    assert ET.parse(junit).getroot().get("failures") == "0"


def _steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]
