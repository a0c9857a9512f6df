"""Rules about the texts by which clients know what they can do without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_REFUSED_FOR_A_FIELD = frozenset({400, 413, 422})
_MUCH = 100_000
"""A refusal of so many output tokens is about them, and not about the length of the prompt."""


class _Topic(NamedTuple):
    """What a refusal is about, and the words that Claude Code looks for then."""

    about: re.Pattern[str]
    wanted: str


_TOO_LONG = _Topic(
    re.compile(
        r"""  \bcontext[ _](?:length|window|size)\b | \bmaximum\ context\b
          |   \b(?:prompt|input)\b[^.]{0,40}\b(?:too\ long|exceeds?)\b
          |   \btoo\ many\ (?:input|prompt)\ tokens\b
        """,
        re.VERBOSE | re.IGNORECASE,
    ),
    "prompt is too long",
)
_ADAPTIVE = _Topic(
    re.compile(r"\badaptive\b", re.IGNORECASE), "adaptive thinking is not supported on this model"
)
_EDITS = _Topic(
    re.compile(r"\bcontext_management\b"), "context_management: Extra inputs are not permitted"
)
_BETA = _Topic(
    re.compile(
        r"\b(?:invalid|unexpected|unknown|unsupported|unrecogni[sz]ed)\b[^.]{0,60}\bbetas?\b",
        re.IGNORECASE,
    ),
    "Unexpected value(s)",
)


@rule
def recoverable_texts(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A 400 about length, adaptive thinking, context edits or a beta value has the known words."""
    findings = []
    seen = False
    for evidence in each(answers):
        message = evidence.value("error", "message")
        if evidence.status not in _REFUSED_FOR_A_FIELD or not isinstance(message, str):
            continue
        for topic in _topics(evidence):
            if topic.about.search(message) is None:
                continue
            seen = True
            if topic.wanted.lower() not in message.lower():
                found = deviation(evidence, topic.wanted, shown(message), "$.error.message")
                findings.append(found)
            break
    if not seen:
        raise NotSeenError("nothing was refused that Claude Code can do without")
    return findings


def _topics(evidence: Evidence) -> Iterator[_Topic]:
    """What a refusal of this very request can be about."""
    try:
        body = decode(evidence.exchange.request.body)
    except NotJSONError:
        return
    if not isinstance(body, dict):
        return
    thinking, limit = body.get("thinking"), body.get("max_tokens")
    if isinstance(thinking, dict) and thinking.get("type") == "adaptive":
        yield _ADAPTIVE
    if "context_management" in body:
        yield _EDITS
    if any(name == "anthropic-beta" for name, _ in evidence.exchange.request.headers):
        yield _BETA
    if not (isinstance(limit, int) and limit >= _MUCH):
        yield _TOO_LONG
