"""Rules about what a gateway gives back of an upstream that speaks the Anthropic API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.pair import Pair, pairs, same, without_nulls
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import shown
from metaio_verify.record import Dialect, Finding, Target

_NOTHING = "nothing"
_MOMENTOUS = ("message_start", "content_block_delta")
_MAPPED = frozenset({"content", "stop_reason", "stop_sequence", "model", "request_id"})
"""Judged elsewhere, or the gateway's to change."""


@rule
def message_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Content, stop reason and stop sequence come back as the upstream sent them."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for key in ("content", "stop_reason", "stop_sequence"):
            played, came = pair.played_evidence.value(key), pair.evidence.value(key)
            if same(without_nulls(played), without_nulls(came)):
                continue
            if key == "content" and isinstance(played, list) and isinstance(came, list):
                findings.append(_differing(pair, played, came))
            else:
                findings.append(_finding(pair, shown(played), _came(pair, came), f"$.{key}"))
    return findings


@rule
def fields_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every other field of the upstream's message comes back, those of its usage included."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for where, value in _fields(pair.played_evidence):
            came = pair.evidence.value(*where)
            if value is not None and not same(value, came):
                place = "$." + ".".join(where)
                findings.append(_finding(pair, shown(value), _came(pair, came), place))
    return findings


@rule
def status_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The status of the upstream's answer is the client's."""
    return [
        _finding(pair, str(pair.forwarded.played.status), pair.evidence.outcome, "status")
        for pair in pairs(answers, Dialect.ANTHROPIC)
        if pair.forwarded.played.status != pair.evidence.status
    ]


@rule(optional=("key",))
def error_returned(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The upstream's error comes back in its own words (or, with `key: type`, under its type)."""
    key = args.get("key", "message")
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        played = pair.played_evidence.value("error", key)
        came = pair.evidence.value("error", key)
        if played != came:
            findings.append(_finding(pair, shown(played), _came(pair, came), f"$.error.{key}"))
    return findings


