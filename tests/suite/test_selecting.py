from __future__ import annotations

from pathlib import Path

import pytest
from suite.packs import write

from metaio_verify.errors import UserError
from metaio_verify.suite.load import load
from metaio_verify.suite.model import Suite
from metaio_verify.suite.select import select


def _probe(id_: str, **more: str) -> str:
    rest = "".join(f", {key.replace('_', '-')}: {value}" for key, value in more.items())
    return f"  {id_}: {{purpose: Asks., post: /v1{rest}}}\n"


def _check(id_: str, on: str, **more: str) -> str:
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return (
        f"  {id_}: {{title: T, level: must, contract: OWN-1, source: x, on: {on}, "
        f"expect: {{status: 200}}, breaks: {{}}, fix: f, faults: []{rest}}}\n"
    )


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Six checks, with chains of every kind between their probes."""
    probes = (
        _probe("last", json="{id: '${middle.id}'}")
        + _probe("first")
        + _probe("middle", needs="[first]", capture="{id: $.id}")
        + _probe("teacher", learns="{tools: {status: 200}}", needs="[first]")
        + _probe("pupil", requires="[tools]")
        + _probe("big")
        + _probe("unused")
    )
    checks = (
        _check("a.last", "last", tags="[quick]")
        + _check("a.first", "first", tags="[quick, entry]")
        + _check("b.pupil", "pupil")
        + _check("tools.b", "first", requires="[tools]")
        + _check("b.big", "big", tags="[heavy]")
        + _check("b.both", "[big, first]", tags="[entry, heavy]")
    )
    profiles = (
        "  full: {title: All, checks: ['*']}\n"
        "  quick: {title: Some, tags: [quick], checks: [tools.b]}\n"
        "  gate: {title: Gate, checks: [a.*, b.big]}\n"
    )
    text = f"probes:\n{probes}checks:\n{checks}profiles:\n{profiles}"
    path: Path = write(tmp_path_factory.mktemp("suite"), text)
    return load([path])


@pytest.mark.parametrize(
    ("arguments", "checks"),
    [
        ({}, "a.last a.first b.pupil tools.b"),
        ({"profile": "quick"}, "a.last a.first tools.b"),
        ({"profile": "gate"}, "a.last a.first b.big"),
        ({"tags": ["entry"]}, "a.first"),
        ({"tags": ["heavy"]}, "a.last a.first b.pupil tools.b b.big b.both"),
        ({"tags": ["heavy", "entry"]}, "a.first b.both"),
        ({"only": ["b.*"]}, "b.pupil"),
        ({"only": ["b.big", "a.first"]}, "a.first b.big"),
        ({"only": ["*s.b", "a.l?st"]}, "a.last tools.b"),
        ({"only": ["b.*"], "profile": "quick"}, "b.pupil"),
        ({"skip": ["a.*"]}, "b.pupil tools.b"),
        ({"only": ["b.big"], "skip": ["b.*"]}, ""),
        ({"profile": "quick", "tags": ["entry"], "skip": ["b.*"]}, "a.first"),
    ],
)
def test_checks_are_chosen_in_the_order_of_the_file(
    arguments: dict[str, list[str]], checks: str, suite: Suite
) -> None:
    """By profile or by id, less what is skipped, less what is heavy and not asked for."""
    chosen = select(suite, **arguments)  # type: ignore[arg-type] # profile is the one text
    assert [check.id for check in chosen.checks] == checks.split()


@pytest.mark.parametrize(
    ("only", "probes"),
    [
        ("a.first", "first"),
        ("a.last", "last first middle"),
        ("b.pupil", "first teacher pupil"),
        ("tools.b", "first teacher"),
        ("b.both", "first big"),
    ],
)
def test_only_the_probes_that_are_needed_are_fired(only: str, probes: str, suite: Suite) -> None:
    """Those judged, those they need or repeat, and those that teach what is required."""
    assert [probe.id for probe in select(suite, only=[only]).probes] == probes.split()


def test_every_unknown_name_is_told_with_the_nearest(suite: Suite) -> None:
    """All at once; nothing is guessed."""
    with pytest.raises(UserError) as caught:
        select(suite, "qiuck", only=["a.frist", "toolz"], skip=["b.pupils"], tags=["entri"])
    assert [str(problem) for problem in caught.value.problems] == [
        "unknown profile `qiuck`\n  Did you mean `quick`?",
        "unknown tag `entri`\n  Did you mean `entry`?",
        "no check matches `a.frist`\n  Did you mean `a.first`?",
        "no check matches `toolz`\n  Did you mean `tools.*`?",
        "no check matches `b.pupils`\n  Did you mean `b.pupil`?",
    ]
