"""Rules about what an answer must not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, deviation, each, rule
from metaio_verify.judge.wording import short
from metaio_verify.record import Finding, Target

_LONGEST = 60
_KEPT = 6
"""So many characters of another's secret are shown: enough to find it, of no use to a reader."""

_TRACES = re.compile(
    r"""  Traceback\ \(most\ recent\ call\ last\)
      |   \bFile\ "[^"\n]+",\ line\ \d+
      |   ^\s+at\ [^\n]*:\d+\)?$
      |   \bgoroutine\ \d+\ \[
    """,
    re.VERBOSE | re.MULTILINE,
)
_PATHS = re.compile(
    r"""  (?<![\w/:.-])/(?:usr|home|root|opt|var|app|srv|etc|tmp|mnt|Users|workspace)/[\w.@+-]+
      |   \b[A-Za-z]:\\+(?:Users|Windows|Program|inetpub)\b
    """,
    re.VERBOSE,
)
_SECRETS = re.compile(r"\bsk-[A-Za-z0-9_-]{12,}|\b[0-9a-f]{64}\b|\bAKIA[0-9A-Z]{16}\b")
_ACCOUNTS = re.compile(r"\barn:aws[a-z-]*:[\w:/.*-]+")
_HOSTS = re.compile(
    r"""  \b(?: 10(?:\.\d{1,3}){3} | 192\.168(?:\.\d{1,3}){2} | 127(?:\.\d{1,3}){3}
          | 172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2} | localhost(?=:\d)
          | (?:[a-z0-9-]+\.)+(?:internal|local|lan|svc|corp|intranet) )\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MADE_UP = re.compile(r"sk-[\w-]*metaio-verify[\w-]*")
_OWN = "metaio-verify"
"""Part of every made-up key that the program sends."""


@rule
def no_credential_echo(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer repeats the credential, neither in a header nor in its body."""
    return [
        deviation(evidence, "no credential", "the credential of the request", place)
        for evidence in each(answers)
        for place in (*evidence.exchange.leaks, *_echoes(evidence))
    ]


def _echoes(evidence: Evidence) -> Iterator[str]:
    """Where an answer repeats the made-up key of its request, which the record does not hide."""
    values = [value.rpartition(" ")[2] for _, value in evidence.exchange.request.headers]
    for key in (value for value in values if _MADE_UP.fullmatch(value)):
        yield from (
            f"header {name}"
            for name, lines in evidence.headers.items()
            if any(key in line for line in lines)
        )
        if key in evidence.body_text:
            yield "body"


@rule
def no_internal_leak(
    answers: Answers, _args: Mapping[str, Any], target: Target, _model: str | None
) -> list[Finding]:
    """No error shows stack traces, file paths, keys, account ids or hosts of the inside."""
    own_host = urlsplit(target.base_url).hostname or ""
    findings = []
    for evidence in each(answers):
        if evidence.succeeded and evidence.value("error") is None:
            continue
        text = "\n".join(_strings(evidence))
        for what, excerpt in _leaks(text, own_host):
            findings.append(deviation(evidence, f"no {what}", excerpt, "body"))
    return findings


def _leaks(text: str, own_host: str) -> Iterator[tuple[str, str]]:
    """Find the first leak of each kind, with an excerpt that gives away no more than needed."""
    for what, pattern in (("stack trace", _TRACES), ("file path", _PATHS)):
        if found := pattern.search(text):
            yield what, short(found[0].strip(), _LONGEST)
    for found in _SECRETS.finditer(text):
        if _OWN not in found[0]:
            yield "key", f"{found[0][:_KEPT]}…"
            break
    if found := _ACCOUNTS.search(text):
        service = ":".join(found[0].split(":")[:3])
        yield "account id", f"{short(service, _LONGEST)}:…"
    for found in _HOSTS.finditer(text):
        if found[0].lower() != own_host.lower():
            yield "internal host", short(found[0], _LONGEST)
            break


def _strings(evidence: Evidence) -> Iterator[str]:
    """Return every string of the document, or the body when it is no JSON."""
    if not evidence.has_document:
        yield evidence.body_text
        return
    open_values = [evidence.document]
    while open_values:
        value = open_values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            open_values += reversed(value)
        elif isinstance(value, dict):
            open_values += reversed(value.values())
