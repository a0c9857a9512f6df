"""Configuration files: what they may hold, and the place of every mistake."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
import yaml
from cli.process import run

from metaio_verify.config import Config

EXAMPLES = Path(__file__).parents[2] / "examples"
CANARY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base-url: https://h\nproflie: quick\n", ["c.yaml:2:1", "`proflie`", "`profile`"]),
        ("models: gpt\n", ["c.yaml:1:1", "must be a list", "square brackets"]),
        ("concurrency: 0\n", ["c.yaml:1:1", "must be 1 or more"]),
        ("timeout: -1\n", ["c.yaml:1:1", "seconds above 0"]),
        ("auth: basic\n", ["c.yaml:1:1", "`x-api-key`"]),
        ("reports: [markdwon=a.md]\n", ["c.yaml:1:11", "markdown=a.md"]),
        ("a: [\n", ["c.yaml:2:1", "not valid YAML"]),
        ("a: 1\na: 2\n", ["c.yaml:2:1", "duplicate key"]),
        ("- a\n", ["c.yaml:1:1", "must be a mapping"]),
        ("targets: {s: {auth: bearer}}\n", ["c.yaml:1:11", "`base-url` is missing"]),
        ("targets: {s: {base-url: https://h}}\n", ["c.yaml:1:11", "`api-key-env` is missing"]),
        (
            "api-key-env: K\ntargets:\n  all: {base-url: https://h}\n",
            ["c.yaml:3:3", "every target"],
        ),
        ("api-key-env: K\ntargets:\n  a/b: {base-url: https://h}\n", ["c.yaml:3:3", "no name"]),
        (
            "targets:\n  s: {base-url: https://h, api-key-env: K, modles: [m]}\n",
            ["c.yaml:2:44", "`targets.s`: unknown key `modles`", "`models`"],
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, says: list[str], tmp_path: Path) -> None:
    """Exit code 2; file, line, column, and what would be right."""
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    done = run("check", "--config", "c.yaml", "--plan", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert [part for part in says if part not in done.stderr] == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"base-url: https://h\napi-key: {CANARY}\n", 2),
        (f"api_key: {CANARY}\n", 1),
        (f"token: {CANARY[3:]}\n", 1),
        (f"api-key-env: {CANARY}\n", 1),
        (f"targets:\n  s:\n    base-url: https://h\n    key: {CANARY}\n", 4),
        (f"models: {CANARY}\n", 1),
        (f"skip:\n  - Bearer {CANARY}\n", 2),
        (f"auth: {CANARY}\n", 1),
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(
    text: str, line: int, tmp_path: Path
) -> None:
    """Exit code 2 with the line; the key is nowhere."""
    (tmp_path / "metaio-verify.yaml").write_text(text, encoding="utf-8")
    done = run("check", "--plan", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"metaio-verify.yaml:{line}:" in done.stderr
    assert "api-key-env: GATEWAY_TOKEN" in done.stderr
    assert CANARY[3:] not in done.stderr


def test_the_key_of_the_shell_is_recognised_in_the_file(tmp_path: Path) -> None:
    """Whatever it looks like and wherever it stands."""
    text = "profile: quite-harmless\nbase-url: https://h/quite-harmless/v1\n"
    (tmp_path / "metaio-verify.yaml").write_text(text, encoding="utf-8")
    done = run("check", "--plan", cwd=tmp_path, env={"GATEWAY_TOKEN": "quite-harmless"})
    assert done.returncode == 2
    assert "metaio-verify.yaml:1:1: `profile`: holds a key" in done.stderr
    assert "metaio-verify.yaml:2:1: `base-url`: holds a key" in done.stderr
    assert "quite-harmless" not in done.stderr


def test_a_variable_that_is_not_set_is_named_unless_it_may_be_a_key(tmp_path: Path) -> None:
    """A key that looks like a name is not repeated."""
    for name, shown in (("GATEWAY_TOKEN", True), ("abcdef0123456789", False)):
        (tmp_path / "metaio-verify.yaml").write_text(f"api-key-env: {name}\n", encoding="utf-8")
        done = run("check", "--base-url", "https://h", cwd=tmp_path)
        assert done.returncode == 2
        assert "is not set" in done.stderr
        assert (name in done.stderr) is shown


def test_init_writes_a_configuration_that_says_what_the_shell_says(tmp_path: Path) -> None:
    """Address, variable and model; never the key; and it can be read."""
    environment = {
        "ANTHROPIC_BASE_URL": "https://gateway.example.com/v1",
        "ANTHROPIC_AUTH_TOKEN": CANARY,
        "ANTHROPIC_MODEL": "a: b #c",
    }
    done = run("init", cwd=tmp_path, env=environment)
    text = (tmp_path / "metaio-verify.yaml").read_text(encoding="utf-8")
    assert (done.returncode, CANARY in text) == (0, False)
    written = yaml.safe_load(text)
    assert written["base-url"] == "https://gateway.example.com"
    assert written["api-key-env"] == "ANTHROPIC_AUTH_TOKEN"
    assert written["models"] == ["a: b #c"]
    assert run("check", "--plan", cwd=tmp_path, env=environment).returncode == 0


def test_what_init_keeps_as_comments_is_right_too(tmp_path: Path) -> None:
    """Every commented key, switched on, is accepted, targets included."""
    run("init", cwd=tmp_path)
    path = tmp_path / "metaio-verify.yaml"
    known = [field.encode_name for field in msgspec.structs.fields(Config)]
    keys = "|".join([*known, "staging", "production"])
    key = re.compile(rf"^# ( *(?:{keys}|  - ):?.*)$", re.MULTILINE)
    text = key.sub(r"\1", path.read_text(encoding="utf-8"))
    elsewhere = re.compile("^(checks|ca-bundle|baseline): .*$", re.MULTILINE)  # names files
    path.write_text(elsewhere.sub("", text), encoding="utf-8")
    environment = dict.fromkeys(("STAGING_TOKEN", "PRODUCTION_TOKEN"), "x" * 9)
    done = run("check", "--target", "all", "--plan", cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("== ") == 2


def test_init_makes_no_folder(tmp_path: Path) -> None:
    """A mistyped path is told, as for a report."""
    done = run("init", "no/c.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no/c.yaml: there is no folder no" in done.stderr
    assert not [*tmp_path.iterdir()]


def test_init_keeps_a_file_that_is_there(tmp_path: Path) -> None:
    """Unless it is told to replace it."""
    path = tmp_path / "own.yaml"
    path.write_text("mine", encoding="utf-8")
    done = run("init", "own.yaml", cwd=tmp_path)
    assert (done.returncode, path.read_text(encoding="utf-8")) == (2, "mine")
    assert "--force" in done.stderr
    assert run("init", "own.yaml", "--force", cwd=tmp_path).returncode == 0
    assert "base-url" in path.read_text(encoding="utf-8")


def test_the_example_can_be_read() -> None:
    """The one of the repository, with its targets."""
    example = Path(__file__).parents[2] / "examples" / "metaio-verify.yaml"
    done = run("check", "--config", str(example), "--target", "all", "--plan")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("strict: true\nprofile: quik\n", ["c.yaml:2:1: unknown profile `quik`", "`quick`"]),
        ("only:\n  - auth.*\n  - auht.*\n", ["c.yaml:3:5: no check matches `auht.*`"]),
        ("skip: auht.*\n", ["c.yaml:1:1", "must be a list"]),
        ("skip: [streaming.*, x.y]\n", ["c.yaml:1:21: no check matches `x.y`"]),
        ("tags: [heavi]\n", ["c.yaml:1:8: unknown tag `heavi`", "`heavy`"]),
        (
            "api-key-env: K\nprofile: full\ntargets:\n  s: {base-url: https://h, profile: ful}\n",
            ["c.yaml:4:28: unknown profile `ful`"],
        ),
        (
            "api-key-env: K\nskip: [a.b]\ntargets:\n  s: {base-url: https://h}\n",
            ["c.yaml:2:8: no check matches `a.b`"],
        ),
    ],
)
def test_a_selection_of_nothing_is_told_with_its_place(
    text: str, says: list[str], tmp_path: Path
) -> None:
    """Profiles, checks and tags are known only with the suite; their mistakes have a line too."""
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    target = ["--target", "s"] if "targets:" in text else []
    done = run("check", "--config", "c.yaml", "--plan", *target, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert [part for part in says if part not in done.stderr] == []


def test_a_mistake_of_the_command_line_is_not_laid_to_the_file(tmp_path: Path) -> None:
    """A flag wins, and so what the file says in its place is never looked at."""
    (tmp_path / "c.yaml").write_text("profile: quik\nonly: [nothing]\n", encoding="utf-8")
    flags = ["--profile", "quik", "--only", "nothing"]
    done = run("check", "--config", "c.yaml", "--plan", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert "c.yaml" not in done.stderr
    flags = ["--profile", "quick", "--only", "auth.*"]
    assert run("check", "--config", "c.yaml", "--plan", *flags, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("flags", "file"),
    [
        (["--since", "old.json", "--report", "markdown=old.json"], "old.json"),
        (
            ["--since", "old.json", "--report", "markdown=a.md", "--report", "html=./old.json"],
            "old",
        ),
        (["--baseline-run", "old.json", "--report", "junit=old.json"], "old.json"),
        (["--report", "json=metaio-verify.yaml"], "metaio-verify.yaml"),
        (["--report", "json=link.yaml"], "link.yaml"),
        (["--baseline", "b.yaml", "--report", "json=b.yaml"], "b.yaml"),
        (["--checks", "own", "--report", "json=own/mine.yaml"], "own/mine.yaml"),
        (["--checks", "own/mine.yaml", "--report", "html=own/mine.yaml"], "own/mine.yaml"),
        (["--template", "page.j2", "--report", "markdown=page.j2"], "page.j2"),
    ],
)
def test_no_report_replaces_what_the_run_reads(flags: list[str], file: str, tmp_path: Path) -> None:
    """Exit code 2 before the first request, and every file is as it was."""
    files = {
        "metaio-verify.yaml": "base-url: http://127.0.0.1:9\nprofile: quick\n",
        "old.json": (EXAMPLES / "run.json").read_text(encoding="utf-8"),
        "b.yaml": "waivers: []\n",
        "own/mine.yaml": (EXAMPLES / "own-checks.yaml").read_text(encoding="utf-8"),
        "page.j2": "{{ headline }}\n",
    }
    (tmp_path / "own").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to("metaio-verify.yaml")
    done = run("check", *flags, cwd=tmp_path, env={"ANTHROPIC_API_KEY": "k"})
    assert (done.returncode, done.stdout) == (2, "")
    assert file in done.stderr
    assert "a report would replace what it is made from" in done.stderr
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in files} == files
