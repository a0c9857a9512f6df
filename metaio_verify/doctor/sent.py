"""What Claude Code would send: the credential in its header or headers, and headers of the user's.

`ANTHROPIC_AUTH_TOKEN` goes out as `Authorization: Bearer`, `ANTHROPIC_API_KEY` as `x-api-key`; both
when both are set. The output of an `apiKeyHelper` counts without either, and goes out as both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from metaio_verify.doctor.configuration import Configuration, Value
from metaio_verify.doctor.names import (
    API_KEY,
    AUTH_TOKEN,
    CREDENTIALS,
    CUSTOM_HEADERS,
    HELPER,
)

X_API_KEY = "x-api-key"
AUTHORIZATION = "authorization"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WRAPPING = "\"'“”„‘’`"
_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w*%")
_SAMPLE = re.compile(r"<.*>|(?:sk-)?(?:your[-_ ]|x{3,}|\.{3}|…).*", re.IGNORECASE)


@dataclass(frozen=True)
class Credential:
    """The headers that carry a credential; the name of a header → its secret."""

    secrets: dict[str, str] = field(repr=False)
    names: tuple[str, ...]
    """Where they come from: variables, or the helper."""

    @property
    def styles(self) -> tuple[str, ...]:
        """The headers that are sent."""
        return tuple(self.secrets)

    @property
    def differ(self) -> bool:
        """Whether two headers carry different secrets."""
        return len(set(self.secrets.values())) > 1

    def headers(self) -> dict[str, str]:
        """Return the header lines."""
        return {
            name: f"Bearer {secret}" if name == AUTHORIZATION else secret
            for name, secret in self.secrets.items()
        }

    def only(self, style: str) -> Credential:
        """Return the same with one of its headers."""
        place = self.styles.index(style)
        name = self.names[place] if len(self.names) > place else self.names[0]
        return Credential({style: self.secrets[style]}, (name,))

    def other_style(self) -> Credential:
        """Return the one secret in the header that it was not sent in."""
        (style, secret), *_ = self.secrets.items()
        other = AUTHORIZATION if style == X_API_KEY else X_API_KEY
        return replace(self, secrets={other: secret})


def credential(configuration: Configuration, helped: str | None = None) -> Credential | None:
    """Return the credential that Claude Code would send; `helped` is what the helper printed.

    What is wrapped around a key by mistake is taken off, so that the rest can be tried.
    """
    secrets: dict[str, str] = {}
    names = []
    for name, style in ((AUTH_TOKEN, AUTHORIZATION), (API_KEY, X_API_KEY)):
        secret = bare(configuration.text(name))
        if secret:
            secrets[style] = secret
            names.append(name)
    if not secrets and helped:
        return Credential({X_API_KEY: helped, AUTHORIZATION: helped}, (HELPER, HELPER))
    return Credential(secrets, tuple(names)) if secrets else None


def bare(text: str) -> str:
    """Return a key without the quotes, spaces and the word Bearer that may be around it."""
    while (shorter := _BEARER.sub("", text.strip().strip(_WRAPPING), count=1)) != text:
        text = shorter
    return text


def defect(text: str) -> str | None:
    """Return what is wrong with the text of a key; a clause that goes on after its name."""
    if _REFERENCE.fullmatch(text.strip(_WRAPPING + " ")):
        return "holds the name of a variable instead of its value: nothing replaces it"
    if _SAMPLE.fullmatch(text.strip(_WRAPPING + " ")):
        return "still holds the sample text of a manual"
    inner = text.strip()
    if inner[:1] in _WRAPPING or inner[-1:] in _WRAPPING:
        return "holds the quotes that should have been around it"
    if _BEARER.match(inner):
        return "begins with “Bearer”, which Claude Code adds by itself"
    if "\n" in text or "\r" in text:
        return "holds a line break"
    if any(character.isspace() for character in text):
        return "holds a space"
    if not text.isascii() or not text.isprintable():
        return "holds a character that no key has, perhaps an invisible one"
    return None


def misread(configuration: Configuration) -> list[tuple[Value, str]]:
    """Return the credentials that cannot be right as they stand, and why."""
    values = [value for name in CREDENTIALS if (value := configuration.value(name))]
    return [(value, why) for value in values if (why := defect(value.text))]


@dataclass(frozen=True)
class CustomHeaders:
    """`ANTHROPIC_CUSTOM_HEADERS`, read as Claude Code reads it."""

    pairs: dict[str, str] = field(repr=False)
    broken: tuple[str, ...] = ()
    """What is wrong, without the values."""

    def without(self, names: Sequence[str]) -> CustomHeaders:
        """Return the same without some headers."""
        kept = {name: value for name, value in self.pairs.items() if name.lower() not in names}
        return CustomHeaders(kept, self.broken)


def custom_headers(configuration: Configuration) -> CustomHeaders:
    """Return the further headers: one `Name: Value` a line."""
    pairs: dict[str, str] = {}
    broken = []
    written = [line for line in configuration.text(CUSTOM_HEADERS).split("\n") if line.strip()]
    for number, line in enumerate(written, start=1):
        name, colon, value = line.partition(":")
        why = _header_defect(name.strip(), colon, value.strip())
        if why:
            broken.append(f"line {number} {why}")
        else:
            pairs[name.strip()] = value.strip()
    return CustomHeaders(pairs, tuple(broken))


def _header_defect(name: str, colon: str, value: str) -> str | None:
    if not colon:
        return "has no colon"
    if not _TOKEN.fullmatch(name):
        return "has a name that no header can have"
    if "\\n" in value:
        return "holds a backslash and an n where a line break is meant"
    if any(ord(character) > 0xFF or character in "\r\0" for character in value):
        return "holds a character that no header can carry"
    return None
