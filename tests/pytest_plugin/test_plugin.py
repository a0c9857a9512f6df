"""The pytest plug-in, in real pytest processes against the lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from suite.packs import PACK, write

from metaio_verify.lab.server import Lab, running
from metaio_verify.suite.load import builtin

ROOT = Path(__file__).parents[2]
KEY = "sk-a-key-of-the-tests"


class Counting(Lab):
    """A lab that counts its requests."""

    count = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, and count it."""
        self.count += 1
        await super().__call__(scope, receive, send)


@pytest.fixture(scope="module")
def broken() -> Iterator[tuple[str, Counting]]:
    """A lab with a failing must-check and a failing should-check."""
    lab = Counting(KEY, faults=["message-stop-missing", "no-request-id"])
    with running(lab) as url:
        yield url, lab


def run(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with the key in the environment."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    base = {**kept, "ANTHROPIC_API_KEY": KEY, "COLUMNS": "100", "NO_COLOR": "1"}
    base["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # of other packages, which cost time
    plugins = ("-p", "no:cacheprovider", "-p", "metaio_verify.pytest_plugin")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=folder,
        env={**base, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def ids(output: str) -> dict[str, str]:
    """Node id → outcome, of a verbose run."""
    return dict(re.findall(r"^(metaio::\S+) ([A-Z]+)", output, re.MULTILINE))


def test_each_check_is_a_test(broken: tuple[str, Counting], tmp_path: Path) -> None:
    """A failure says what was found, without a traceback; a should-check passes with a remark."""
    done = run(
        tmp_path,
        *("-v", "--metaio-base-url", broken[0], "--metaio-only", "headers.*"),
        *("--metaio-only", "streaming.message-stop", "--strict-markers", "-W", "error"),
    )
    assert done.returncode == 1, done.stderr
    found = ids(done.stdout)
    assert list(found) == [
        f"metaio::{id_}"
        for id_ in builtin().checks
        if id_.startswith("headers.") or id_ == "streaming.message-stop"
    ]
    assert found["metaio::streaming.message-stop"] == "FAILED"
    assert found["metaio::headers.request-id"] == "PASSED"
    assert found["metaio::headers.retry-after"] == "SKIPPED"
    assert "Expected    message_stop" in done.stdout
    assert "Replay" in done.stdout
    (summary,) = re.findall(r"^FAILED \S+ - (.*)$", done.stdout, re.MULTILINE)
    assert summary.startswith("Failed: expected message_stop")
    assert "warn  headers.request-id: Every answer carries a request-id" in done.stdout
    assert "Traceback" not in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_named_models_are_parameters(broken: tuple[str, Counting], tmp_path: Path) -> None:
    """Of the checks that are about a model; selection by words and markers goes before the run."""
    url, _ = broken
    models = ("--metaio-model", "claude-lab-3", "--metaio-model", "claude-lab-2")
    done = run(
        tmp_path,
        *("-v", "--metaio-base-url", url, "--metaio-profile", "quick", *models),
        *("-m", "(auth or STR-04) and must", "-k", "not bearer"),
    )
    found = ids(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "metaio::auth.x-api-key" in found
    assert not any("bearer" in id_ for id_ in found)
    assert {id_.partition("[")[2] for id_ in found if "streaming" in id_} == {
        "claude-lab-3]",
        "claude-lab-2]",
    }


def test_a_node_id_selects(broken: tuple[str, Counting], tmp_path: Path) -> None:
    """As pytest prints it; an unknown one is a usage error."""
    base = ("-v", "--metaio-base-url", broken[0])
    done = run(tmp_path, *base, "metaio::streaming.message-stop", "metaio::auth.bearer")
    assert ids(done.stdout) == {
        "metaio::auth.bearer": "PASSED",
        "metaio::streaming.message-stop": "FAILED",
    }
    wrong = run(tmp_path, *base, "metaio::auth.nothing")
    assert (wrong.returncode, "not found: metaio::auth.nothing" in wrong.stderr) == (4, True)


def test_checks_stand_beside_ordinary_tests(broken: tuple[str, Counting], tmp_path: Path) -> None:
    """Of one's own pack too; reports have them all, with their verdicts."""
    write(tmp_path, PACK)
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n", encoding="utf-8")
    done = run(
        tmp_path,
        *("--metaio-base-url", broken[0], "--metaio-checks", "pack.yaml", "--metaio-strict"),
        *("--metaio-only", "own.*", "--metaio-only", "headers.request-id", "--junitxml=r.xml"),
    )
    assert done.returncode == 1, done.stderr
    cases = list(ET.parse(tmp_path / "r.xml").iter("testcase"))  # our own file
    assert [case.get("name") for case in cases] == [
        "test_own",
        "headers.request-id",
        "own.answer",
    ]
    properties = {one.get("name"): one.get("value") for one in cases[1].iter("property")}
    assert properties["metaio_verdict"] == "warn"
    assert cases[1].find("failure") is not None


def test_workers_share_one_run(broken: tuple[str, Counting], tmp_path: Path) -> None:
    """With xdist the endpoint gets the requests of one run."""
    arguments = ("--metaio-base-url", broken[0], "--metaio-only", "auth.*", "--metaio-tag", "quick")
    lab = broken[1]
    before = lab.count
    alone = run(tmp_path, *arguments)
    of_one_run = lab.count - before
    shared = run(
        tmp_path, *arguments, "-p", "xdist.plugin", "-n", "2", env={"TMPDIR": str(tmp_path)}
    )
    assert (alone.returncode, shared.returncode) == (0, 0), shared.stdout + shared.stderr
    assert lab.count - before == 2 * of_one_run > 0
    assert "2 workers" in shared.stdout
    assert not list(tmp_path.glob("metaio-verify-*"))


def test_what_is_not_known_is_an_error(tmp_path: Path) -> None:
    """A must-check on a dead endpoint neither passes nor fails; other checks are skipped."""
    done = run(
        tmp_path,
        *("-v", "--metaio-base-url", "http://127.0.0.1:1", "--metaio-only", "auth.bearer*"),
    )
    assert done.returncode == 1
    assert ids(done.stdout) == {
        "metaio::auth.bearer": "ERROR",
        "metaio::auth.bearer-beside-stale-key": "SKIPPED",
    }
    assert "blocked: http://127.0.0.1:1 cannot be reached" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--metaio-base-url", "gateway"], {}, "https://gateway"),
        (
            ["--metaio-base-url", "http://h", "--metaio-profile", "qiuck"],
            {},
            "Did you mean `quick`",
        ),
        (["--metaio-base-url", "http://h", "--metaio-only", "auht.*"], {}, "Did you mean `auth.*`"),
        (["--metaio-base-url", "http://h"], {"ANTHROPIC_API_KEY": ""}, "ANTHROPIC_AUTH_TOKEN"),
        (["--metaio-base-url", "http://h", "--metaio-key-env", "NOPE"], {}, "NOPE"),
    ],
)
def test_bad_input_is_a_usage_error(
    arguments: list[str], environment: dict[str, str], says: str, tmp_path: Path
) -> None:
    """Before anything is collected; the key is nowhere."""
    done = run(tmp_path, *arguments, env=environment)
    assert (done.returncode, says in done.stderr) == (4, True), done.stderr
    assert KEY not in done.stdout + done.stderr


def test_without_the_option_nothing_is_loaded(tmp_path: Path) -> None:
    """No module of the program beyond the plug-in itself."""
    (tmp_path / "test_modules.py").write_text(
        "import json, sys\n"
        "def test_it():\n"
        "    print(json.dumps([m for m in sys.modules if m.startswith('metaio_verify')]))\n",
        encoding="utf-8",
    )
    done = run(tmp_path, "-s", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(next(line for line in done.stdout.splitlines() if "[" in line)) == [
        "metaio_verify",
        "metaio_verify.pytest_plugin",
    ]


def test_the_entry_point_is_declared_and_pytest_is_optional() -> None:
    """Whoever has no pytest needs none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"metaio-verify": "metaio_verify.pytest_plugin"}
    assert not any(one.startswith("pytest") for one in project["dependencies"])
