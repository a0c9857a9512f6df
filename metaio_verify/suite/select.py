"""Which checks of a suite a run judges, and which probes it fires for them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.suite.links import teachers, waits_for
from metaio_verify.suite.model import HEAVY, UPSTREAM, Check, Probe, Profile, Suite
from metaio_verify.suite.words import quote, suggest


class Selected(Struct, frozen=True):
    """What was chosen of a suite, both in the order of its files."""

    checks: tuple[Check, ...]
    probes: tuple[Probe, ...]
    """Those that the checks are judged on, and everything that these wait for."""


def select(
    suite: Suite,
    profile: str = "full",
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    tags: Sequence[str] = (),
    *,
    upstream: bool = False,
    places: Mapping[tuple[str, str], Place] | None = None,
) -> Selected:
    """Choose checks by profile, id and tag.

    Args:
        suite: everything there is
        profile: the name of a profile
        only: check ids or globs; they take the place of the profile's
        skip: check ids or globs that are left out whatever else is said
        tags: a check needs one of them; `heavy` instead adds the costly checks, which are
            otherwise left out unless their very id is given
        upstream: whether there is one to look at behind the gateway; the checks that need it then
            belong to every profile, and otherwise only to the profile that names their tag
        places: where a file asks for it: parameter and value → place

    Raises:
        UserError: a profile, an id or a tag that does not exist, a glob that matches nothing; all
            of them at once, each with the nearest right name

    """
    wrong = [*_unknown_profile(suite, profile), *_unknown_tags(suite, tags)]
    for parameter, patterns in (("only", only), ("skip", skip)):
        wrong += _unmatched(suite, parameter, patterns)
    if wrong:
        raise UserError(*(replace(problem, place=(places or {}).get(of)) for of, problem in wrong))
    chosen = Profile(title="", checks=list(only)) if only else suite.profiles[profile]
    matched, skipped = _matching(suite, chosen.checks), _matching(suite, skip)
    filters = set(tags) - {HEAVY}
    wanted = set(chosen.tags) | ({UPSTREAM} if upstream and not only else set())
    checks = tuple(
        check
        for check in suite.checks.values()
        if (check.id in matched or not wanted.isdisjoint(check.tags))
        and (UPSTREAM not in check.tags or only or UPSTREAM in wanted)
        and check.id not in skipped
        and (not filters or not filters.isdisjoint(check.tags))
        and (HEAVY not in check.tags or HEAVY in tags or check.id in chosen.checks)
    )
    return Selected(checks, _probes_for(suite, checks))


def _matching(suite: Suite, patterns: Iterable[str]) -> set[str]:
    return {id_ for pattern in patterns for id_ in fnmatch.filter(suite.checks, pattern)}


def _probes_for(suite: Suite, checks: Iterable[Check]) -> tuple[Probe, ...]:
    """The probes of some checks, with all that come before them."""
    taught_by = teachers(suite.probes.values())
    required = (capability for check in checks for capability in check.requires)
    open_ = [id_ for check in checks for id_ in check.probes]
    open_ += [id_ for capability in required for id_ in taught_by.get(capability, [])]
    closed: set[str] = set()
    while open_:
        id_ = open_.pop()
        if id_ not in closed:
            closed.add(id_)
            open_ += waits_for(suite.probes[id_], taught_by)
    return tuple(probe for id_, probe in suite.probes.items() if id_ in closed)


_Wrong: TypeAlias = Iterator[tuple[tuple[str, str], Problem]]
"""Parameter and value, and what is wrong with it."""


def _unknown_profile(suite: Suite, profile: str) -> _Wrong:
    if profile not in suite.profiles:
        hint = suggest(profile, suite.profiles)
        yield ("profile", profile), Problem(f"unknown profile {quote(profile)}", hint=hint)


def _unknown_tags(suite: Suite, tags: Iterable[str]) -> _Wrong:
    known = {HEAVY, *(tag for check in suite.checks.values() for tag in check.tags)}
    for tag in tags:
        if tag not in known:
            yield ("tags", tag), Problem(f"unknown tag {quote(tag)}", hint=suggest(tag, known))


def _unmatched(suite: Suite, parameter: str, patterns: Iterable[str]) -> _Wrong:
    areas = {f"{check.area}.*" for check in suite.checks.values()}
    for pattern in patterns:
        if not fnmatch.filter(suite.checks, pattern):
            known = {*suite.checks, *areas} if "." in pattern else areas
            hint = suggest(pattern, known) or _ALL
            message = f"no check matches {quote(pattern)}"
            yield (parameter, pattern), Problem(message, hint=hint)


_ALL = "`metaio-verify checks list` prints all of them."
