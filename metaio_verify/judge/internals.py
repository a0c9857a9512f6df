"""What an answer must not tell of the inside of a server: found, and masked.

A mask keeps what helps to find the leak (`[masked key sk-pro…]`) and is found like the leak itself,
so that a record whose leaks are masked is judged like the answer was. Every pattern takes time in
proportion to the text, as the text is the server's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from metaio_verify.judge.wording import short

LONGEST = 256 * 1024
"""Characters of one text that are looked at."""

_EXCERPT = 60
_KEPT = 6
"""So many characters of another's secret are shown: enough to find it, of no use to a reader."""
_OWN = "metaio-verify"
"""Part of every made-up key that the program sends."""

_TRACE = re.compile(
    r"""  Traceback\ \(most\ recent\ call\ last\)
      |   \bFile\ "[^"\n]{1,400}",\ line\ \d+
      |   ^[ \t]{1,40}at\ [^\n]{0,400}:\d+\)?$
      |   \bgoroutine\ \d+\ \[
    """,
    re.VERBOSE | re.MULTILINE,
)
_PATH = re.compile(
    r"""  (?<![\w/:.-])/(?:usr|home|root|opt|var|app|srv|etc|tmp|mnt|Users|workspace)/[\w.@+/-]+
      |   \b[A-Za-z]:\\+(?:Users|Windows|Program|inetpub)\b[\w\\.-]*
    """,
    re.VERBOSE,
)
_KEY = re.compile(
    r"""  \bsk-[A-Za-z0-9_-]{12,}
      |   \bAIza[A-Za-z0-9_-]{30,}
      |   \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
      |   \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}
      |   \bxox[abeprs]-[\w-]{10,} | \bhf_[A-Za-z0-9]{20,} | \bgsk_[A-Za-z0-9]{20,}
      |   \bya29\.[\w-]{20,}
      |   -----BEGIN\ [A-Z ]{0,20}PRIVATE\ KEY-----[^-]*(?:-----END\ [A-Z ]{0,20}KEY-----)?
      |   (?i:aws_secret_access_key)[^\w]{1,5}[A-Za-z0-9/+=]{40}
    """,
    re.VERBOSE,
)
_KEY_SIGNS = (
    *("sk-", "AIza", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "xox", "hf_", "gsk_", "ya29.", " KEY-----"),
)
"""What every key holds; looking for a literal is many times faster than for the pattern."""
_KEY_LABEL = "aws_secret_access_key"
_TOKEN = re.compile(
    r"\b[0-9a-f]{64}\b|(?<![\w-])eyJ[\w-]{10,2000}\.[\w-]{10,4000}\.[\w-]{10,}",
)
"""What is a secret in an error, but may be an id or a cursor elsewhere."""
_ACCOUNT = re.compile(r"\barn:aws[a-z-]*:[\w:/.*-]+")
_HOST = re.compile(
    r"""  (?<![\w.-])(?:
              10(?:\.\d{1,3}){3} | 192\.168(?:\.\d{1,3}){2} | 127(?:\.\d{1,3}){3}
          |   172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2} | localhost(?=:\d)
          |   (?:[a-z0-9-]{1,63}\.){1,10}(?:internal|local|lan|svc|corp|intranet)
          )\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MASK = re.compile(
    r"\[masked (stack trace|file path|key|account id|internal host)(?: ([^\]\n]{0,80}))?\]"
)


class Leak(NamedTuple):
    """Something of the inside, and what may be shown of it."""

    kind: str
    excerpt: str
    start: int
    end: int


def leaks(text: str, own_host: str) -> list[Leak]:
    """The first leak of each kind, masked ones too; `own_host` is no secret."""
    first: dict[str, Leak] = {}
    for leak in (*_masked(text[:LONGEST]), *_raw(text[:LONGEST], own_host)):
        if leak.kind not in first or leak.start < first[leak.kind].start:
            first[leak.kind] = leak
    return sorted(first.values(), key=lambda leak: _ORDER.index(leak.kind))


def mask_keys(text: str) -> str:
    """The text without keys of others."""
    if not any(sign in text for sign in _KEY_SIGNS) and _KEY_LABEL not in text.lower():
        return text
    return _KEY.sub(lambda found: _mark("key", _key_excerpt(found[0]), found[0]), text)


def mask_all(text: str, own_host: str) -> str:
    """The text without anything of the inside: for errors, which have no use for it."""
    pieces, end = [], 0
    for leak in sorted(_raw(text, own_host), key=lambda leak: (leak.start, -leak.end)):
        if leak.start < end:
            continue
        pieces += [text[end : leak.start], _mark(leak.kind, leak.excerpt)]
        # A stack trace has no end that could be told from what follows.
        end = len(text) if leak.kind == "stack trace" else leak.end
    return "".join([*pieces, text[end:]])


def mask_hosts(text: str, own_host: str) -> str:
    """The text without keys and names of hosts: for headers."""
    hosts = _HOST.sub(
        lambda found: (
            found[0]
            if found[0].lower() == own_host.lower()
            else _mark("internal host", _host_excerpt(found[0]))
        ),
        text,
    )
    return mask_keys(hosts)


def _masked(text: str) -> Iterator[Leak]:
    for found in _MASK.finditer(text):
        yield Leak(found[1], found[2] or found[0], *found.span())


def _raw(text: str, own_host: str) -> Iterator[Leak]:
    for kind, pattern, excerpt in _KINDS:
        for found in pattern.finditer(text):
            if kind == "key" and _OWN in found[0]:
                continue
            if kind == "internal host" and found[0].lower() == own_host.lower():
                continue
            yield Leak(kind, excerpt(found[0]), *found.span())


def _mark(kind: str, excerpt: str, found: str = "") -> str:
    if _OWN in found:
        return found
    return f"[masked {kind}]" if kind == "stack trace" else f"[masked {kind} {excerpt}]"


def _key_excerpt(key: str) -> str:
    return f"{key[:_KEPT]}…"


def _path_excerpt(path: str) -> str:
    parts = re.split(r"[/\\]+", path)
    return f"{parts[0]}/{parts[1]}/…" if len(parts) > 1 else "…"


def _host_excerpt(host: str) -> str:
    first, _, rest = host.partition(".")
    return f"{first}.…" if first.isdigit() else f"….{rest.rpartition('.')[2] or first}"


def _account_excerpt(account: str) -> str:
    return f"{short(':'.join(account.split(':')[:3]), _EXCERPT)}:…"


_KINDS: tuple[tuple[str, re.Pattern[str], Callable[[str], str]], ...] = (
    ("stack trace", _TRACE, lambda trace: short(trace.strip().partition('"')[0], _EXCERPT)),
    ("key", _KEY, _key_excerpt),
    ("key", _TOKEN, _key_excerpt),
    ("account id", _ACCOUNT, _account_excerpt),
    ("file path", _PATH, _path_excerpt),
    ("internal host", _HOST, _host_excerpt),
)
_ORDER = ("stack trace", "file path", "key", "account id", "internal host")
