"""Exit codes and messages for what users get wrong, in real processes."""

from __future__ import annotations

import json
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from cli.process import run

from metaio_verify.lab.server import Lab, running

KEY = {"ANTHROPIC_API_KEY": "sk-secret-canary"}


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        ([], KEY, "ANTHROPIC_BASE_URL"),
        (["--base-url", "https://h"], {}, "ANTHROPIC_API_KEY"),
        (["--base-url", "gateway.example.com"], KEY, "https://gateway.example.com"),
        (["--base-url", "https://me:sk-secret-canary@h"], KEY, "user name or password"),
        (["--base-url", "https://h/?k=sk-secret-canary"], KEY, "query"),
        (["--modle", "x"], KEY, "--model"),
        (["--base-url", "http://h", "--profile", "quikc"], KEY, "quick"),
        (["--base-url", "http://h", "--only", "auth.baerer"], KEY, "auth.bearer"),
        (["--base-url", "http://h", "--auth", "basic"], KEY, "x-api-key"),
        (["--base-url", "http://h", "--report", "markdwon=x.md"], KEY, "markdown"),
        (
            ["--base-url", "http://h", "--report", "json=no-such-folder/x.json"],
            KEY,
            "no-such-folder",
        ),
        (["--base-url", "http://h", "--concurrency", "0"], KEY, "concurrency"),
        (["--config", "nowhere.yaml"], KEY, "nowhere.yaml"),
    ],
)
def test_bad_input_is_a_usage_error(
    arguments: list[str], environment: dict[str, str], says: str, tmp_path: Path
) -> None:
    """Exit code 2; the message names what would be right, and never a secret."""
    done = run("check", *arguments, env=environment, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    assert "sk-secret-canary" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_names_the_nearest() -> None:
    """Exit code 2."""
    done = run("chekc")
    assert done.returncode == 2
    assert "check" in done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_dead_server_is_not_verified() -> None:
    """Exit code 3 and one clear sentence."""
    url = f"http://127.0.0.1:{_free_port()}"
    done = run("check", "--base-url", url, "--model", "m", env=KEY)
    assert done.returncode == 3
    assert f"{url} cannot be reached: the connection was refused" in _flat(done.stdout)


def test_an_unknown_host_is_not_verified() -> None:
    """Exit code 3."""
    done = run("check", "--base-url", "http://no-such-host.invalid", env=KEY)
    assert done.returncode == 3
    assert "the host name does not resolve" in _flat(done.stdout)


def test_a_wrong_scheme_is_not_verified(lab: dict[str, str]) -> None:
    """TLS against a server without it: exit code 3."""
    url = lab["ANTHROPIC_BASE_URL"].replace("http:", "https:")
    done = run("check", "--base-url", url, "--model", "m", env=KEY)
    assert done.returncode == 3
    assert "TLS failed" in _flat(done.stdout)


def test_a_silent_server_is_not_verified() -> None:
    """A server that accepts and says nothing: exit code 3 after the bound."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        done = run("check", "--base-url", url, "--model", "m", "--timeout", "0.2", env=KEY)
    assert done.returncode == 3
    assert "no byte for 0.2 s" in _flat(done.stdout)


def test_a_refused_credential_is_not_verified(lab: dict[str, str]) -> None:
    """Exit code 3 with the likely causes; the key is nowhere."""
    done = run("check", env={**lab, **KEY})
    assert done.returncode == 3
    text = _flat(done.stdout)
    assert "refuses the credential as x-api-key and as Authorization: Bearer (401)" in text
    assert "A key of the Anthropic console is not known there." in text
    assert "Is the token enabled for the model?" in text
    assert "sk-secret-canary" not in done.stdout + done.stderr


def test_an_unknown_model_is_not_verified(lab: dict[str, str]) -> None:
    """Exit code 3 with what discovery lists."""
    done = run("check", "--model", "no-such-model", env=lab)
    assert done.returncode == 3
    text = _flat(done.stdout)
    assert "does not serve the model 'no-such-model' (404)" in text
    assert "Discovery lists: claude-lab-3" in text
    assert "are refused" not in text


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ([], "discovery fails (GET /v1/models: 400 invalid_request_error: no key store"),
        (["--model", "m"], "No first message is answered with a message, but with 400"),
    ],
)
def test_an_unknown_key_that_is_called_another_mistake_is_guessed(
    model: list[str], says: str
) -> None:
    """Some gateways answer 400 to a key that they do not know: it may be the key."""
    with running(Lab(faults=["wrong-key-answered-400"])) as url:
        done = run("check", "--base-url", url, "--profile", "quick", *model, env=KEY)
    text = _flat(done.stdout)
    assert done.returncode != 0
    assert says in text
    assert "Some gateways take an unknown key for another mistake." in text
    assert "works here" not in text


@pytest.mark.parametrize("suffix", ["/v1", "/v1/", "/v1/messages"])
def test_the_v1_mistake_is_corrected_and_reported(lab: dict[str, str], suffix: str) -> None:
    """The run goes on below the right base URL, and says so."""
    url = lab["ANTHROPIC_BASE_URL"]
    done = run("check", "--base-url", url + suffix, "--profile", "quick", env=lab)
    assert done.returncode == 1
    assert f"ANTHROPIC_BASE_URL={url}" in _flat(done.stdout)


def test_nothing_selected_is_never_green(lab: dict[str, str]) -> None:
    """Skipping everything is exit code 3."""
    done = run("check", "--skip", "*", env=lab)
    assert done.returncode == 3


def test_a_clean_endpoint_is_green(lab: dict[str, str], tmp_path: Path) -> None:
    """Exit code 0, results on stdout, reports where they were asked for."""
    record, page = tmp_path / "run.json", tmp_path / "page.md"
    done = run("check", "--report", f"json={record}", "--report", f"markdown={page}", env=lab)
    assert done.returncode == 0, done.stdout
    assert "must-checks pass" in done.stdout
    assert json.loads(record.read_bytes())["exit_code"] == 0
    assert page.read_text(encoding="utf-8").startswith("# ")
    for text in (done.stdout, done.stderr, record.read_text(), page.read_text()):
        assert lab["ANTHROPIC_API_KEY"] not in text


def test_one_style_can_be_pinned(lab: dict[str, str], tmp_path: Path) -> None:
    """With --auth bearer nothing is sent as x-api-key with the real key."""
    record = tmp_path / "run.json"
    done = run("check", "--auth", "bearer", "--report", f"json={record}", env=lab)
    assert done.returncode == 0, done.stdout
    exchanges = json.loads(record.read_bytes())["exchanges"]
    assert not any(
        name == "x-api-key" and value == "[redacted]"
        for exchange in exchanges
        for name, value in exchange["request"]["headers"]
    )


def test_a_plan_sends_nothing() -> None:
    """`--plan` needs no endpoint, no key and prints the worst case."""
    done = run("check", "--plan")
    assert done.returncode == 0, done.stderr
    assert "output tokens" in done.stdout


@pytest.mark.parametrize("selection", ["--only=messages.shape", "--profile=quick"])
def test_a_run_sends_no_more_than_its_plan(selection: str, tmp_path: Path) -> None:
    """What finds out the credential and the model is part of the plan, selected or not."""
    plan = run("demo", selection, "--plan")
    planned = {line.split()[2] for line in plan.stdout.partition("\n\n")[0].splitlines()}
    most = re.search(r"at most (\d+) requests", plan.stdout)
    record = tmp_path / "run.json"
    assert run("demo", selection, f"--report=json={record}").returncode == 0
    sent = [exchange["probe"] for exchange in json.loads(record.read_bytes())["exchanges"]]
    assert most is not None
    assert len(sent) <= int(most[1])
    assert set(sent) <= planned


class _Empty(BaseHTTPRequestHandler):
    """An endpoint whose token may use no model."""

    def do_GET(self) -> None:
        body = b'{"data":[],"has_more":false,"first_id":null,"last_id":null}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Stay quiet."""


def test_an_empty_model_list_is_explained() -> None:
    """Exit code 3 with the likely cause."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    Thread(target=server.serve_forever, daemon=True).start()
    with server:
        done = run("check", "--base-url", f"http://127.0.0.1:{server.server_port}", env=KEY)
        server.shutdown()
    assert done.returncode == 3
    assert "discovery lists none" in _flat(done.stdout)
    assert "Can the token access at least one model?" in _flat(done.stdout)


def _flat(text: str) -> str:
    """The text without line breaks, which depend on the width."""
    return " ".join(text.split())
