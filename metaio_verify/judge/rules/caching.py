"""Rules about the prompt cache: what the usage of the same long prompt says time after time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, NotSeenError, deviation, each, rule
from metaio_verify.judge.usage import READ, UNCACHED, WRITTEN, input_tokens, tokens
from metaio_verify.record import Finding, Target

_FIVE_MINUTES = "ephemeral_5m_input_tokens"
_HOUR = "ephemeral_1h_input_tokens"


@rule(probes=2)
def cache_read_after_write(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """What the first probe wrote to the cache the second one reads from it."""
    (write, *_), (read, *_) = answers.values()
    if not tokens(write, WRITTEN) and not tokens(read, READ):
        raise NotSeenError("the endpoint reports no use of a cache")
    if tokens(read, READ):
        return []
    written = tokens(write, WRITTEN)
    expected = f"more than 0, as {written} tokens were written just before"
    return [deviation(read, expected, "0", f"$.usage.{READ}")]


@rule
def cache_read_in_message_start(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A stream whose last usage was read from the cache says so in `message_start`, too."""
    seen, findings = False, []
    for stream in each(answers):
        first, last = _usages(stream, "message_start"), _usages(stream, "message_delta")
        early = first[0].get(READ) if first else None
        read = max((_count(usage.get(READ)) for usage in last), default=0)
        seen = seen or bool(first and (read or _count(early)))
        if first and read and not _count(early):
            expected = f"{read}, as in message_delta"
            where = f"message_start usage.{READ}"
            findings.append(deviation(stream, expected, str(early), where))
    if not seen:
        raise NotSeenError("nothing was read from a cache, or message_start has no usage")
    return findings


def _usages(stream: Evidence, kind: str) -> list[dict[str, Any]]:
    """Return the usage of each event of this type that has one."""
    events = [data for _, data in stream.event_data if isinstance(data, dict)]
    holders = [data.get("message", data) for data in events if data.get("type") == kind]
    found = [holder.get("usage") for holder in holders if isinstance(holder, dict)]
    return [usage for usage in found if isinstance(usage, dict)]


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


@rule
def cached_tokens_apart(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`input_tokens` is less than half of what the cache took: it counts only what follows.

    So little follows the last breakpoint of these probes that no tokenizer makes it that much.
    """
    cached = [one for one in each(answers) if _cached(one)]
    if not cached:
        raise NotSeenError("the endpoint reports no use of a cache")
    return [
        deviation(
            one,
            f"only what follows the last breakpoint, beside {_cached(one)} cached tokens",
            f"{tokens(one, UNCACHED)} of {input_tokens(one)}",
            f"$.usage.{UNCACHED}",
        )
        for one in cached
        if tokens(one, UNCACHED) * 2 > _cached(one)
    ]


def _cached(evidence: Evidence) -> int:
    return tokens(evidence, READ) + tokens(evidence, WRITTEN)


@rule
def cache_creation_sum(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """`cache_creation_input_tokens` is the sum of `cache_creation`, where there are both."""
    both = [one for one in each(answers) if _reports_lifetimes(one)]
    if not both:
        raise NotSeenError("no answer reports the lifetimes of what was written")
    return [
        deviation(one, f"{total}, the sum of cache_creation", str(written), f"$.usage.{WRITTEN}")
        for one in both
        if (total := sum(_lifetimes(one))) != (written := tokens(one, WRITTEN))
    ]


@rule
def hour_cache_kept(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Most of what is written, and was marked for one hour, is reported under one hour."""
    written = [one for one in each(answers) if _reports_lifetimes(one) and tokens(one, WRITTEN)]
    if not written:
        raise NotSeenError("no answer reports the lifetimes of what was written")
    return [
        deviation(
            one, f"most of {tokens(one, WRITTEN)}", str(hour), f"$.usage.cache_creation.{_HOUR}"
        )
        for one in written
        if (hour := _lifetimes(one)[1]) * 2 < tokens(one, WRITTEN)
    ]


def _reports_lifetimes(evidence: Evidence) -> bool:
    return isinstance(evidence.value("usage", "cache_creation"), dict)


def _lifetimes(evidence: Evidence) -> list[int]:
    """Return the tokens that were written for five minutes, and for one hour."""
    return [tokens(evidence, "cache_creation", name) for name in (_FIVE_MINUTES, _HOUR)]
