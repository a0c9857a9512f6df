"""The lab with a fault or a variant, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.process import run

from metaio_verify.lab.faults import FAULTS
from metaio_verify.lab.variants import VARIANTS


@pytest.mark.parametrize(
    ("flag", "changes"), [("--fault", FAULTS), ("--variant", VARIANTS)], ids=["faults", "variants"]
)
@pytest.mark.parametrize("command", ["demo", "serve"])
def test_changes_are_listed(command: str, flag: str, changes: dict[str, object]) -> None:
    """One line each, with what it does."""
    done = run(command, flag, "list")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(changes))


def test_a_variant_can_be_tried(tmp_path: Path) -> None:
    """A legal difference ends with exit code 0, and an unknown one with the nearest name."""
    only = ["demo", "--only", "counting.*"]
    assert run(*only, "--variant", "count-tokens-not-served", cwd=tmp_path).returncode == 0
    done = run(*only, "--variant", "no-pingz", cwd=tmp_path)
    assert (done.returncode, "no-pings" in done.stderr) == (2, True)
