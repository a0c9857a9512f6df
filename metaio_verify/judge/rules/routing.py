"""Rules about where requests go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from metaio_verify.judge.rules.registry import Answers, deviation, each, rule
from metaio_verify.judge.wording import short
from metaio_verify.record import Finding, Target


@rule
def base_url(
    _answers: Answers, _args: Mapping[str, Any], target: Target, _model: str | None
) -> list[Finding]:
    """The base URL is what clients put `/v1/messages` behind, not more and not less."""
    given, right = target.given_url.rstrip("/"), target.base_url.rstrip("/")
    if given == right:
        return []
    return [Finding(expected=right, actual=given, where="base URL")]


@rule
def not_redirected(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer is a redirect: clients drop the credential or the body on the way."""
    return [
        deviation(evidence, "no redirect", f"{evidence.status} to {_place(location)}", "status")
        for evidence in each(answers)
        if evidence.status is not None and evidence.status // 100 == 3
        for location in [evidence.header("location") or "nowhere"]
    ]


def _place(location: str) -> str:
    """Return a location without what may be secret in it."""
    try:
        parts = urlsplit(location)
        return short(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl())
    except ValueError:
        return "an unreadable location"
