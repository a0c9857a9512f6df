"""A secret whose characters are escaped, as JSON, URLs, HTML and shells do, in one text also mixed.

Most text has escapes and no secret. It is read once without them, which is fast; the pattern that
finds the place is large, and is only made where there is one.
"""

from __future__ import annotations

import re
from functools import cached_property

ESCAPE = re.compile(rb"[\\%&]")
"""What every escape begins with."""

_FORMS = {
    b"\\": re.compile(rb"(?:[uU]00|[xX])([0-9a-fA-F]{2})"),
    b"%": re.compile(rb"([0-9a-fA-F]{2})"),
    b"&": re.compile(rb"#(?:[xX]0{0,4}([0-9a-fA-F]{2})|0{0,4}([0-9]{1,3}));"),
}
"""The sign that begins an escape → the rest of it: a hexadecimal number, or a decimal one."""
_UNAMBIGUOUS = re.compile(
    r"(?!.*(?:x(?:[0-9a-f]{2}|[0-9a-f]?$)|u(?:00[0-9a-f]{2}|0{0,2}[0-9a-f]?$)))"
    r"(?![0-9a-f])[A-Za-z0-9_.~+/=:-]*",
    re.IGNORECASE,
)
"""Secrets of which no part can be taken for an escape, or for the rest of one before it."""
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


class Escaped:
    """Finds one secret in this form."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._plain = secret.lower().encode() if _UNAMBIGUOUS.fullmatch(secret) else None

    def spans(self, text: bytes) -> list[tuple[int, int]]:
        """Where it stands, in order; places where nothing is escaped may be among them."""
        if self._plain is not None and self._plain not in _read(text).lower():
            return []
        return [match.span() for match in self._pattern.finditer(text)]

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        return re.compile(b"".join(map(_sign_pattern, self._secret)), re.IGNORECASE)


def _read(text: bytes) -> bytes:
    """The text with its escapes read; backslashes alone stand for what follows."""
    for sign, form in _FORMS.items():
        # Most text has few escapes, and is cut much faster than a pattern passes over it.
        head, *rest = text.split(sign)
        lone = b"" if sign == b"\\" else sign
        text = head + b"".join(_decoded(part, form) or lone + part for part in rest)
    return text


def _decoded(part: bytes, form: re.Pattern[bytes]) -> bytes:
    """What follows a sign, its escape read; empty when it is none."""
    found = form.match(part)
    if found is None:
        return b""
    hexadecimal = found.lastindex == 1
    number = int(found[found.lastindex or 0], 16 if hexadecimal else 10)
    return bytes([number % 256]) + part[found.end() :]


def _sign_pattern(sign: str) -> bytes:
    code = f"{ord(sign):02x}"
    plain = re.escape(sign)
    forms = [
        rf"\\{{1,4}}(?:u00{code}|x{code}|{plain})",
        f"%{code}",
        f"&#x0{{0,4}}{code};",
        f"&#0{{0,4}}{ord(sign)};",
        *([_NAMED[sign]] if sign in _NAMED else []),
        # Last, as a sign may be the beginning of its own escapes.
        plain,
    ]
    return f"(?:{'|'.join(forms)})".encode()
