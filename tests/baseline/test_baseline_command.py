"""Baselines and earlier runs as an operator's CI uses them, in real processes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli.process import run

from metaio_verify import Endpoint, Options, judge_again, verify
from metaio_verify.baseline.read import read
from metaio_verify.lab.server import Lab, running
from metaio_verify.wanted import Earlier

CHECK = ("check", "--only", "auth.x-api-key", "--only", "auth.bearer")


@pytest.fixture(scope="module")
def broken() -> Iterator[dict[str, str]]:
    """A lab that does not read the key as Bearer."""
    lab = Lab(faults=["auth-ignores-bearer"])
    with running(lab) as url:
        yield {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": lab.key}


def write(folder: Path, *, check: str = "auth.bearer", expires: str = "2999-01-01") -> Path:
    """Write a baseline with one waiver."""
    path = folder / "b.yaml"
    path.write_text(
        f"waivers:\n  - check: {check}\n    reason: ticket 12\n    expires: {expires}\n",
        encoding="utf-8",
    )
    return path


def saved(path: Path) -> Any:
    """Return a run record as JSON."""
    return json.loads(path.read_bytes())


def test_from_the_first_failure_to_a_waiver(broken: dict[str, str], tmp_path: Path) -> None:
    """The stub is written, refused as it is, and accepted with a reason."""
    update = run(*CHECK, "--baseline", "b.yaml", "--update-baseline", env=broken, cwd=tmp_path)
    assert update.returncode == 1
    assert "b.yaml: 1 waiver added, good for 90 days: auth.bearer" in update.stderr
    refused = run(*CHECK, "--baseline", "b.yaml", env=broken, cwd=tmp_path)
    assert refused.returncode == 2
    assert "b.yaml:7:5: `waivers[0].reason`: still says `CHANGE ME`" in refused.stderr
    assert refused.stdout == ""
    path = tmp_path / "b.yaml"
    path.write_text(path.read_text("utf-8").replace("CHANGE ME", "ticket 12"), encoding="utf-8")
    done = run(
        *CHECK, "--baseline", "b.yaml", "--report", "json=run.json", env=broken, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert "1 of 2 must-checks passes, 1 waived" in done.stdout
    assert "ticket 12 (until " in done.stdout
    [waived] = [one for one in saved(tmp_path / "run.json")["verdicts"] if "waiver" in one]
    assert (waived["verdict"], waived["waiver"]["verdict"]) == ("waived", "fail")
    assert waived["findings"]
    again = run(*CHECK, "--baseline", "b.yaml", "--update-baseline", env=broken, cwd=tmp_path)
    assert "not changed, no check fails that has no waiver" in again.stderr


def test_an_expired_waiver_fails_the_run_and_is_named(
    broken: dict[str, str], tmp_path: Path
) -> None:
    """In every report, with its line; an update leaves it alone."""
    path = write(tmp_path, expires="2020-01-01")
    before = path.read_text("utf-8")
    reports = ("--report", "json=run.json", "--report", "markdown=page.md")
    done = run(
        *CHECK, "--baseline", "b.yaml", "--update-baseline", *reports, env=broken, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "auth.bearer  expired · b.yaml:2:5" in done.stdout
    assert "`auth.bearer` (`b.yaml:2:5`) is expired" in (tmp_path / "page.md").read_text("utf-8")
    [waiver] = saved(tmp_path / "run.json")["waivers"]
    assert (waiver["state"], waiver["place"]) == ("expired", "b.yaml:2:5")
    assert path.read_text("utf-8") == before
    assert "left as it is" in done.stderr


def test_an_unused_waiver_fails_the_run_where_its_check_was_judged(
    lab: dict[str, str], tmp_path: Path
) -> None:
    """And not where it was not selected."""
    write(tmp_path)
    done = run(*CHECK, "--baseline", "b.yaml", env=lab, cwd=tmp_path)
    assert done.returncode == 1
    assert "Exit code 1: 1 waiver is unused." in done.stdout
    new = ("--baseline", "new.yaml", "--update-baseline")
    assert "new.yaml: written without waivers" in run(*CHECK, *new, env=lab, cwd=tmp_path).stderr
    assert read(tmp_path / "new.yaml").waivers == ()
    only = ("check", "--only", "auth.x-api-key", "--baseline", "b.yaml")
    assert run(*only, env=lab, cwd=tmp_path).returncode == 0


def test_the_configuration_may_name_the_baseline(broken: dict[str, str], tmp_path: Path) -> None:
    """As `baseline`."""
    write(tmp_path)
    (tmp_path / "metaio-verify.yaml").write_text("baseline: b.yaml\n", encoding="utf-8")
    assert run(*CHECK, env=broken, cwd=tmp_path).returncode == 0


def test_only_what_got_worse_since_a_saved_run_fails(
    lab: dict[str, str], broken: dict[str, str], tmp_path: Path
) -> None:
    """The same failures as then are exit code 0, new ones 1, and what was mended is named."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    run(*CHECK, "--report", f"json={good}", env=lab)
    run(*CHECK, "--report", f"json={bad}", env=broken)
    worse = run(*CHECK, "--baseline-run", str(good), "--report", f"json={bad}", env=broken)
    assert worse.returncode == 1
    assert "auth.bearer  pass → fail" in worse.stdout
    assert [one["kind"] for one in saved(bad)["since"]["changes"]] == ["new failure"]
    same = run(*CHECK, "--baseline-run", str(bad), env=broken)
    assert same.returncode == 0
    assert "Exit code 0: nothing got worse since" in same.stdout
    assert not same.stdout.startswith("Works")
    better = run(*CHECK, "--baseline-run", str(bad), env=lab)
    assert better.returncode == 0
    assert "auth.bearer  fail → pass" in better.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--baseline", "none.yaml"], "none.yaml: cannot be read"),
        (["--update-baseline"], "--baseline metaio-verify-baseline.yaml"),
        (["--baseline", "no/b.yaml", "--update-baseline"], "there is no folder no"),
        (["--baseline-run", "none.json"], "none.json: the run record cannot be read"),
        (["--reference-url", "https://r"], "--reference-key-env REFERENCE_KEY"),
        (
            ["--reference-url", "https://r", "--reference-key-env", "NOT_SET"],
            "the variable NOT_SET, named by --reference-key-env, is not set",
        ),
        (
            ["--reference-url", "https://r", "--reference-key-env", "c0ffee_canary"],
            "the variable that --reference-key-env names is not set",
        ),
        (
            ["--reference-url", "https://r", "--reference-key-env", "sk-secret-canary"],
            "--reference-key-env is no name of a variable",
        ),
        (["--reference-key-env", "NOT_SET"], "--reference-url https://"),
    ],
)
def test_bad_input_is_told_before_anything_is_sent(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    """Exit code 2."""
    env = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "sk-secret-canary"}
    done = run(*CHECK, *arguments, env=env, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "sk-secret-canary" not in done.stderr
    assert "c0ffee_canary" not in done.stderr
    assert done.stdout == ""


def test_the_stub_expires_ninety_days_after_the_run(broken: dict[str, str], tmp_path: Path) -> None:
    """Counted from the day on which the run started."""
    args = ("--baseline", "b.yaml", "--update-baseline", "--report", "json=run.json")
    run(*CHECK, *args, env=broken, cwd=tmp_path)
    started = dt.datetime.fromisoformat(saved(tmp_path / "run.json")["started"]).date()
    assert f"expires: {started + dt.timedelta(90)}" in (tmp_path / "b.yaml").read_text("utf-8")


def test_a_known_failure_does_not_end_a_run_that_ends_at_the_first(
    broken: dict[str, str], tmp_path: Path
) -> None:
    """With --fail-fast: neither what is waived, nor what failed in the earlier run."""
    endpoint = Endpoint(broken["ANTHROPIC_BASE_URL"], broken["ANTHROPIC_API_KEY"])
    only = ["auth.bearer", "auth.wrong-key", "messages.shape", "streaming.message-stop"]
    options = Options(only=only, fail_fast=True, concurrency=1)
    first = verify(endpoint, replace(options, fail_fast=False))
    assert first.exit_code == 1
    waived = verify(endpoint, replace(options, baseline=read(write(tmp_path))))
    since = verify(endpoint, replace(options, since=Earlier("first.json", first)))
    for record in (waived, since):
        assert record.exit_code == 0
        assert "skipped" not in {one.verdict for one in record.verdicts}


def test_a_saved_run_is_judged_again_with_its_waivers(
    broken: dict[str, str], tmp_path: Path
) -> None:
    """As of the day of the run."""
    endpoint = Endpoint(broken["ANTHROPIC_BASE_URL"], broken["ANTHROPIC_API_KEY"])
    options = Options(only=["auth.bearer"], baseline=read(write(tmp_path)))
    record = verify(endpoint, options)
    again = judge_again(record)
    assert (again.exit_code, again.verdicts) == (record.exit_code, record.verdicts)
    assert [one.state for one in again.waivers] == ["used"]


def test_a_report_replaces_no_baseline(tmp_path: Path) -> None:
    """Nor any other file of the user's that the run reads; found out before anything is sent."""
    path = write(tmp_path)
    before = path.read_bytes()
    env = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "sk-secret-canary"}
    done = run(*CHECK, "--baseline", str(path), "--report", f"junit={path}", env=env, cwd=tmp_path)
    assert done.returncode == 2
    assert "a report would replace what it is made from" in done.stderr
    assert path.read_bytes() == before
