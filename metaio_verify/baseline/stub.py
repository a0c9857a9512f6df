"""`--update-baseline`: adds a waiver for what fails now, and touches nothing that stands there."""

from __future__ import annotations

import datetime as dt
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from metaio_verify.baseline.model import TO_BE_CHANGED, Baseline
from metaio_verify.baseline.read import KIND, items
from metaio_verify.errors import Place, Problem, UserError
from metaio_verify.outcome import fails
from metaio_verify.record import RunRecord
from metaio_verify.report import files
from metaio_verify.report.group import info_of
from metaio_verify.report.text import safe
from metaio_verify.suite.syntax import parse
from metaio_verify.suite.words import printable
from metaio_verify.verdict import Level

DAYS = 90
"""How long a new waiver is good for, unless somebody writes another day."""

_HEADER = """\
# Deviations that may stay for a while: metaio-verify check --baseline FILE
# Each entry names one check, a reason, and the last day on which it is accepted. An entry whose
# day has passed, or whose check does not deviate any more, fails the run.
waivers:
"""
_DASH = re.compile(r"( *)- +")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z][\w./@+-]*", re.ASCII)
_BOM = "\ufeff"


class Addition(NamedTuple):
    """A waiver to be written."""

    check: str
    model: str | None
    level: Level
    title: str


def additions(record: RunRecord, baseline: Baseline) -> list[Addition]:
    """Return a waiver for each failure that has none.

    A check that fails with every model is waived as such, otherwise for each model that fails.
    What has an expired waiver is left out: its entry stands there already.
    """
    known = {waiver.key for waiver in baseline.waivers}
    strict = record.selection.strict
    found: list[Addition] = []
    for check in dict.fromkeys(one.check for one in record.verdicts):
        judged = [one for one in record.verdicts if one.check == check]
        failing = [one for one in judged if fails(one, strict=strict)]
        models: list[str | None] = [one.model for one in failing]
        waived = any((check, model) in known for model in [None, *models])
        if len(failing) == len(judged) and not waived:
            models = [None]
        title = safe(info_of(record, check).title)
        found += [
            Addition(check, model, failing[0].level, title)
            for model in dict.fromkeys(models)
            if (check, model) not in known and (check, None) not in known
        ]
    return found


def update(path: Path, new: Sequence[Addition], today: dt.date) -> list[Addition]:
    """Write the waivers to the end of the file, at once; a file that is not there is made.

    Returns what was added: not what somebody else has added since the file was read.

    Raises:
        UserError: the file has a mistake, or a form that cannot be added to; it says what to add.

    """
    expires = today + dt.timedelta(days=DAYS)
    try:
        raw = path.read_bytes().decode() if path.exists() else ""
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(Problem(f"cannot be read: {reason}", _place(path))) from None
    mark, text = (_BOM, raw[1:]) if raw.startswith(_BOM) else ("", raw)
    missing = _missing(text, new, _place(path).path)
    if missing:
        changed = added(text, missing, expires, _place(path).path)
        files.write(path, mark + changed, mode)
    return missing


def start(path: Path) -> bool:
    """Write a baseline without waivers where there is no file, so that the next run finds one."""
    if path.exists():
        return False
    files.write(path, _HEADER.rstrip("\n") + " []\n")
    return True


def _missing(text: str, new: Sequence[Addition], path: str) -> list[Addition]:
    """Those that do not stand in the text yet, whatever the reason there is."""
    root, problems = parse(text, path, KIND)
    if problems:
        raise UserError(*problems)
    there = [item.plain() for item in items(root)]
    known = {(one.get("check"), one.get("model")) for one in there if isinstance(one, dict)}
    return [one for one in new if not {(one.check, one.model), (one.check, None)} & known]


def added(text: str, new: Sequence[Addition], expires: dt.date, path: str) -> str:
    """Return the text of a baseline with waivers added behind the last one.

    Raises:
        UserError: the text has a mistake, or a form that cannot be added to.

    """
    root, problems = parse(text, path, KIND)
    if problems:
        raise UserError(*problems)
    before = [item.plain() for item in items(root)]
    base, indent = _opened(text, root is None)
    if before:
        first = items(root)[0]
        line = text.splitlines()[first.line - 1]
        dash = _DASH.fullmatch(line[: first.column - 1])
        indent = dash[1] if dash else indent
    if base and not base.endswith("\n"):
        base += "\n"
    changed = base + "".join(_entry(one, expires, indent) for one in new)
    if "\r\n" in text:
        changed = re.sub(r"(?<!\r)\n", "\r\n", changed)
    if _waivers(changed, path) != [*before, *(_plain(one, expires) for one in new)]:
        entries = "".join(_entry(one, expires, "  ") for one in new)
        raise UserError(
            Problem(
                "the waivers are not written as a list with one `-` line each, so none was added",
                Place(path),
                f"Add these by hand:\n{entries}",
            )
        )
    return changed


def _opened(text: str, empty: bool) -> tuple[str, str]:  # noqa: FBT001 - the two sides of one thing
    """The text with a list that can be added to, and the indentation of a first entry."""
    if empty:
        end = "" if not text or text.endswith("\n") else "\n"
        return (f"{text}{end}waivers:\n" if text.strip() else _HEADER), "  "
    return re.sub(r"^(waivers:)[ \t]*\[[ \t]*\]", r"\1", text, count=1, flags=re.MULTILINE), "  "


def _entry(one: Addition, expires: dt.date, indent: str) -> str:
    data = _plain(one, expires)
    lines = [f"{key}: {_scalar(value)}" for key, value in data.items()]
    body = "".join(
        f"{indent}{'- ' if number == 0 else '  '}{line}\n" for number, line in enumerate(lines)
    )
    return f"{indent}# {one.level}: {one.title}\n{body}"


def _plain(one: Addition, expires: dt.date) -> dict[str, str]:
    model = {} if one.model is None else {"model": one.model}
    return {"check": one.check, **model, "reason": TO_BE_CHANGED, "expires": expires.isoformat()}


def _scalar(text: str) -> str:
    """A text as YAML: plain where that is safe, else in quotes, which are those of JSON."""
    is_plain = _PLAIN.fullmatch(text) or text == TO_BE_CHANGED or _DAY.fullmatch(text)
    if is_plain and text.lower() not in ("true", "false", "null") and not _is_number(text):
        return text
    return msgspec.json.encode(text).decode()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _waivers(text: str, path: str) -> object:
    root, problems = parse(text, path, KIND)
    return None if problems or root is None else root.plain().get("waivers")


def _place(path: Path) -> Place:
    return Place(printable(str(path)))
