"""The examples that are kept are what the lab shows."""

from __future__ import annotations

import msgspec
import pytest

from metaio_verify import example_kept
from metaio_verify.example import Answer, Example, example
from metaio_verify.suite.load import builtin


def shape(answer: Answer | None) -> tuple[object, ...]:
    """What does not differ from time to time: the judgement, the status, the kinds of events."""
    assert answer is not None
    expected = [finding.expected for finding in answer.findings]
    events = {line.text for line in answer.lines if line.text.startswith("event: ")}
    return answer.probe, answer.verdict, expected, answer.lines[0].text, events


@pytest.mark.proof
@pytest.mark.parametrize("check", example_kept.read())
def test_a_kept_example_is_what_the_lab_shows(check: str) -> None:
    """Verdict, requirement and answer."""
    fault = builtin().checks[check].faults[0]
    kept = example_kept.read()[check].example
    right, wrong = example(check, fault)
    assert shape(kept.right) == shape(right)
    assert shape(kept.wrong) == shape(wrong)


def test_a_kept_example_counts_for_what_it_was_seen_with_only() -> None:
    """Another fault, or another wording of the check, has to be seen anew."""
    suite = builtin()
    id_ = "connectivity.start-up-probes"
    fault = suite.checks[id_].faults[0]
    found = example_kept.recall(id_, fault, suite)
    assert isinstance(found, Example)
    assert found.wrong is not None
    assert found.wrong.verdict.is_deviation
    assert example_kept.recall(id_, "another", suite) is None
    changed = msgspec.structs.replace(suite.checks[id_], title="Another title")
    other = msgspec.structs.replace(suite, checks={**suite.checks, id_: changed})
    assert example_kept.recall(id_, fault, other) is None