@rule(required=("names",))
def headers_returned(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """These headers of the upstream's answers come back with their values."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for name in args["names"]:
            played = ", ".join(pair.played_headers.get(name, []))
            came = pair.evidence.header(name)
            if played and played != came:
                findings.append(_finding(pair, played, came or _NOTHING, f"header {name}"))
    return findings


@rule
def events_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every event of the upstream's stream comes back, unchanged and in its order."""
    findings = []
    for pair in _streams(answers):
        played, came = _told(pair.played_stream), _told(pair.evidence.stream)
        rest = iter(came)
        for number, event in enumerate(played, start=1):
            if not any(_same_event(event, other) for other in rest):
                expected = f"{event[0]} {shown(event[1])}"
                actual = f"not among the {len(came)} events, or not in its place"
                findings.append(_finding(pair, expected, actual, f"event {number}"))
                break
    return findings


@rule(required=("within",))
def events_on_time(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The events of a slow stream arrive within `within` seconds of being sent.

    A few of them may be late, as on a machine with much to do; a third of them is a habit.
    """
    findings = []
    for pair in _streams(answers, *Dialect):
        delays = _delays(pair)
        late = [(delay, number) for number, delay in enumerate(delays, 1) if delay > args["within"]]
        if 3 * len(late) >= len(delays):
            worst, number = max(late)
            expected = f"each event within {args['within']:g} s"
            actual = f"{len(late)} of {len(delays)} late, number {number} by {worst:.2f} s"
            findings.append(_finding(pair, expected, actual, "arrival"))
    return findings


@rule
def pings_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """While the upstream sends nothing but pings the client hears something, too.

    It may be the upstream's pings, or pings and comments of the gateway's own.
    """
    findings = []
    for pair in _streams(answers):
        before, after = _around_pings(pair.played_stream)
        stream = pair.evidence.stream
        moments = _moments(stream)
        if len(moments) != len(_moments(pair.played_stream)):
            # Where deltas were lost or joined, nobody knows which of them stood around the pings.
            continue
        alive = [event.at for event in stream.events if event.name == "ping"]
        alive += [comment.at for comment in stream.comments]
        if not any(moments[before] <= at <= moments[after] for at in alive):
            actual = f"nothing for {moments[after] - moments[before]:.2f} s"
            findings.append(
                _finding(pair, "a ping while the upstream is silent", actual, "arrival")
            )
    return findings


@rule
def error_event_returned(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """An error in the middle of the upstream's stream comes back as one, with its words."""
    findings = []
    for pair in _streams(answers):
        wanted = next(data["error"] for _, data in _told(pair.played_stream) if "error" in data)
        errors = [data for _, data in _told(pair.evidence.stream) if data.get("type") == "error"]
        if not errors:
            findings.append(_finding(pair, shown(wanted), _ending(pair.evidence), "end of stream"))
        elif not same({key: _error(errors[-1]).get(key) for key in wanted}, wanted):
            findings.append(_finding(pair, shown(wanted), shown(errors[-1]), "error event"))
    return findings


@rule(required=("within",))
def cut_shown(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Where the upstream's connection drops the client sees it soon: an error, or a cut of its own.

    The stream must not end as if it were complete, nor go on for more than `within` seconds.
    """
    findings = []
    for pair in _streams(answers, *Dialect):
        exchange = pair.evidence.exchange
        told = _told(pair.evidence.stream)
        after = exchange.timing.total - pair.forwarded.played.ended_at
        broken = exchange.failure is not None and exchange.failure.kind != "timeout"
        if after > args["within"]:
            expected = f"an end within {args['within']:g} s of the upstream's"
            findings.append(_finding(pair, expected, f"after {after:.1f} s", "end of stream"))
        elif not broken and not any(data.get("type") == "error" for _, data in told):
            expected = "an error event, or a connection that breaks off"
            findings.append(_finding(pair, expected, _ending(pair.evidence), "end of stream"))
    return findings


@rule
def early_end_shown(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Where the upstream's stream is over before its end the client's does not end as a whole one.

    It may end as early, or with an error event.
    """
    return [
        _finding(
            pair, "an error event, or no message_stop", _ending(pair.evidence), "end of stream"
        )
        for pair in _streams(answers, *Dialect)
        if any(data.get("type") == "message_stop" for _, data in _told(pair.evidence.stream))
    ]


@rule
def leaves_with_client(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A client that leaves a stream ends the upstream's answer, too."""
    findings = []
    for pair in pairs(answers, *Dialect):
        played = pair.forwarded.played
        if not pair.evidence.exchange.aborted:
            raise NothingToJudgeError(f"there was no stream to leave: {pair.evidence.outcome}")
        after = played.ended_at - pair.evidence.exchange.timing.total
        if played.ended != "left" and after <= 0:
            raise NothingToJudgeError("the stream was over before the client could leave it")
        if played.ended != "left":
            actual = f"read to its end, {after:.1f} s after the client had left"
            findings.append(_finding(pair, "the upstream is left", actual, "upstream: connection"))
    return findings


@rule
def upstream_key_stays(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No answer shows the credential of the upstream."""
    return [
        deviation(one, "no credential of the upstream", "the key of the gateway", place)
        for one in each(answers)
        for place in one.exchange.upstream_leaks
    ]


def _finding(pair: Pair, expected: str, actual: str, where: str) -> Finding:
    return deviation(pair.evidence, expected, actual, where)


def _came(pair: Pair, value: Any) -> str:
    return pair.evidence.outcome if value is None else shown(value)


def _differing(pair: Pair, played: list[Any], came: list[Any]) -> Finding:
    """Return the first block that differs."""
    for number, (left, right) in enumerate(zip(played, came, strict=False)):
        if not same(without_nulls(left), without_nulls(right)):
            return _finding(pair, shown(left), shown(right), f"$.content[{number}]")
    number = min(len(played), len(came))
    longer = [*played[number:], *came[number:]][0]
    expected, actual = shown(longer), _NOTHING
    if len(came) > len(played):
        expected, actual = actual, expected
    return _finding(pair, expected, actual, f"$.content[{number}]")


def _fields(evidence: Evidence) -> list[tuple[tuple[str, ...], Any]]:
    document = evidence.document if isinstance(evidence.document, dict) else {}
    fields: list[tuple[tuple[str, ...], Any]] = [
        ((key,), value) for key, value in document.items() if key not in _MAPPED
    ]
    usage = document.get("usage")
    if isinstance(usage, dict):
        fields = [one for one in fields if one[0] != ("usage",)]
        fields += [(("usage", key), value) for key, value in usage.items()]
    return fields


def _streams(answers: Answers, *dialects: Dialect) -> list[Pair]:
    """Return the pairs of which both sides are streams."""
    found = pairs(answers, *(dialects or [Dialect.ANTHROPIC]))
    streams = [pair for pair in found if pair.evidence.is_sse and pair.played_stream.events]
    if not streams:
        raise NothingToJudgeError(f"the answer is not a stream: {found[0].evidence.outcome}")
    return streams


def _told(stream: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the events but pings: name and data."""
    pairs_ = zip(stream.events, stream.documents, strict=True)
    return [
        (str(event.name), data)
        for event, data in pairs_
        if isinstance(data, dict) and data.get("type") != "ping"
    ]


def _same_event(left: tuple[str, Any], right: tuple[str, Any]) -> bool:
    if left[0] != right[0]:
        return False
    return same(without_nulls(_unmapped(left[1])), without_nulls(_unmapped(right[1])))


def _unmapped(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an event without the model's name, which a gateway may map."""
    message = data.get("message")
    if isinstance(message, dict):
        return {**data, "message": {**message, "model": None}}
    return data


def _delays(pair: Pair) -> list[float]:
    """Return for each delta how long it was under way."""
    played = [event.at for event in pair.played_stream.events]
    came = [event.at for event in pair.evidence.stream.events]
    if pair.forwarded.dialect is Dialect.ANTHROPIC:
        played = _moments(pair.played_stream)
        came = _moments(pair.evidence.stream)
        return [after - before for before, after in zip(played, came, strict=False)]
    # A translated stream has other events: what was sent by a moment has arrived soon after it.
    return [
        max(came[0] - played[0], 0.0),
        *(
            min((at for at in came if at >= moment), default=came[-1]) - moment
            for moment in played[1:-2]
        ),
    ]


def _moments(stream: Any) -> list[float]:
    pairs_ = zip(stream.events, stream.documents, strict=True)
    return [
        event.at
        for event, data in pairs_
        if isinstance(data, dict) and data.get("type") in _MOMENTOUS
    ]


def _around_pings(stream: Any) -> tuple[int, int]:
    """Return which of the deltas stand before and after the last pings of a stream."""
    kinds = [data.get("type") for data in stream.documents if isinstance(data, dict)]
    last = len(kinds) - 1 - kinds[::-1].index("ping") if "ping" in kinds else 0
    before = sum(kind in _MOMENTOUS for kind in kinds[:last]) - 1
    return before, before + 1


def _error(data: dict[str, Any]) -> dict[str, Any]:
    """Return what an error event says; a gateway may say more than its upstream."""
    error = data.get("error")
    return error if isinstance(error, dict) else {}


def _ending(evidence: Evidence) -> str:
    told = _told(evidence.stream)
    return f"the stream ends with {told[-1][0]}" if told else "an empty stream"
