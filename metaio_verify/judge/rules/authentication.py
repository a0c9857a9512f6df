"""Rules about what refusals say of a credential and its account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import REDACTED, Finding, Target

_UNAUTHORIZED = 401
_CREDENTIALS = frozenset({"x-api-key", "authorization"})
_REFUSED = frozenset({401, 403})
_TYPES = {402: "billing_error", 403: "permission_error"}
_HIDES_A_QUOTA = frozenset({400, 403})
_QUOTA = re.compile(
    r"""  \b(?:insufficient|exceeded|exhausted|used\ up)\b[^.]{0,40}\b(?:quota|balance|credits?)\b
      |   \b(?:quota|balance|credits?)\b[^.]{0,40}\b(?:insufficient|exceeded|exhausted|used\ up)\b
      |   \b(?:rate\ limit|too\ many\ requests)\b
      |   额度不足|余额不足|配额
    """,
    re.VERBOSE | re.IGNORECASE,
)


@rule(required=("header",))
def credential_taken(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The requests with the key in this header alone are answered, or refused for other reasons."""
    sent = [one for one in each(answers) if _credentials(one) == {args["header"]}]
    if not sent:
        raise NotSeenError(f"no request had the key in {args['header']} alone")
    if any(one.succeeded for one in sent):
        return []
    refused = [one for one in sent if one.status in _REFUSED]
    if not refused:
        probe, outcome = sent[0].exchange.probe, sent[0].outcome
        raise NothingToJudgeError(
            f"`{probe}` was refused for another reason than the key: {outcome}"
        )
    return [deviation(one, "2xx", one.outcome, "status") for one in refused]


def _credentials(evidence: Evidence) -> set[str]:
    """The headers in which a request carried a key."""
    return {name.lower() for name, _ in evidence.exchange.request.headers} & _CREDENTIALS


@rule
def account_refusals(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A 402 or 403 to the valid key has the type of the API, and no 400 or 403 hides a quota.

    Pages of a firewall are not judged; they say nothing of an account.
    """
    refused = [
        evidence
        for evidence in each(answers)
        if evidence.status in {*_TYPES, *_HIDES_A_QUOTA}
        and _has_valid_key(evidence)
        and isinstance(evidence.value("error", "type"), str)
    ]
    findings = []
    seen = False
    for evidence in refused:
        text, type_ = str(evidence.value("error", "message")), evidence.value("error", "type")
        wanted = _TYPES.get(evidence.status or 0)
        hides = evidence.status in _HIDES_A_QUOTA and _QUOTA.search(text) is not None
        seen = seen or hides or wanted is not None
        if hides:
            expected = "429 with retry-after, or 402 billing_error"
            findings.append(deviation(evidence, expected, evidence.outcome, "status"))
        elif wanted is not None and type_ != wanted:
            expected = f"{wanted} with status {evidence.status}"
            findings.append(deviation(evidence, expected, shown(type_), "$.error.type"))
    if not seen:
        raise NotSeenError("nothing was refused for want of a right or of money")
    return findings


@rule(probes=5)
def url_key_unread(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A made-up key in the URL is answered like none at all, not like a wrong one.

    Takes the request with a key in the URL, one without any, and then those with a wrong key.
    """
    (in_url, *_), (without, *_), *wrong = answers.values()
    missing = _text(without)
    refused = {text for copies in wrong for one in copies if (text := _text(one))}
    if not missing or missing in refused:
        raise NotSeenError("a missing and a wrong key are answered alike, or not with 401")
    if _text(in_url) not in refused:
        return []
    expected = f"{shown(missing)}, as without a key"
    return [deviation(in_url, expected, shown(_text(in_url)), "$.error.message")]


def _text(evidence: Evidence) -> str:
    message = evidence.value("error", "message")
    is_text = evidence.status == _UNAUTHORIZED and isinstance(message, str)
    return message if is_text else ""


def _has_valid_key(evidence: Evidence) -> bool:
    """Whether the request carried the user's own key, which the record replaces by a mark."""
    values = [value for _, value in evidence.exchange.request.headers]
    return any(REDACTED in value for value in values)
