"""Rules about the course of a stream: its silences and its failures."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeGuard

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    UnsureError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Finding, Target

_TRANSIENT = frozenset({"overloaded_error", "rate_limit_error"})
"""Errors that say nothing but: too much at the moment."""

_LATE = ("context_management", "safeguard_results", "stop_details")
"""Fields of a message that cannot be known before its end."""


def _streams(answers: Answers) -> list[Evidence]:
    streams = [evidence for evidence in each(answers) if evidence.stream.events]
    if not streams:
        raise NothingToJudgeError("no answer is a stream of events")
    return streams


@rule(required=("seconds",), timed=True)
def kept_alive(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No stream is without an event, a ping included, for longer than `seconds`.

    The time until the first event counts, too; comments do not, as older clients ignore them.
    Where a stream was measured again alone, only that counts: beside others it has to wait.
    """
    findings = []
    streams = _streams(answers)
    alone = [evidence for evidence in streams if evidence.exchange.timing.alone]
    for evidence in alone or streams:
        longest, since = longest_silence(evidence)
        if longest - evidence.exchange.timing.lag > args["seconds"]:
            until = since + longest
            bytes_came = any(
                since < at < until for at, size in evidence.exchange.timing.chunks if size
            )
            said = "comments only" if bytes_came else "nothing"
            actual = f"{said} for {longest:.1f} s, after {since:.1f} s"
            findings.append(
                deviation(evidence, f"an event every {args['seconds']} s", actual, "arrival")
            )
    return findings


def longest_silence(evidence: Evidence) -> tuple[float, float]:
    """Return the longest time without an event, and when it began, in seconds.

    That until we gave up an answer counts, too.
    """
    moments = [0.0, *(event.at for event in evidence.stream.events)]
    if evidence.exchange.failure is not None:
        moments.append(max(evidence.exchange.timing.total, moments[-1]))
    return max((later - earlier, earlier) for earlier, later in pairwise(moments))


@rule(optional=("whole",))
def stream_completed(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No stream ends in an error event, except for too much load at the moment.

    With `whole` such a load leaves open whether the request works at all: it is inconclusive.
    """
    findings = []
    for evidence in _streams(answers):
        for number, data in evidence.event_data:
            if not isinstance(data, dict) or data.get("type") != "error":
                continue
            if not is_for_load(error := data.get("error")):
                where = f"event {number}"
                findings.append(deviation(evidence, "a complete answer", shown(data), where))
            elif args.get("whole"):
                probe = evidence.exchange.probe
                raise UnsureError(
                    f"the stream of `{probe}` ended in {error['type']}: too much load"
                )
    return findings


def is_for_load(error: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether an error says nothing but: too much at the moment."""
    return isinstance(error, dict) and str(error.get("type")) in _TRANSIENT


@rule
def late_fields_late(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """What is known only at the end does not stand in message_start, nor in the wrong place."""
    findings = []
    for evidence in _streams(answers):
        for number, data in evidence.event_data:
            for holder, name in _early(data):
                where = f"event {number} $.{holder}"
                findings.append(deviation(evidence, f"no {name} here", f"{holder}.{name}", where))
    return findings


def _early(data: Any) -> list[tuple[str, str]]:
    """Return which late fields an event holds where they do not belong: holder and name."""
    match data:
        case {"type": "message_start", "message": {**message}}:
            usage = message.get("usage")
            details = isinstance(usage, dict) and usage.get("output_tokens_details") is not None
            names = [name for name in _LATE if message.get(name) is not None]
            found = [("message", name) for name in names]
            return [*found, ("message.usage", "output_tokens_details")] if details else found
        case {"type": "message_delta", "delta": {"context_management": _}}:
            return [("delta", "context_management")]
        case _:
            return []


@rule
def model_in_start_only(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No event but message_start has a model."""
    findings = []
    for evidence in _streams(answers):
        named = [n for n, data in evidence.event_data if isinstance(data, dict) and "model" in data]
        if named:
            actual = f"a model in {len(named)} of {len(evidence.event_data)} events"
            findings.append(deviation(evidence, "no model", actual, f"event {named[0]}"))
    return findings
