from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli.process import run
from suite.packs import PACK, changed, write
from syrupy.assertion import SnapshotAssertion

from metaio_verify.suite.load import builtin

_BROKEN = changed(
    "level: must",
    "level: mist",
    changed("status: 200", "stauts: 200", changed("post: /v1/messages", "post: //evil.example/v1")),
)


def test_list_prints_one_line_for_each_check() -> None:
    """Id, level, contract ids, title; in a pipe without colour and without a heading."""
    done = run("checks", "list")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in lines] == list(builtin().checks)
    bearer = next(line for line in lines if line.startswith("auth.bearer "))
    assert bearer.split(maxsplit=3)[1:] == [
        "must",
        "AUT-02",
        builtin().checks["auth.bearer"].title,
    ]


def test_list_selects_like_a_run() -> None:
    """By profile, id and tag, with the same mistakes."""
    done = run("checks", "list", "--only", "auth.*", "--skip", "auth.no-*")
    ids = [line.split()[0] for line in done.stdout.splitlines()]
    assert ids == [i for i in builtin().checks if i.startswith("auth.") and ".no-" not in i]
    quick = run("checks", "list", "--profile", "quick").stdout.splitlines()
    assert 0 < len(quick) < len(builtin().checks)
    wrong = run("checks", "list", "--profile", "qiuck")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Did you mean `quick`?" in wrong.stderr


def test_nothing_selected_is_no_success() -> None:
    """Exit code 3, as for a run."""
    done = run("checks", "list", "--only", "auth.bearer", "--skip", "auth.*")
    assert (done.returncode, done.stdout) == (3, "")


def test_list_as_json(tmp_path: Path) -> None:
    """For scripts; a pack of one's own is in it."""
    pack = write(tmp_path, PACK)
    done = run("checks", "list", "--json", "--checks", str(pack), "--only", "own.*")
    assert json.loads(done.stdout) == [
        {
            "id": "own.answer",
            "title": "The answer is right",
            "level": "must",
            "contract": ["OWN-01"],
            "area": "Own",
            "tags": [],
            "probes": ["ask"],
        }
    ]


def test_show_explains_a_check(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """What is sent, what is expected, what breaks for whom, how to mend it."""
    text = changed("on: ask", "on: [ask, again]")
    text = changed(
        "expect: {status: 200}",
        """expect:
      status: [200, 4xx]
      headers: {x-powered-by: null, content-type: {pattern: ^application/json}}
      schema: answer
      json: {$.id: {type: string, minLength: 1}}
      absent: [$.error]
      stream: [done-sentinel]
      timing: {first-byte: 2}
    accept: [{status: 501, verdict: declined, because: it is off}]
    workaround: Ask later.
    tags: [own]""",
        text,
    )
    more = "purpose: A question.\n    headers: {x-a: [b, c]}\n    at-once: 3\n    auth: bearer"
    path = write(tmp_path, changed("purpose: A question.", more, text))
    done = run("checks", "show", "own.answer", "--checks", str(path), "--no-example")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == snapshot


@pytest.mark.parametrize("check", ["auth.bearer", "streaming.incremental"])
def test_show_explains_the_built_in_checks(check: str) -> None:
    """With the rule in words and the command that shows the check fail."""
    done = run("checks", "show", check, "--no-example")
    assert done.stdout.startswith(f"{check}\n{builtin().checks[check].title}\n")
    assert f"demo --fault {builtin().checks[check].faults[0]}\n" in done.stdout


def test_show_has_a_right_and_a_wrong_answer(snapshot: SnapshotAssertion) -> None:
    """From the embedded endpoint, clean and with the first fault, and the same every time."""
    first, second = (run("checks", "show", "counting.mistakes") for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == snapshot
    assert second.stdout == first.stdout


def test_show_marks_what_differs_in_a_stream() -> None:
    """And cuts what does not."""
    lines = run("checks", "show", "streaming.message-stop").stdout.splitlines()
    right = lines.index("A right answer to hello-stream, from the lab")
    wrong = lines.index("A wrong answer to hello-stream, with message-stop-missing")
    assert "  > event: message_stop" in lines[right:wrong]
    assert "  expected message_stop" in lines[wrong:]
    assert any("… " in line and line.endswith(" lines") for line in lines[right:wrong])


def test_show_is_honest_about_a_fault_that_needs_a_whole_run() -> None:
    """Such a check has no wrong answer of its own."""
    text = " ".join(run("checks", "show", "thinking.not-in-text").stdout.split())
    assert "shows in the answers to other requests only, so in a whole run: metaio-verify" in text


def test_show_shows_a_check_of_ones_own_on_the_lab(tmp_path: Path) -> None:
    """Whatever the lab makes of it."""
    path = write(tmp_path, changed(', ask: "${token}"', ", max_tokens: 1, messages: []"))
    done = run("checks", "show", "own.answer", "--checks", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "An answer (fail) to ask, from the lab" in done.stdout
    assert "expected status 200" in done.stdout


def test_show_lists_what_a_glob_matches() -> None:
    """Costly checks too, one a line."""
    done = run("checks", "show", "auth.models-*")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "auth.models-x-api-key",
        "auth.models-bearer",
    ]
    wrong = run("checks", "show", "auht.*")
    assert (wrong.returncode, "`auth.*`" in wrong.stderr) == (2, True)


def test_show_names_the_nearest_check() -> None:
    """Exit code 2."""
    done = run("checks", "show", "auth.baerer")
    assert done.returncode == 2
    assert "unknown check `auth.baerer`\n  Did you mean `auth.bearer`?" in done.stderr


def test_lint_counts_what_it_read(tmp_path: Path) -> None:
    """Exit code 0; the built-in suite is not counted."""
    done = run("checks", "lint", str(write(tmp_path, PACK)))
    assert done.returncode == 0
    assert done.stdout == "1 check and 2 probes: no mistake found.\n"


def test_lint_judges_the_built_in_suite_too() -> None:
    """A file of it is judged together with the others, which it refers to."""
    done = run("checks", "lint", "checks/headers.yaml", cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(builtin().checks)} checks and ")


def test_lint_tells_every_mistake(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """Exit code 2; file, line, column, key and what would be right; nothing on stdout."""
    write(tmp_path, _BROKEN, "broken.yaml")
    write(tmp_path, "probes: [\n", "unreadable.yaml")
    done = run("checks", "lint", ".", "missing.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == snapshot


def test_schema_prints_the_published_schema() -> None:
    """So that an editor can be pointed at it."""
    published = Path(__file__).parents[2] / "checks" / "check-file.schema.json"
    assert run("checks", "schema").stdout == published.read_text(encoding="utf-8")


def test_list_starts_without_the_heavy_libraries() -> None:
    """The network, the event loop, the judge's libraries and Rich stay unloaded."""
    code = (
        "import sys; sys.argv[1:] = ['checks', 'list']\n"
        "from metaio_verify.cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'asyncio', 'jsonschema_rs', 'jsonpath_rfc9535', 'uvicorn', 'rich'}\n"
        "sys.exit(str(heavy & sys.modules.keys()) if heavy & sys.modules.keys() else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
