"""What is left of a part with a mistake, so that the rest of it is judged all the same."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from metaio_verify.suite.merge import with_ids
from metaio_verify.suite.model import CheckFile
from metaio_verify.suite.source import Flaw, Path

_KINDS: Final = ("probes", "checks", "profiles")
_STAND_INS: Final = {
    **dict.fromkeys(("title", "purpose", "source", "fix", "because"), "…"),
    "level": "must",
    "verdict": "note",
    "contract": "X-01",
    "breaks": {},
}
"""What takes the place of a key that is missing, where nothing else depends on it."""
_MISSING: Final = re.compile(
    r"missing required field `(?P<key>[^`]+)`"
    r"(?: - at `\$\.\w+\[\.\.\.\](?:\.(?P<within>[\w-]+)[^`]*)?`)?$"
)
_MOST = 20
"""So many missing keys of one part are dealt with."""


def remains(raw: dict[str, Any], flaws: Iterable[Flaw]) -> CheckFile:
    """Return the flawed parts of a file without what is wrong with them; of some, nothing is left.

    Args:
        raw: the file as plain data
        flaws: what is wrong with its keys and types

    """
    by_part: dict[tuple[str, str], list[Flaw]] = {}
    for flaw in flaws:
        if len(flaw.path) > 1 and flaw.path[0] in _KINDS:
            by_part.setdefault((str(flaw.path[0]), str(flaw.path[1])), []).append(flaw)
    found = CheckFile()
    for (kind, id_), its in by_part.items():
        part = raw[kind].get(id_)
        if isinstance(part, dict):
            getattr(found, kind).update(_sound(kind, id_, copy.deepcopy(part), its))
    return found


def is_consequence(flaw: Flaw, of: Sequence[Flaw]) -> bool:
    """Whether a mistake is about something from which one of these was taken out."""
    own = _place(flaw)
    return any(_place(one)[: len(own)] == own for one in of)


def _place(flaw: Flaw) -> Path:
    return flaw.path if flaw.key is None else (*flaw.path, flaw.key)


def _sound(kind: str, id_: str, part: dict[str, Any], flaws: Iterable[Flaw]) -> dict[str, Any]:
    for flaw in flaws:
        if flaw.lacks:
            continue
        # Without its wrong item a list would number the others anew, so it goes as a whole.
        path = list(_place(flaw)[2:])
        while path and isinstance(path[-1], int):
            path.pop()
        if not path:
            return {}
        _take_out(part, path)
    for _ in range(_MOST):
        try:
            whole = msgspec.convert(with_ids({kind: {id_: part}}), CheckFile)
        except msgspec.ValidationError as error:
            missing = _MISSING.search(str(error))
            if missing is None or not _fill(part, missing["key"], missing["within"]):
                return {}
        else:
            return dict(getattr(whole, kind))
    return {}


def _take_out(part: Any, path: Sequence[str | int]) -> None:
    *way, last = path
    for step in way:
        is_there = step in part if isinstance(part, dict) else isinstance(part, list)
        if not is_there:
            return
        part = part[step]
    if isinstance(part, dict):
        part.pop(last, None)


def _fill(part: dict[str, Any], key: str, within: str | None) -> bool:
    """Deal with a missing key; false when the part is nothing without it."""
    inner = part if within is None else part.get(within)
    lacking = [
        one
        for one in (inner if isinstance(inner, list) else [inner])
        if isinstance(one, dict) and key not in one
    ]
    if key in _STAND_INS and lacking:
        for one in lacking:
            one[key] = _STAND_INS[key]
        return True
    return within is not None and part.pop(within, None) is not None
