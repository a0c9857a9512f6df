"""Both sides of a gateway: what was sent beside what arrived, what was played beside what came."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from metaio_verify.judge.document import NotJSONError, decode
from metaio_verify.judge.evidence import Evidence
from metaio_verify.judge.rules.registry import Answers, NothingToJudgeError, NotSeenError, each
from metaio_verify.judge.sse import SseStream, parse
from metaio_verify.record import Dialect, Forwarded, Received

_SPOKEN = {
    Dialect.ANTHROPIC: "the Anthropic API",
    Dialect.CHAT: "OpenAI chat completions",
    Dialect.RESPONSES: "OpenAI responses",
    Dialect.OTHER: "an API of its own",
}


class Pair(Struct, frozen=True, dict=True):
    """One exchange, and the last request that the gateway made of it."""

    evidence: Evidence
    forwarded: Forwarded

    @cached_property
    def sent(self) -> Any:
        """The body of our request, decoded."""
        return _decoded(self.evidence.exchange.request.body)

    @cached_property
    def arrived(self) -> Any:
        """The body that arrived upstream, decoded."""
        return _decoded(self.forwarded.request.body)

    @property
    def sent_headers(self) -> dict[str, list[str]]:
        """Our header lines by lower-case name."""
        return _by_name(self.evidence.exchange.request.headers)

    @property
    def arrived_headers(self) -> dict[str, list[str]]:
        """The header lines that arrived upstream."""
        return _by_name(self.forwarded.request.headers)

    @property
    def played_headers(self) -> dict[str, list[str]]:
        """The header lines that the upstream sent."""
        return _by_name(self.forwarded.played.headers)

    @cached_property
    def played(self) -> Any:
        """The document that the upstream played; of a stream none."""
        return _decoded(self.forwarded.played.text)

    @cached_property
    def played_stream(self) -> SseStream:
        """The events that the upstream played, with the moments in which they were sent."""
        played = self.forwarded.played
        return parse(played.text.encode(), played.chunks)

    @cached_property
    def played_evidence(self) -> Evidence:
        """What the upstream played, as if it had been the answer."""
        played = self.forwarded.played
        return Evidence(_as_answer(self.evidence, played.status, played.headers, played.text))


def _as_answer(evidence: Evidence, status: int, headers: list[tuple[str, str]], text: str) -> Any:
    from msgspec.structs import replace  # noqa: PLC0415

    received = Received(status=status, http_version="HTTP/1.1", headers=headers, text=text)
    return replace(evidence.exchange, response=received, failure=None)


def pairs(answers: Answers, *dialects: Dialect) -> list[Pair]:
    """Return what arrived upstream in one of these dialects; raises when nothing did."""
    found = list(_found(answers))
    fitting = [pair for pair in found if pair.forwarded.dialect in dialects]
    if fitting:
        return fitting
    if found:
        spoken = _SPOKEN[found[0].forwarded.dialect]
        raise NotSeenError(f"the gateway speaks {spoken} to its upstream")
    raise nothing(answers)


def nothing(answers: Answers) -> NothingToJudgeError:
    """Return why there is nothing to judge: no request reached the upstream."""
    first = each(answers)[0]
    if first.exchange.forwarded is None:
        return NothingToJudgeError("the upstream did not say what arrived")
    probe = first.exchange.probe
    return NothingToJudgeError(f"`{probe}` did not reach the upstream: {first.outcome}")


def _found(answers: Answers) -> Iterator[Pair]:
    for evidence in each(answers):
        if evidence.exchange.forwarded:
            yield Pair(evidence, evidence.exchange.forwarded[-1])


def _decoded(text: str | bytes) -> Any:
    try:
        return decode(text)
    except NotJSONError:
        return None


def _by_name(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for name, value in headers:
        lines.setdefault(name.lower(), []).append(value)
    return lines


def walk(value: Any) -> Iterator[Any]:
    """Give a value and everything in it, in order."""
    yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from walk(child)


def blocks(body: Any, *types: str) -> list[dict[str, Any]]:
    """Return the content blocks of some types, also those inside tool results, in order."""
    return [one for one in walk(body) if isinstance(one, dict) and one.get("type") in types]


def turns(body: Any) -> list[tuple[str, Any]]:
    """Return the parts of a conversation: role and block, a string as the block that it stands for.

    Consecutive messages of one role mean the same as one message, so where one ends is left out.
    """
    messages = body.get("messages") if isinstance(body, dict) else None
    found: list[tuple[str, Any]] = []
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, dict):
            role = str(message.get("role"))
            found += [(role, part) for part in as_blocks(message.get("content"))]
    return found


def as_blocks(content: Any) -> list[Any]:
    """Return content as blocks, whichever of its two forms it has."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if isinstance(content, list) else []


def without_nulls(value: Any) -> Any:
    """Return a block, an event or a message without the fields that are null, as if absent.

    Whoever reads an answer into typed objects writes them so. What a tool is called with is data,
    and stays as it is.
    """
    if isinstance(value, dict):
        return {
            key: one if key == "input" else without_nulls(one)
            for key, one in value.items()
            if one is not None
        }
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def same(left: Any, right: Any) -> bool:
    """Compare JSON values as JSON does: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
