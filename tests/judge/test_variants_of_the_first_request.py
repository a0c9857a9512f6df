"""What has to go when Claude Code's first request is refused: found out only then, and said."""

from __future__ import annotations

from functools import cache

import pytest

from metaio_verify import Endpoint, Options, verify
from metaio_verify.lab.server import Lab, running
from metaio_verify.record import Judgement, RunRecord
from metaio_verify.verdict import Verdict

_CHECK = "claude-code.nothing-to-take-out"


@cache
def _run(*faults: str) -> RunRecord:
    lab = Lab(faults=faults)
    with running(lab) as url:
        return verify(Endpoint(url, lab.key, [lab.models[0].id]), Options(only=[_CHECK]))


def _judged(*faults: str) -> Judgement:
    (found,) = _run(*faults).verdicts
    return found


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        ("context-management-refused", "context_management"),
        ("defer-loading-refused", "the tool with defer_loading"),
        ("output-config-refused", "output_config"),
        ("role-system-crashes", "the system message within the conversation"),
        (
            "adaptive-thinking-refused",
            "adaptive thinking, with a thinking budget in its place",
        ),
    ],
)
def test_the_one_part_that_has_to_go_is_named(fault: str, part: str) -> None:
    """The smallest variant that is answered while the full request is not."""
    found = _judged(fault)
    assert found.verdict is Verdict.NOTE
    assert [one.actual for one in found.findings] == [f"answered only without {part}"]


def test_two_reasons_are_no_single_part() -> None:
    """Where each variant is refused too, the finding says so with the refusal."""
    (finding,) = _judged("output-config-refused", "role-system-crashes").findings
    assert finding.actual.startswith("each variant is refused too: ")


def test_a_switch_that_leaves_out_several_parts_is_the_last_resort() -> None:
    """Where no single part is to blame, what one variable leaves out may be."""
    (finding,) = _judged("context-management-refused", "defer-loading-refused").findings
    assert finding.exchange.startswith("claude-code-without-experimental-betas@")


def test_variants_are_sent_only_after_a_refusal() -> None:
    """A request that is answered costs no further ones, and the check does not apply."""
    found = _judged()
    assert found.verdict is Verdict.SKIPPED
    assert found.reason == "`claude-code-first-turn` was not refused"
    assert not [one for one in _run().exchanges if one.probe.startswith("claude-code-with")]
