"""Reading a baseline: every mistake with its line, in the words of check files."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from metaio_verify.baseline.model import TO_BE_CHANGED, Baseline, BaselineFile, KnownDeviation
from metaio_verify.errors import Problem, UserError
from metaio_verify.suite import grammar
from metaio_verify.suite.read import MAX_FLAWS
from metaio_verify.suite.shape import flaws
from metaio_verify.suite.source import Flaw, Source
from metaio_verify.suite.syntax import Node, parse
from metaio_verify.suite.words import printable, quote
from metaio_verify.textfile import read_text

KIND = "a baseline"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_GLOB = re.compile(r"[*?\[\]]")


def read(path: Path, *, may_be_missing: bool = False) -> Baseline:
    """Read a baseline file; one that is missing is empty where that is allowed.

    Raises:
        UserError: it cannot be read, or with every mistake in it.

    """
    shown = printable(str(path))
    if may_be_missing and not path.exists():
        return Baseline(shown, file=path)
    text = read_text(path, missing="`--update-baseline` writes one.", pipes=True)
    return replace(parse_baseline(text, shown), file=path)


def parse_baseline(text: str, path: str) -> Baseline:
    """Read the text of a baseline; raises as `read`."""
    root, problems = parse(text, path, KIND)
    if problems:
        raise UserError(*problems)
    if root is None:
        return Baseline(path)
    source = Source(path, root)
    found = list(itertools.islice(flaws(root, BaselineFile), MAX_FLAWS))
    # What has the wrong type is told first; the sense of the rest cannot be asked for then.
    entries = [] if found else msgspec.convert(root.plain(), BaselineFile).waivers
    waivers = tuple(
        KnownDeviation(
            check=entry.check,
            model=entry.model,
            reason=" ".join(entry.reason.split()),
            expires=_day(entry.expires) or dt.date.min,
            place=source.place(("waivers", index)),
        )
        for index, entry in enumerate(entries)
    )
    if not found:
        found = list(
            itertools.islice(_senseless(BaselineFile(waivers=entries), waivers), MAX_FLAWS)
        )
    if found:
        raise UserError(*sorted(map(source.problem, found), key=Problem.position))
    return Baseline(path, waivers)


def items(root: Node | None) -> list[Node]:
    """The nodes of the waivers, for whoever adds to them."""
    entries = root.value if root is not None else None
    entry = entries.get("waivers") if isinstance(entries, dict) else None
    value = entry.node.value if entry is not None else None
    return value if isinstance(value, list) else []


def is_unchanged(reason: str) -> bool:
    """Whether a reason says nothing: it is empty, or still what the stub says."""
    return _letters(reason) in ("", _letters(TO_BE_CHANGED))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _senseless(file: BaselineFile, waivers: tuple[KnownDeviation, ...]) -> Iterator[Flaw]:
    """What has the right type and makes no sense."""
    first: dict[tuple[str, str | None], int | None] = {}
    for index, (entry, waiver) in enumerate(zip(file.waivers, waivers, strict=True)):
        path = ("waivers", index)
        if _GLOB.search(entry.check):
            hint = "Name each check in full: a pattern would also waive what breaks tomorrow."
            yield Flaw((*path, "check"), f"{quote(entry.check)} is a pattern", hint)
        elif not grammar.CHECK_ID.fullmatch(entry.check):
            hint = "For instance `streaming.no-done-sentinel`; `metaio-verify checks list` has all."
            yield Flaw((*path, "check"), f"{quote(entry.check)} is not the id of a check", hint)
        if entry.model == "":
            yield Flaw((*path, "model"), "is empty", "Leave it out for every model.")
        if is_unchanged(entry.reason):
            said = f"still says {quote(entry.reason)}" if entry.reason.strip() else "is empty"
            hint = "Say why this is accepted: a decision, a ticket, a person."
            yield Flaw((*path, "reason"), said, hint)
        if _day(entry.expires) is None:
            hint = "Write the last day on which it is accepted, as `2027-01-31`."
            yield Flaw((*path, "expires"), f"{quote(entry.expires)} is not a day", hint)
        for key, text in (("reason", entry.reason), ("model", entry.model or "")):
            if not text.replace("\n", "").isprintable():
                said = f"{quote(text)} holds a character that cannot be printed"
                yield Flaw((*path, key), said)
        if waiver.key in first:
            hint = f"It stands already in line {first[waiver.key]}."
            yield Flaw(path, f"a second waiver of {quote(entry.check)}", hint)
        first.setdefault(waiver.key, waiver.place.line)


def _day(text: str) -> dt.date | None:
    # `fromisoformat` alone would also take weeks and dates without dashes.
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
