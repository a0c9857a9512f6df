"""`serve --upstream` and `check --upstream`, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli.process import run

from metaio_verify.lab.gateway.app import Gateway
from metaio_verify.lab.gateway.kind import Kind
from metaio_verify.lab.server import running

QUICK = ["--only", "gateway-requests.unicode", "--only", "gateway-requests.client-key"]


@contextmanager
def serving(*arguments: str, env: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    """`serve` in a process of its own; gives the variables that it prints."""
    command = [sys.executable, "-m", "metaio_verify", "serve", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(2)]
            yield dict(line.split("=", 1) for line in lines)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def upstream() -> Iterator[dict[str, str]]:
    """One upstream for all tests."""
    with serving("--upstream") as variables:
        yield variables


@contextmanager
def gateway(upstream: dict[str, str], *faults: str) -> Iterator[dict[str, str]]:
    """A gateway in front of it; gives what a customer exports."""
    token = upstream["METAIO_UPSTREAM_TOKEN"]
    app = Gateway(upstream["METAIO_UPSTREAM"], token, faults=faults)
    with running(app) as url:
        yield {**upstream, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": app.key}


def test_both_sides_are_verified_and_no_secret_is_written(
    upstream: dict[str, str], tmp_path: Path
) -> None:
    """The record holds what arrived upstream; neither the client's key nor the token is in it."""
    with gateway(upstream, "client-key-sent-up") as environment:
        done = run("check", *QUICK, "--report", "json=run.json", cwd=tmp_path, env=environment)
    assert done.returncode == 1, done.stderr
    written = (tmp_path / "run.json").read_text("utf-8")
    for secret in (environment["ANTHROPIC_API_KEY"], environment["METAIO_UPSTREAM_TOKEN"]):
        assert secret not in written + done.stdout + done.stderr
    record = json.loads(written)
    verdicts = {found["check"]: found["verdict"] for found in record["verdicts"]}
    assert verdicts == {"gateway-requests.unicode": "pass", "gateway-requests.client-key": "fail"}
    arrived = [one["forwarded"][0] for one in record["exchanges"] if one.get("forwarded")]
    assert {one["dialect"] for one in arrived} == {"anthropic"}
    assert all(one["leaks"] == ["header x-forwarded-api-key"] for one in arrived)


def test_without_an_upstream_the_checks_are_skipped_with_the_reason(
    lab: dict[str, str], tmp_path: Path
) -> None:
    """Nothing was verified, so the exit code is 3."""
    done = run("check", "--profile", "gateway", "--report", "json=r", cwd=tmp_path, env=lab)
    assert done.returncode == 3
    found = json.loads((tmp_path / "r").read_text("utf-8"))["verdicts"]
    assert {one["verdict"] for one in found} == {"skipped"}
    assert all("--upstream" in one["reason"] for one in found)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"METAIO_UPSTREAM_TOKEN": ""}, "the upstream needs its token"),
        ({"METAIO_UPSTREAM_TOKEN": "wrong-token"}, "does not take the token"),
        ({"METAIO_UPSTREAM": "http://127.0.0.1:9"}, "no upstream answers at"),
        ({"METAIO_UPSTREAM": "upstream"}, "is not a base URL"),
    ],
)
def test_a_wrong_upstream_is_a_mistake_of_the_user(
    upstream: dict[str, str], lab: dict[str, str], changes: dict[str, str], said: str
) -> None:
    """It ends with exit code 2 and says what to do; nothing is said of the gateway."""
    done = run("check", *QUICK, env={**lab, **upstream, **changes})
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_another_endpoint_is_no_upstream(lab: dict[str, str]) -> None:
    """Naming the gateway itself is told apart."""
    environment = {
        **lab,
        "METAIO_UPSTREAM": lab["ANTHROPIC_BASE_URL"],
        "METAIO_UPSTREAM_TOKEN": "some-token",
    }
    done = run("check", *QUICK, env=environment)
    assert (done.returncode, "is no upstream of this program" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--upstream", "--fault", "no-request-id"],
        ["--upstream", "--gateway", "chat"],
        ["--host", "0.0.0.0"],
        ["--keep", "file"],
        ["--to", "http://127.0.0.1:9"],
        ["--gateway", "chat", "--to", "http://127.0.0.1:9", "--latency", "1"],
    ],
)
def test_options_of_one_server_are_refused_for_the_other(arguments: list[str]) -> None:
    """What has no effect is not taken in silence."""
    assert run("serve", *arguments).returncode == 2


@pytest.mark.parametrize("kind", Kind)
def test_a_gateway_of_the_lab_is_verified_as_any_other(
    upstream: dict[str, str], kind: Kind
) -> None:
    """`serve --gateway` finds its upstream where `check` does, and says where it is itself."""
    with serving("--gateway", kind, env=upstream) as client:
        done = run("check", "--only", "gateway-*.once", env={**upstream, **client})
    assert done.returncode == 0, done.stderr + done.stdout
    assert "1 of 1 must-check passes" in done.stdout


@pytest.mark.parametrize(
    ("fault", "only", "code"),
    [(None, "gateway-translation.*", 0), ("translated-images-lost", "*.images", 1)],
)
def test_a_demo_shows_both_sides_of_a_gateway(
    tmp_path: Path, fault: str | None, only: str, code: int
) -> None:
    """In one command, with its reports; a fault shows what is lost."""
    faults = ["--fault", fault] if fault else []
    done = run("demo", "--gateway", "responses", "--only", only, *faults, cwd=tmp_path)
    assert done.returncode == code, done.stderr + done.stdout
    record = json.loads((tmp_path / "metaio-verify-reports/run.json").read_text("utf-8"))
    assert {one["dialect"] for e in record["exchanges"] for one in e.get("forwarded", ())} == {
        "responses"
    }
    assert ("gateway-translation.images" in done.stdout) == (fault is not None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--gateway", "chat"], "the gateway needs an upstream"),
        (["serve", "--gateway", "chat", "--to", "http://127.0.0.1:9"], "needs its token"),
        (["demo", "--gateway", "chat", "--fault", "images"], "there is no fault of a gateway"),
        (
            ["demo", "--gateway", "pass-through", "--fault", "translated-images-lost"],
            "needs a gateway that translates",
        ),
    ],
)
def test_a_gateway_that_cannot_be_started_is_a_mistake_of_the_user(
    arguments: list[str], said: str
) -> None:
    """It ends with exit code 2 and says what would be right."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_faults_of_gateways_are_listed_by_their_kind() -> None:
    """Those of translations only where there is one."""
    kinds = (Kind.PASS_THROUGH, Kind.CHAT)
    listed = {kind: run("demo", "--gateway", kind, "--fault", "list").stdout for kind in kinds}
    assert "beta-dropped" in listed[Kind.PASS_THROUGH]
    assert "translated-images-lost" not in listed[Kind.PASS_THROUGH]
    assert "translated-images-lost" in listed[Kind.CHAT]
    assert "pieces-torn" in run("serve", "--gateway", "chat", "--variant", "list").stdout
