"""The target of a run: where requests go, and with which credential."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from metaio_verify.errors import Problem, UserError

_MISTAKES = ("/v1/messages", "/v1")
_KEY = re.compile(r"[\x21-\x7e]+")


class BaseUrl(Struct, frozen=True):
    """An Anthropic-style base URL, to which clients append `/v1/messages`."""

    origin: str
    """Scheme, host and port."""
    prefix: str
    """The path below which the API lives; empty, or `/…` without a trailing slash."""

    def __str__(self) -> str:
        return self.origin + self.prefix

    @property
    def host(self) -> str:
        """The name or the address of the host alone."""
        return urlsplit(self.origin).hostname or ""

    def below(self, path: str) -> str:
        """The URL of an API path."""
        return f"{self.origin}{self.prefix}{path}"

    def without_mistake(self) -> BaseUrl | None:
        """The URL without the `/v1` that clients append by themselves; none if there is none."""
        for mistake in _MISTAKES:
            if self.prefix.endswith(mistake):
                return BaseUrl(self.origin, self.prefix.removesuffix(mistake).rstrip("/"))
        return None


@dataclass(frozen=True)
class Credential:
    """A secret. Its representation never shows it."""

    secret: str = field(repr=False)

    def __str__(self) -> str:
        return "[redacted]"


def parse_base_url(text: str) -> BaseUrl:
    """Read a base URL as clients do: a trailing slash is dropped.

    Raises `UserError` when it is none, or when it holds a credential, a query or a fragment. The
    message repeats the text only when it cannot hold a secret.
    """
    if "@" in text.rpartition("://")[2].partition("/")[0]:
        raise _bad(
            "the base URL holds a user name or password",
            "give the credential with --api-key or in ANTHROPIC_API_KEY, and the URL without it",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _bad(
            "the base URL is not a URL", "for instance https://gateway.example.com"
        ) from None
    if parts.query or parts.fragment:
        raise _bad("the base URL has a query or a fragment", "end it after the path")
    if re.search(r"[\s\"'<>\\^`{|}\x00-\x1f\x7f]", text):
        raise _bad(
            f"the base URL {text!r} holds a space, a quote or another character that no URL has",
            "remove the quotes and spaces around it",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad(f"{text!r} is not a base URL", _scheme_hint(text, parts))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    return BaseUrl(f"{parts.scheme}://{authority}", parts.path.rstrip("/"))


def parse_credential(text: str) -> Credential:
    """Check that a key can be sent as a header value; the message never shows it."""
    if not text:
        raise _bad("the API key is empty", "set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN")
    if text.lower().startswith("bearer "):
        raise _bad("the API key starts with “Bearer ”", "give the key alone")
    if not _KEY.fullmatch(text):
        raise _bad(
            "the API key holds a space, a line break or a non-ASCII character",
            "it was probably copied with something around it; give the key alone",
        )
    return Credential(text)


def _scheme_hint(text: str, parts: SplitResult) -> str:
    if "://" not in text and (parts.path or parts.scheme):
        local = text.startswith(("localhost", "127.", "[::1]"))
        return f"write the scheme: {'http' if local else 'https'}://{text}"
    return "it starts with https:// or http:// and names a host"


def _bad(message: str, hint: str) -> UserError:
    return UserError(Problem(message, hint=hint))
