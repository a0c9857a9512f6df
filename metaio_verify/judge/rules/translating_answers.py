"""Rules about what a translating gateway makes of its upstream's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.pair import Pair, pairs, same
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.translated import told
from metaio_verify.judge.violation import Violation
from metaio_verify.judge.wording import quote, shown
from metaio_verify.record import Dialect, Finding, Target

_OPENAI = (Dialect.CHAT, Dialect.RESPONSES)
_NOTHING = "nothing"
_STOPS = {
    "stop": ("end_turn", "stop_sequence"),
    "length": ("max_tokens",),
    "tool_calls": ("tool_use",),
}
_STATUSES = {400: {400}, 404: {404, 400}, 413: {413, 400}, 429: {429}}
_LEGAL = frozenset({Violation.UNKNOWN_EVENT, Violation.DONE_SENTINEL})
_INPUT: tuple[str, ...] = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


@rule
def text_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The text of the upstream's answer is the text of the message, and nothing else is."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        wanted = told(pair).text
        came = pair.evidence.text
        if came is None or came.strip() != wanted.strip():
            actual = pair.evidence.outcome if came is None else shown(came)
            findings.append(_finding(pair, shown(wanted), actual, "text"))
    return findings


@rule
def calls_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each call of the upstream is a tool_use block with its name, its input and its own id."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        wanted = [(call.name, call.input) for call in told(pair).calls]
        uses = [block for block in pair.evidence.blocks if block.get("type") == "tool_use"]
        came = [(block.get("name"), block.get("input")) for block in uses]
        for number, (name, given) in enumerate(wanted):
            there = came[number] if number < len(came) else None
            if there is None or there[0] != name or not same(there[1], given):
                actual = f"{there[0]} {quote(there[1])}" if there else _NOTHING
                where = f"tool_use {number + 1}"
                findings.append(_finding(pair, f"{name} {quote(given)}", shown(actual), where))
        ids = [block.get("id") for block in uses]
        if len(set(map(str, ids))) < len(ids) or not all(ids):
            findings.append(_finding(pair, "an id for each call", quote(ids), "tool_use ids"))
    return findings


@rule
def stops_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The stop reason is the one that the upstream's finish reason stands for."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        finish = told(pair).finish
        came = pair.evidence.value("stop_reason")
        if finish in _STOPS and came not in _STOPS[finish]:
            expected = f"{' or '.join(_STOPS[finish])}, for {finish}"
            actual = pair.evidence.outcome if came is None else shown(came)
            findings.append(_finding(pair, expected, actual, "$.stop_reason"))
    return findings


@rule
def stop_sequences_kept(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No stop sequence stands in the answer, of an upstream that goes on unless it is told of it.

    The gateway may tell it, or look for them by itself, or refuse them by name.
    """
    refused = [one for one in each(answers) if _refuses_by_name(one, "stop_sequences")]
    if refused:
        raise NotSeenError(f"the gateway refuses stop sequences by name: {refused[0].outcome}")
    findings = []
    for pair in pairs(answers, *_OPENAI):
        text = pair.evidence.text or ""
        if met := [stop for stop in pair.sent.get("stop_sequences", ()) if stop in text]:
            findings.append(_finding(pair, f"an end before {met[0]}", shown(text), "text"))
    return findings


def _refuses_by_name(evidence: Evidence, name: str) -> bool:
    return evidence.status == 400 and name in str(evidence.value("error", "message"))


@rule
def refusals_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A refusal is a message with stop_reason refusal, or one whose text says it."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        refused = told(pair).refusal
        said = refused and refused in (pair.evidence.text or "")
        if pair.evidence.value("stop_reason") != "refusal" and not said:
            reason = pair.evidence.value("stop_reason")
            actual = f"{shown(reason)}, text {shown(pair.evidence.text)}"
            findings.append(_finding(pair, f"refusal, or {shown(refused)}", actual, "message"))
    return findings


