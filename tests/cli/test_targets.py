"""Several named targets in one command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.process import run

from metaio_verify.exitcodes import ExitCode, worst
from metaio_verify.lab.server import Lab, running

_ONLY = ("--only", "streaming.message-stop")


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    """A lab whose streams have no end, with a key of its own."""
    with running(Lab("sk-the-key-of-production", faults=["message-stop-missing"])) as url:
        yield url


@pytest.fixture
def folder(lab: dict[str, str], broken: str, tmp_path: Path) -> Path:
    """A folder whose configuration has two targets."""
    (tmp_path / "metaio-verify.yaml").write_text(
        f"""only: [streaming.message-stop]
models: [claude-lab-3]
targets:
  staging: {{base-url: "{lab["ANTHROPIC_BASE_URL"]}", api-key-env: STAGING_TOKEN}}
  production: {{base-url: "{broken}", api-key-env: PRODUCTION_TOKEN, auth: bearer}}
""",
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def keys(lab: dict[str, str]) -> dict[str, str]:
    """Both keys, and an address that does not count for a target."""
    return {
        "STAGING_TOKEN": lab["ANTHROPIC_API_KEY"],
        "PRODUCTION_TOKEN": "sk-the-key-of-production",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
        "ANTHROPIC_MODEL": "of-the-shell",
    }


def test_all_targets_are_verified_in_one_command(folder: Path, keys: dict[str, str]) -> None:
    """In their order, with a record each; the exit code is the worst."""
    done = run(
        "check", "--target", "all", "--report", "json=run-{target}.json", cwd=folder, env=keys
    )
    assert done.returncode == 1, done.stderr
    staging, production = (
        json.loads((folder / f"run-{name}.json").read_bytes()) for name in ("staging", "production")
    )
    assert (staging["exit_code"], production["exit_code"]) == (0, 1)
    assert staging["target"]["models"] == production["target"]["models"] == ["claude-lab-3"]
    assert (staging["target"]["auth"], production["target"]["auth"]) == ("x-api-key", "bearer")
    assert done.stdout.index("== staging: ") < done.stdout.index("== production: ")
    assert done.stdout.endswith(
        "== targets\n\nstaging     works (exit code 0)\nproduction  broken (exit code 1)\n"
    )
    assert not any(key in done.stdout + done.stderr for key in keys.values() if "sk-" in key)


def test_one_target_is_a_run_like_any_other(folder: Path, keys: dict[str, str]) -> None:
    """Its exit code; the key of the other one is not needed."""
    del keys["PRODUCTION_TOKEN"]
    done = run(
        "check", "--target", "staging", "--report", "json=r-{target}.json", cwd=folder, env=keys
    )
    assert (done.returncode, (folder / "r-staging.json").exists()) == (0, True)
    assert "==" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "all", "--report", "json=out/run.json"], "json=out/run-{target}.json"),
        (["--target", "all", "--report", "markdown"], "markdown={target}.md"),
        (["--target", "stagign"], "`staging`"),
        (["--target", "staging", "--base-url", "https://h"], "--base-url and --target"),
        (["--target", "staging", "--api-key", "k"], "--api-key and --target"),
        (
            ["--base-url", "http://127.0.0.1:1", "--api-key", "k", "--report", "json={target}"],
            "none",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], says: str, folder: Path, keys: dict[str, str]
) -> None:
    """Exit code 2 with the right form; nothing is sent or written."""
    done = run("check", *arguments, cwd=folder, env=keys)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert [path.name for path in folder.iterdir()] == ["metaio-verify.yaml"]


def test_nothing_is_sent_before_every_key_is_there(folder: Path, keys: dict[str, str]) -> None:
    """A missing variable of the last target ends the command."""
    del keys["PRODUCTION_TOKEN"]
    done = run("check", "--target", "all", cwd=folder, env=keys)
    assert (done.returncode, done.stdout) == (2, "")
    assert "target `production`: the variable PRODUCTION_TOKEN" in done.stderr


def test_without_a_target_the_choice_is_named(folder: Path) -> None:
    """A file with targets and no address of its own."""
    done = run("check", *_ONLY, cwd=folder)
    assert done.returncode == 2
    assert "`staging`, `production` or `all`" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interruption_ends_all_targets(tmp_path: Path) -> None:
    """Exit code 130; the first leaves its partial record, the second is not begun.

    The process ignores SIGINT, as one does that a script has started with `&`.
    """
    with running(Lab("sk-a-slow-key", latency=0.5)) as url:
        (tmp_path / "metaio-verify.yaml").write_text(
            f"""profile: quick
api-key-env: SLOW_TOKEN
targets: {{first: {{base-url: "{url}"}}, second: {{base-url: "{url}"}}}}
""",
            encoding="utf-8",
        )
        with subprocess.Popen(
            [
                *("sh", "-c", "trap '' INT; exec \"$@\"", "sh"),
                *(sys.executable, "-m", "metaio_verify", "check", "--target", "all"),
                *("--concurrency", "1", "--report", "json={target}.json"),
            ],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "SLOW_TOKEN": "sk-a-slow-key"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            assert process.stderr is not None
            assert "firing" in process.stderr.readline()
            process.terminate()
            output, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (130, False)
    assert output.endswith("first   interrupted (exit code 130)\nsecond  not begun\n")
    assert json.loads((tmp_path / "first.json").read_bytes())["stopped"]["kind"] == "interrupted"
    assert not (tmp_path / "second.json").exists()


def test_the_worst_exit_code_has_an_order() -> None:
    """Interrupted, internal, usage, failed, not verified, fine; nothing is not verified."""
    order = [130, 4, 2, 1, 3, 0]
    assert min(ExitCode, key=order.index) is worst(ExitCode)
    assert [worst([order[i], order[i + 1]]) for i in range(5)] == order[:5]
    assert worst([]) == ExitCode.NOT_VERIFIED


def test_standard_output_is_no_place_for_one_of_several(folder: Path, keys: dict[str, str]) -> None:
    """It would stand between the results of the others, and be no JSON for anybody."""
    path = folder / "metaio-verify.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("STAGING_TOKEN}", "STAGING_TOKEN, reports: [json]}"), "utf-8")
    done = run("check", "--target", "all", cwd=folder, env=keys)
    assert (done.returncode, done.stdout) == (2, "")
    assert "json: standard output belongs to all targets" in done.stderr
