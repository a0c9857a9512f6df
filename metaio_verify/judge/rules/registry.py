"""What a rule is and how it gets its name.

A rule judges what an expectation cannot say, usually across exchanges. It is a pure function with
a docstring; its first line is what the check catalogue says about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, overload

from msgspec import Struct

from metaio_verify.judge.evidence import Evidence
from metaio_verify.record import Finding, Target

Answers: TypeAlias = Mapping[str, Sequence[Evidence]]
"""Probe id → its judged exchanges (one for each copy), in the order of the check's `on`."""

Rule: TypeAlias = Callable[[Answers, Mapping[str, Any], Target, str | None], list[Finding]]
"""Takes the answers, the check's `args`, the target and the model; returns the deviations."""

RULES: dict[str, Rule] = {}
"""Every rule by the name that check files use."""


class NothingToJudgeError(Exception):
    """The answers hold nothing that the rule is about; the check is blocked, with this reason."""


class NotSeenError(NothingToJudgeError):
    """What the rule is about did not occur in this run; the check is skipped, with this reason."""


class UnsureError(Exception):
    """What was seen may have another cause; the check is inconclusive, with this reason."""


class Usage(Struct, frozen=True):
    """How a check has to use a rule; without one, the rule itself copes with everything."""

    probes: int | None = None
    pairs: bool = False
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    timed: bool = False
    """Whether it looks at when things came, so that also an answer we gave up says something."""


_USAGES: dict[str, Usage] = {}


@overload
def rule(function: Rule, /) -> Rule: ...


@overload
def rule(
    *,
    probes: int | None = None,
    pairs: bool = False,
    required: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    timed: bool = False,
) -> Callable[[Rule], Rule]: ...


def rule(function: Rule | None = None, /, **usage: Any) -> Rule | Callable[[Rule], Rule]:
    """Register a function under its name with dashes: `unique_ids` becomes `unique-ids`.

    Args:
        function: the rule, where the decorator stands without brackets
        usage: the fields of `Usage`; giving none of them leaves the use unchecked

    """

    def register(function: Rule) -> Rule:
        name = function.__name__.replace("_", "-")
        if name in RULES:
            raise ValueError(f"two rules are called {name}")
        RULES[name] = function
        if usage:
            _USAGES[name] = Usage(**usage)
        return function

    return register if function is None else register(function)


def measures_time(name: str) -> bool:
    """Tell whether a rule looks at when things came."""
    usage = _USAGES.get(name)
    return usage is not None and usage.timed


def misuse(name: str, probes: int, args: Iterable[str]) -> str:
    """Say in one clause how a check uses a rule wrongly; empty when it does not.

    Args:
        name: of a rule that exists
        probes: the number of the check's probes
        args: the names of the arguments that the check gives

    """
    usage = _USAGES.get(name)
    if usage is None:
        return ""
    given = set(args)
    if usage.probes not in (None, probes):
        return f"it takes {usage.probes} probes, not {probes}"
    if usage.pairs and probes % 2:
        return f"it takes pairs of probes, and {probes} is odd"
    if missing := set(usage.required) - given:
        return f"it needs the argument {', '.join(sorted(missing))}"
    if unknown := given - {*usage.required, *usage.optional}:
        return f"it has no argument {', '.join(sorted(unknown))}"
    return ""


def each(answers: Answers) -> list[Evidence]:
    """Return all exchanges, probe by probe."""
    return [evidence for copies in answers.values() for evidence in copies]


def deviation(evidence: Evidence, expected: str, actual: str, where: str = "") -> Finding:
    """Return a finding about one exchange."""
    return Finding(expected=expected, actual=actual, where=where, exchange=evidence.exchange.id)
