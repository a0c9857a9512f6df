"""Every mistake of files that are loaded together, in the order of their lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from metaio_verify.errors import Place, Problem
from metaio_verify.suite import dangling, links, lint, sense
from metaio_verify.suite.merge import headings, merge
from metaio_verify.suite.model import Suite
from metaio_verify.suite.read import MAX_FLAWS, File
from metaio_verify.suite.remains import is_consequence
from metaio_verify.suite.source import KINDS, Flaw
from metaio_verify.suite.words import quote


def audit(files: Sequence[File], base: Suite) -> Iterator[Problem]:
    """What is wrong with files whose YAML could be read, by file and in the order of its lines."""
    together = merge([file.parts for file in files], base)
    names = {
        kind: dict.fromkeys(
            itertools.chain(getattr(base, kind), *(file.ids(kind) for file in files))
        )
        for kind in KINDS
    }
    names["tags"] = dict.fromkeys(tag for c in together.checks.values() for tag in c.tags)
    world = dangling.World(together.probes, names)
    taken = {kind: dict.fromkeys(getattr(base, kind), "the built-in suite") for kind in KINDS}
    areas = dict(base.areas)
    cycles = list(links.cycles(together.probes))
    for file in files:
        left = [
            *sense.flaws(file.remains),
            *dangling.flaws(file.remains, world),
            *lint.flaws(file.remains, together.schemas, names["schemas"]),
        ]
        found = itertools.chain(
            file.flaws,
            (flaw for flaw in left if not is_consequence(flaw, file.flaws)),
            sense.flaws(file.parts),
            _replaced(file, taken, areas),
            dangling.flaws(file.parts, world),
            _cyclic(file, cycles),
            lint.flaws(file.parts, together.schemas, names["schemas"]),
        )
        yield from _in_order(file, found)


def _replaced(
    file: File, taken: dict[str, dict[str, str]], areas: dict[str, str]
) -> Iterator[Flaw]:
    for kind in KINDS:
        for id_ in file.ids(kind):
            if id_ in taken[kind]:
                hint = "Nothing is replaced silently: choose another id."
                yield Flaw((kind, id_), f"stands already in {taken[kind][id_]}", hint)
            taken[kind].setdefault(id_, file.source.path)
    for area, heading in headings(file.parts).items():
        known = areas.setdefault(area, heading)
        if file.parts.area is not UNSET and known != heading:
            yield Flaw(("area",), f"{quote(area)} is already called {quote(known)}")


def _cyclic(file: File, cycles: Iterable[list[str]]) -> Iterator[Flaw]:
    for cycle in cycles:
        here = next((id_ for id_ in cycle if id_ in file.parts.probes), None)
        if here is not None:
            way = " → ".join(map(quote, cycle))
            yield Flaw(("probes", here), f"waits for itself: {way}")


def _in_order(file: File, flaws: Iterator[Flaw]) -> list[Problem]:
    problems = itertools.chain(file.mistakes, map(file.source.problem, flaws))
    told = list(dict.fromkeys(itertools.islice(problems, MAX_FLAWS)))
    told.sort(key=lambda p: (p.place.line or 0, p.place.column or 0) if p.place else (0, 0))
    if next(problems, None) is not None:
        told.append(Problem("and more", Place(file.source.path), "Mend these first."))
    return told
