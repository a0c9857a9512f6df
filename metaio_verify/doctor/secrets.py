"""Showing that a secret is there without showing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from metaio_verify.doctor.names import CUSTOM_HEADERS, SECRETS

_SHORTEST_RECOGNISED = 8
"""Shorter secrets (`none`, `ollama`) occur in ordinary text and cannot be told from it."""
_USER_INFO = re.compile(r"(?<=://)(?:[^/\s@:]*:(?!\d+/)\S*|[^/\s]+)(?=@)")
"""Up to the last @: passwords are often not encoded, as they would have to be."""
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|tok|ghp|xox[bp])[-_][A-Za-z0-9_-]{12,}")
_HIDDEN = "••••"


def mask(secret: str) -> str:
    """Return enough of a secret to recognise it: its first and last few characters at most."""
    if len(secret) >= 24:
        return f"{secret[:6]}…{secret[-4:]}"
    if len(secret) >= 12:
        return f"{secret[:3]}…{secret[-2:]}"
    return _HIDDEN


def shown(name: str, text: str) -> str:
    """Return a variable's value as a report may show it."""
    if not text:
        return "(empty)"
    if name in SECRETS:
        return mask(text)
    if name == CUSTOM_HEADERS:
        return ", ".join(_masked_header(line) for line in text.splitlines() if line.strip())
    return without_user_info(text)


def without_user_info(text: str) -> str:
    """Return a URL with the user name and password in it hidden."""
    return _USER_INFO.sub(_HIDDEN, text)


def in_user_info(url: str) -> list[str]:
    """Return the password of a URL, as it stands there and decoded."""
    found = _USER_INFO.search(url)
    password = found[0].partition(":")[2] if found else ""
    return list(dict.fromkeys(part for part in (password, unquote(password)) if part))


def _masked_header(line: str) -> str:
    name, colon, value = line.partition(":")
    return f"{name.strip()}: {mask(value.strip())}" if colon else mask(line.strip())


class Veil:
    """Takes secrets out of whatever is about to be shown; the last door, behind all others."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_RECOGNISED}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def __call__(self, value: Any) -> Any:
        """Return text, or data with text in it, with each secret masked."""
        match value:
            case str():
                covered = self._known.sub(lambda found: mask(found[0]), value)
                return _KEY_LIKE.sub(lambda found: mask(found[0]), covered)
            case dict():
                return {key: self(item) for key, item in value.items()}
            case list() | tuple():
                return [self(item) for item in value]
        return value