@rule
def thoughts_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """What the upstream shows of its thinking arrives in a thinking block."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        wanted = told(pair).thoughts
        came = "".join(
            str(block.get("thinking"))
            for block in pair.evidence.blocks
            if block.get("type") == "thinking"
        )
        if wanted.strip() and wanted.strip() != came.strip():
            actual = shown(came) if came else _NOTHING
            findings.append(_finding(pair, shown(wanted), actual, "thinking"))
    return findings


@rule(optional=("input",))
def usage_translated(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The output tokens are those that the upstream counted (with `input`: all input tokens)."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        played = told(pair)
        names = _INPUT if args.get("input") else ("output_tokens",)
        wanted = played.prompt_tokens if args.get("input") else played.output_tokens
        if wanted is None:
            if pair.evidence.is_sse and pair.forwarded.dialect is Dialect.CHAT:
                actual = "the usage was not asked for: no stream_options.include_usage"
                findings.append(_finding(pair, "the usage of the stream", actual, "upstream"))
            continue
        counts = [pair.evidence.value("usage", name) for name in names]
        came = sum(count for count in counts if isinstance(count, int))
        if came != wanted:
            findings.append(_finding(pair, str(wanted), str(came), f"usage: {' + '.join(names)}"))
    return findings


@rule
def statuses_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """An error of the upstream has the status that means the same here."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        played, came = pair.forwarded.played.status, pair.evidence.status or 0
        allowed = _STATUSES.get(played, set(range(500, 600)))
        if came not in allowed:
            numbers = " or ".join(map(str, sorted(allowed))) if len(allowed) < 5 else "5xx"
            expected = f"{numbers}, for {played}"
            findings.append(_finding(pair, expected, pair.evidence.outcome, "status"))
    return findings


@rule(optional=("text",))
def errors_translated(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """An error of the upstream is one here: JSON with error.message.

    With `text` the message holds the upstream's own words.
    """
    findings = []
    for pair in pairs(answers, *_OPENAI):
        message = pair.evidence.value("error", "message")
        if not args.get("text") and not isinstance(message, str):
            expected = "an error with its message"
            findings.append(_finding(pair, expected, pair.evidence.outcome, "$.error.message"))
        elif args.get("text") and told(pair).error not in str(message):
            actual = shown(message) if message else pair.evidence.outcome
            findings.append(_finding(pair, shown(told(pair).error), actual, "$.error.message"))
    return findings


@rule
def retry_after_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The upstream's retry-after comes back."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        played = ", ".join(pair.played_headers.get("retry-after", []))
        came = pair.evidence.header("retry-after")
        if played and played != came:
            findings.append(_finding(pair, played, came or _NOTHING, "header retry-after"))
    return findings


@rule
def stream_error_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """An error in the middle of the upstream's stream is an error event, or breaks the stream."""
    findings = []
    for pair in _streams(answers):
        data = [one for _, one in pair.evidence.event_data if isinstance(one, dict)]
        shown_ = any(one.get("type") == "error" and "error" in one for one in data)
        complete = any(one.get("type") == "message_stop" for one in data)
        if complete or not (shown_ or pair.evidence.exchange.failure is not None):
            last = data[-1].get("type") if data else _NOTHING
            actual = f"the stream ends with {last}"
            findings.append(_finding(pair, "an error event", actual, "end of stream"))
    return findings


@rule
def stream_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A translated stream keeps the grammar of this API."""
    return [
        _finding(pair, f"no {violation.kind}", violation.actual, f"event {violation.event}")
        for pair in _streams(answers)
        for violation in pair.evidence.violations
        if violation.kind not in _LEGAL
    ]


def _streams(answers: Answers) -> list[Pair]:
    found = pairs(answers, *_OPENAI)
    streams = [pair for pair in found if pair.evidence.is_sse]
    if not streams:
        raise NothingToJudgeError(f"the answer is not a stream: {found[0].evidence.outcome}")
    return streams


def _finding(pair: Pair, expected: str, actual: str, where: str) -> Finding:
    return deviation(pair.evidence, expected, actual, where)
