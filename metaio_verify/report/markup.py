r"""Text for a Markdown page: what a server or a user wrote cannot become markup, HTML or a link.

The signs that mean something to CommonMark, GitHub, Python-Markdown or MDX are escaped in a way
that all of them understand: entities where HTML could begin, backslashes elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from metaio_verify.report.text import safe

_BACKSLASHED = re.compile(r"[\\`*_\[\]{}]")
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "~": "&#126;",
    "$": "&#36;",
    "@": "&#64;",
}
_ENTITY = re.compile(r"[&<>|~$@]")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto)(:)|\b(www)(\.)")
_BLOCK_START = re.compile(r"^([#+=-]|\d{1,9}(?=[.)](?:\s|$)))")
_CODE = re.compile(
    r"`([^`]+)`"  # what its author marked
    r"|(https?://[^\s<>\"'`|]*[\w/])"
    # a name with an underscore, perhaps with its value
    r"|((?<![\w.$-])[\w.$-]*[A-Za-z0-9]_(?:[\w.-]*\w)?(?:=[^\s,;:`|]*\w)?)"
)
_URL = re.compile(r"https?://[^\s<>()\[\]\\`\"'|]+")
_URL_SAFE = "!#$%&*+,/:;=?@~"


def prose(text: str) -> str:
    """Return text that reads the same on the page as in the run record."""
    return _BLOCK_START.sub(_escaped_start, _escaped(safe(text).strip()))


def sentence(text: str) -> str:
    """Return prose with what is code in it as code: marked parts, names with `_`, addresses."""
    shown = safe(text).strip()
    pieces, end = [], 0
    for match in _CODE.finditer(shown):
        pieces += [_escaped(shown[end : match.start()]), code(match[1] or match[0])]
        end = match.end()
    pieces.append(_escaped(shown[end:]))
    return _BLOCK_START.sub(_escaped_start, "".join(pieces))


def _escaped(shown: str) -> str:
    shown = _ENTITY.sub(lambda match: _ENTITIES[match[0]], shown)
    shown = _BACKSLASHED.sub(r"\\\g<0>", shown)
    return _AUTOLINK.sub(_unlinked, shown)


def _unlinked(match: re.Match[str]) -> str:
    """Break the pattern that would make a link; the entity reads as the same sign."""
    scheme, colon, www, dot = match.groups()
    return f"{scheme}&#58;" if colon else f"{www}&#46;" if dot else match[0]


def _escaped_start(match: re.Match[str]) -> str:
    """Keep a line from becoming a heading, a list or a rule."""
    first = match[1]
    return f"&#{ord(first[0])};{first[1:]}"


def code(text: str) -> str:
    """Return a code span that shows the text, whatever backticks it holds."""
    shown = safe(text) or " "
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def cell(text: str) -> str:
    """Return a table cell that shows a value: a code span unless a bar would tear the row."""
    return prose(text) if "|" in text else code(text)


def fence(lines: Iterable[str], language: str = "") -> str:
    """Return a code block; the lines are the program's own or quoted for a shell."""
    body = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def link(url: str) -> str:
    """Return a link if the text is a plain web address, else the text."""
    if not _URL.fullmatch(url):
        return prose(url)
    return f"<{quote(url, safe=_URL_SAFE)}>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the cells are already markup."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(items: Iterable[str]) -> str:
    """Return a list; the items are already markup."""
    return "\n".join(f"- {item}" for item in items)


def shell_word(text: str) -> str:
    """Return a value for a POSIX shell: in double quotes as a person writes it, when that is safe.

    Control characters cannot stand in a value; they appear written out.
    """
    shown = safe(text)
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./ ?&#-]*", shown):
        return f'"{shown}"'
    return "'" + shown.replace("'", "'\\''") + "'"
