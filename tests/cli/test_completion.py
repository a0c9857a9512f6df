"""What the shell offers behind Tab, as the completion script of bash asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.process import run

from metaio_verify.suite.load import builtin

CONFIG = """\
models: [configured]
api-key-env: K
targets:
  staging: {base-url: "https://s", models: [of-staging]}
  production: {base-url: "https://p"}
"""


def offered(*words: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> list[str]:
    """The words that are offered for the last one."""
    asked = {
        "COMP_WORDS": " ".join(["metaio-verify", *words]),
        "COMP_CWORD": str(len(words)),
        "_METAIO_VERIFY_COMPLETE": "complete_bash",
    }
    done = run(cwd=cwd, env={**(env or {}), **asked})
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (["checks", "show", "auth.bear"], ["auth.bearer", "auth.bearer-beside-stale-key"]),
        (["check", "--only", "auth.x-"], ["auth.x-api-key"]),
        (["check", "--profile", ""], list(builtin().profiles)),
        (["check", "--tag", "q"], ["quick"]),
        (["check", "--auth", ""], ["auto", "x-api-key", "bearer"]),
        (["check", "--report", "m"], ["markdown"]),
        (["report", "run.json", "--as", "t"], ["terminal"]),
        (["demo", "--fault", "message-stop"], ["message-stop-missing", "message-stop-twice"]),
        (["serve", "--variant", "no-pin"], ["no-pings"]),
        (["demo", "--gateway", ""], ["pass-through", "chat", "responses"]),
        (["demo", "--gateway", "chat", "--fault", "translated-im"], ["translated-images-lost"]),
        (["serve", "--gateway", "pass-through", "--variant", "pieces"], ["pieces-torn"]),
    ],
)
def test_known_words_are_offered(words: list[str], some: list[str]) -> None:
    """Checks, profiles, tags, styles, formats, faults and variants."""
    assert offered(*words) == some


def test_models_and_targets_come_from_the_configuration(tmp_path: Path) -> None:
    """And from the environment, without a request."""
    (tmp_path / "metaio-verify.yaml").write_text(CONFIG, encoding="utf-8")
    environment = {"ANTHROPIC_MODEL": "of-the-shell", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}
    found = offered("check", "--model", "", cwd=tmp_path, env=environment)
    assert found == ["of-the-shell", "configured", "of-staging", "all"]
    assert offered("check", "--target", "", cwd=tmp_path) == ["staging", "production", "all"]


def test_nothing_goes_wrong_loudly_and_no_secret_is_offered(tmp_path: Path) -> None:
    """With a key as the model, and with a configuration that cannot be read."""
    environment = {"ANTHROPIC_MODEL": "sk-secret-canary", "ANTHROPIC_API_KEY": "sk-secret-canary"}
    assert offered("check", "--model", "", env=environment, cwd=tmp_path) == ["all"]
    (tmp_path / "metaio-verify.yaml").write_text("models: [", encoding="utf-8")
    assert offered("check", "--model", "", cwd=tmp_path) == []


def test_completion_can_be_installed() -> None:
    """The options are there, as the README says."""
    assert "--install-completion" in run("--help").stdout
