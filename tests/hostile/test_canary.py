"""A canary key in every command that is no plain run: no byte that it writes holds the key."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cli.process import run as run_cli
from doctor.machines import machine
from hostile.server import JSON, Picks, Serve, answers, hostile
from hostile.test_secrets import FOREIGN_KEY, KEY, PLACES, STREAMS, plain, traces
from typer.testing import CliRunner

from metaio_verify import Endpoint, Options, verify
from metaio_verify.cli.main import app
from metaio_verify.doctor import render as doctor_page
from metaio_verify.doctor.report import encode as doctor_json
from metaio_verify.doctor.run import Wishes, examine
from metaio_verify.lab.server import Lab, running
from metaio_verify.report import FORMATS
from metaio_verify.report.json import encode
from metaio_verify.report.surface import Surface

ENVIRONMENT = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_AUTH_TOKEN": KEY}
LISTING = answers(
    JSON, json.dumps({"data": [{"id": f"m-{KEY}", "type": "model"}], "has_more": False}).encode()
)


def in_turn() -> tuple[Picks, Serve]:
    """Every way of repeating the key, one after the other; what others build on is let through."""
    ways = itertools.cycle([LISTING, *PLACES.values(), *STREAMS.values()])
    requests = itertools.count()
    lock = threading.Lock()

    def picks(_: bytes) -> bool:
        number = next(requests)
        return number > 12 and number % 3 > 0

    def serve(connection: object) -> None:
        with lock:
            way = next(ways)
        way(connection)  # type: ignore[arg-type]

    return picks, serve


@pytest.fixture
def echoing() -> Iterator[str]:
    """An endpoint that lets a run begin, and then repeats the key in all ways."""
    picks, serve = in_turn()
    with running(Lab(KEY)) as lab, hostile(serve, picks=picks, upstream=lab) as url:
        yield url


@pytest.fixture
def record(echoing: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a run against it."""
    path = tmp_path_factory.mktemp("canary") / "run.json"
    found = verify(Endpoint(echoing, KEY), Options(patience=0.0, request_timeout=2.0))
    assert sum(bool(one.leaks) for one in found.exchanges) > len(PLACES)
    assert found.stopped is None
    path.write_bytes(encode(found))
    return path


def written(folder: Path, *texts: str) -> str:
    """What was said, and every file that was made."""
    files = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*texts, *files])


def test_what_is_made_of_a_record_holds_no_key(record: Path, tmp_path: Path) -> None:
    """Every report, judged again too, and every comparison."""
    reports = [f"--as={name}={tmp_path / name}" for name in FORMATS]
    pages = [f"--as={name}={tmp_path / name}-c" for name in ("markdown", "html", "json")]
    said = ""
    for arguments in (
        ["report", str(record), *reports],
        ["report", str(record), "--again", f"--as=json={tmp_path / 'again'}"],
        ["compare", str(record), str(record), "--all", *pages, "--as=terminal"],
    ):
        done = CliRunner().invoke(app, arguments, env=ENVIRONMENT)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        said += done.output
    assert len(list(tmp_path.iterdir())) == len(FORMATS) + len(pages) + 1
    assert traces(record.read_text(encoding="utf-8")) == []
    assert traces(written(tmp_path, said)) == []


def test_the_doctor_holds_no_key(tmp_path: Path) -> None:
    """Whatever the endpoint answers it, in each of the ways."""
    for number, (place, serve) in enumerate({**PLACES, "a model id": LISTING}.items()):
        with hostile(serve) as url:
            environ = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY}
            report = examine(machine(tmp_path / str(number), environ), Wishes(timeout=1.0))
        shown = doctor_page.render(report, Surface(80)) + doctor_json(report)
        assert report.exit_code != 0, place
        assert traces(shown) == [], place
        assert shown.isprintable() or not re.search(r"[^\n\x20-\U0010ffff]", shown)


def run_pytest(folder: Path, *arguments: str, **env: str) -> str:
    """What a session with the plug-in writes: its streams and its files."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "metaio_verify.pytest_plugin", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return written(folder, done.stdout, done.stderr)


def test_the_plug_in_of_pytest_holds_no_key(echoing: str, tmp_path: Path) -> None:
    """Terminal, JUnit and whatever else it leaves, with the values of variables (`-l`)."""
    shown = run_pytest(
        tmp_path,
        *("-rA", "-l", f"--metaio-base-url={echoing}", "--junitxml=junit.xml"),
        *("--metaio-only=errors.*", "--metaio-only=counting.*"),
        **ENVIRONMENT,
    )
    assert " failed" in shown
    assert "[redacted]" in shown
    assert traces(shown) == []


def test_a_key_in_the_wrong_place_is_not_repeated_by_pytest(tmp_path: Path) -> None:
    """In the base URL, as a check, under a variable of another name, and known by its looks."""
    url = "--metaio-base-url=http://127.0.0.1:1"
    shown = run_pytest(tmp_path, f"{url}/{quote(KEY, safe='')}", "--co", **ENVIRONMENT)
    assert "metaio-verify: http://127.0.0.1:1/" in shown
    typed = f"--metaio-only={KEY} {FOREIGN_KEY}\x1b[2J"
    shown += run_pytest(tmp_path, url, typed, "--metaio-key-env=GATEWAY", GATEWAY=KEY)
    assert "no check matches" in shown
    assert traces(shown) == []
    assert FOREIGN_KEY[14:] not in shown
    assert "\x1b[2J" not in shown


@pytest.mark.parametrize("option", ["--model", "--target", "--only", "--profile"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_offers_no_key(
    shell: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the environment, not from a configuration that should not hold it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metaio-verify.yaml").write_text(
        f"models: [{json.dumps('m-' + plain(KEY))}, {FOREIGN_KEY}]\n"
        f"targets: {{a: {{base-url: 'https://u:{quote(KEY, safe='')}@h', api-key-env: K}}}}\n",
        encoding="utf-8",
    )
    words = f"metaio-verify check {option} "
    asked = {
        "_METAIO_VERIFY_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": words,
        "COMP_CWORD": "3",
        "ANTHROPIC_MODEL": KEY,
    }
    done = CliRunner().invoke(app, [], env={**ENVIRONMENT, **asked}, prog_name="metaio-verify")
    assert traces(done.output) == []
    assert FOREIGN_KEY[14:] not in done.output


def test_a_plan_holds_no_key(tmp_path: Path) -> None:
    """Also not with the key as a flag, in the base URL, and as the model of the environment."""
    arguments = ["--base-url", f"https://h/{quote(KEY, safe='')}", "--api-key", KEY]
    env = {**ENVIRONMENT, "ANTHROPIC_MODEL": KEY}
    done = run_cli("check", "--plan", "--profile=quick", *arguments, env=env, cwd=tmp_path)
    assert done.returncode in (0, 2)
    assert traces(done.stdout + done.stderr) == []
