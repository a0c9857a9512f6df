"""A curl command that sends a recorded request again, byte for byte, without the credential.

The command is for a POSIX shell. Where the credential stood it reads `$ANTHROPIC_API_KEY`; keys
that were wrong on purpose are sent as they were.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from msgspec import Struct

from metaio_verify.record import REDACTED, Exchange
from metaio_verify.report.text import COMMAND, safe

VARIABLE = "ANTHROPIC_API_KEY"
"""What the command reads the credential from."""

LONGEST_INLINE = 600
"""Characters of a body that stands in the command itself."""

_BODY_FILE = "body.json"
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_PLAIN_IN_QUOTES = re.compile(r"[A-Za-z0-9_@%+=:,./ ?&-]*")
_ITS_OWN = frozenset({"host", "content-length", "connection"})
"""Header lines that curl derives from the request itself."""
_CURL_ADDS = ("accept", "user-agent")
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_LARGE = 1024 * 1024


class Replay(Struct, frozen=True):
    """A command, in pieces that belong on one line each, and how to get its body file."""

    arguments: tuple[str, ...]
    """Quoted for the shell; the first is `curl …`."""
    body_file: str = ""
    """A command that writes the body file from the run record `run.json`; mostly empty."""

    def __str__(self) -> str:
        return " \\\n  ".join(self.arguments)


def replay(exchange: Exchange) -> Replay:
    """Return the command that fires an exchange's request again."""
    request = exchange.request
    has_body = bool(request.body) or request.method == "POST"
    arguments = [f"curl {_options(exchange)} {_quote(_encoded(request.url))}"]
    if request.method not in ("GET", "HEAD", "POST"):
        arguments.append(f"-X {_quote(request.method)}")
    arguments += _headers(exchange, has_body=has_body)
    if not has_body:
        return Replay(tuple(arguments))
    if _fits(request.body) and not request.padding:
        # `--data-binary @…` would read a file.
        option = "--data-raw" if request.body.startswith("@") else "--data-binary"
        return Replay((*arguments, f"{option} {_quoted(request.body)}"))
    query = f".exchanges[] | select(.id == {json.dumps(exchange.id)}) | .request.body"
    body = f"jq -j {_quote(query)} run.json"
    if request.padding:
        body = f"{{ {body}; head -c {request.padding} /dev/zero | tr '\\0' ' '; }}"
    return Replay(
        (*arguments, f"--data-binary @{_BODY_FILE}"),
        body_file=f"{body} > {_BODY_FILE}",
    )


def _options(exchange: Exchange) -> str:
    """-i shows status and headers, -N the events as they come, -g keeps brackets in the URL."""
    request = exchange.request
    options = ["-sS", "-I" if request.method == "HEAD" else "-i"]
    if _streams(exchange):
        options.append("-N")
    if any(sign in request.url for sign in "[]{}"):
        options.append("-g")
    if request.url.startswith("https:") and _answered_in(exchange, "HTTP/1.1"):
        options.append("--http1.1")
    if any(name.lower() == "accept-encoding" for name, _ in request.headers):
        options.append("--compressed")
    return " ".join(options)


def _answered_in(exchange: Exchange, version: str) -> bool:
    return exchange.response is not None and exchange.response.http_version == version


def _streams(exchange: Exchange) -> bool:
    answer = exchange.response.headers if exchange.response else []
    return (
        any(n.lower() == "content-type" and "event-stream" in v.lower() for n, v in answer)
        or re.search(r'"stream"\s*:\s*true', exchange.request.body) is not None
    )


def _headers(exchange: Exchange, *, has_body: bool) -> list[str]:
    request = exchange.request
    sent = {name.lower() for name, _ in request.headers}
    lines = [
        # With a colon and no value curl would leave the header out.
        f"-H {_quote(f'{name}: {value}' if value else f'{name};')}"
        for name, value in request.headers
        if name.lower() not in _ITS_OWN
    ]
    added = [*_CURL_ADDS, *(["content-type"] if has_body else [])]
    if len(request.body) + request.padding >= _LARGE:
        added.append("expect")
    return lines + [f"-H '{name}:'" for name in added if name not in sent]


def _fits(body: str) -> bool:
    return len(body) <= LONGEST_INLINE and "\0" not in body


def _encoded(url: str) -> str:
    """Percent-encode what may not stand in a URL, as the client did; the key's mark stays."""
    return REDACTED.join(quote(part, safe=_URL_SAFE) for part in url.split(REDACTED))


def _quote(text: str) -> str:
    """Quote an argument; the credential's mark becomes the variable that holds it."""
    parts = text.split(REDACTED)
    if len(parts) == 1:
        return _quoted(text)
    if all(map(_PLAIN_IN_QUOTES.fullmatch, parts)):
        joined = f"${{{VARIABLE}}}".join(parts)
        return '"' + re.sub(rf"\$\{{{VARIABLE}\}}(?!\w)", f"${VARIABLE}", joined) + '"'
    return f'"${VARIABLE}"'.join(_quoted(part) if part else "" for part in parts)


def _quoted(text: str) -> str:
    """Quote for a POSIX shell; what a terminal or a log would act on is written in `$'…'`."""
    if _PLAIN.fullmatch(text):
        return text
    if safe(text, len(text)) == text:
        return "'" + text.replace("'", "'\\''") + "'"
    alive = {found.start() for found in COMMAND.finditer(text)}
    signs = (_octal(sign) if at in alive else _ansi_c(sign) for at, sign in enumerate(text))
    return "$'" + "".join(signs) + "'"


def _ansi_c(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return _octal(character)


def _octal(character: str) -> str:
    # Three octal digits never swallow a digit that follows, as hexadecimal ones may.
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogatepass"))
