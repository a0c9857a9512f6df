"""References to what is not there: probes, checks, captures, capabilities, tags."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from metaio_verify.probe.template import references
from metaio_verify.suite.links import explained, sent, teachers
from metaio_verify.suite.model import CheckFile, Expect, Probe
from metaio_verify.suite.sense import expectations, texts
from metaio_verify.suite.source import Flaw, Path
from metaio_verify.suite.words import quote, suggest


class World(Struct, frozen=True):
    """Everything that a file can refer to: the files that are loaded together, and their base."""

    probes: Mapping[str, Probe]
    """The ones whose keys and types are right."""
    names: Mapping[str, Iterable[str]]
    """The ids of `probes`, `checks` and `schemas`, right or not, so that a mistake is told once;
    and the `tags` of all checks."""


def flaws(file: CheckFile, world: World) -> Iterator[Flaw]:
    """Everything in a file that refers to something that is not there."""
    taught = teachers(world.probes.values())
    for id_, probe in file.probes.items():
        path: Path = ("probes", id_)
        yield from _unknown("probe", probe.needs, world.names["probes"], (*path, "needs"))
        yield from _unknown("capability", probe.requires, taught, (*path, "requires"))
        for id_of_other in explained(probe):
            if id_of_other not in world.names["probes"]:
                hint = suggest(id_of_other, world.names["probes"])
                message = f"unknown probe {quote(id_of_other)}"
                yield Flaw((*path, "when-refused"), message, hint)
        for key, part in sent(probe).items():
            for here, text in texts(part, (*path, key)):
                for name in references(text):
                    yield from _capture(name, world, here)
    for id_, check in file.checks.items():
        path = ("checks", id_)
        yield from _unknown("probe", check.probes, world.names["probes"], (*path, "on"))
        yield from _unmatched("probe", check.also, world, (*path, "also"))
        yield from _unknown("capability", check.requires, taught, (*path, "requires"))
    for id_, profile in file.profiles.items():
        yield from _unmatched("check", profile.checks, world, ("profiles", id_, "checks"))
        yield from _unknown("tag", profile.tags, world.names["tags"], ("profiles", id_, "tags"))
    for path, expect in expectations(file):
        owner = file.checks[str(path[1])].probes if path[0] == "checks" else (str(path[1]),)
        yield from _matchers(expect, [id_ for id_ in owner if id_ in world.probes], world, path)


def _unknown(kind: str, words: Iterable[str], known: Iterable[str], path: Path) -> Iterator[Flaw]:
    for index, word in enumerate(words):
        if word not in known:
            hint = suggest(word, known)
            if kind == "capability":
                hint = hint or "A probe teaches it under `learns`."
            yield Flaw((*path, index), f"unknown {kind} {quote(word)}", hint)


def _unmatched(kind: str, patterns: Iterable[str], world: World, path: Path) -> Iterator[Flaw]:
    """Globs that match nothing."""
    names = world.names[f"{kind}s"]
    for index, pattern in enumerate(patterns):
        if not fnmatch.filter(names, pattern):
            hint = suggest(pattern, names)
            yield Flaw((*path, index), f"no {kind} is called {quote(pattern)}", hint)


def _capture(name: str, world: World, path: Path) -> Iterator[Flaw]:
    id_, dot, wanted = name.partition(".")
    if not dot:
        return
    if id_ not in world.names["probes"]:
        hint = suggest(id_, world.names["probes"])
        yield Flaw(path, f"{_reference(name)} repeats the unknown probe {quote(id_)}", hint)
    elif id_ in world.probes and wanted not in world.probes[id_].captures:
        hint = suggest(wanted, world.probes[id_].captures)
        yield Flaw(path, f"probe {quote(id_)} captures no {quote(wanted)}", hint)


def _matchers(expect: Expect, on: list[str], world: World, path: Path) -> Iterator[Flaw]:
    """An expectation may repeat what its probes were filled with, and nothing else."""
    for key, part in structs.asdict(expect).items():
        if key in ("verdict", "because"):
            continue
        for here, text in texts(part, (*path, key.replace("_", "-"))):
            for name in references(text):
                yield from _repeated(name, on, world, here)


def _repeated(name: str, on: list[str], world: World, path: Path) -> Iterator[Flaw]:
    if name != "model" and name.partition(":")[0] != "token":
        hint = "An expectation can repeat `${model}`, `${token}` and `${token:NAME}`."
        yield Flaw(path, f"{_reference(name)} cannot stand in an expectation", hint)
        return
    for id_ in on:
        if name not in _filled(world.probes[id_]):
            yield Flaw(path, f"probe {quote(id_)} sends no {_reference(name)}")


def _reference(name: str) -> str:
    return quote(f"${{{name}}}")


def _filled(probe: Probe) -> set[Any]:
    return set(references(list(sent(probe).values())))
