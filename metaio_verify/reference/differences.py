"""Where the answers of two endpoints to the same requests have another shape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct, field

from metaio_verify.record import Difference, Exchange
from metaio_verify.reference.shape import Shape, shape_of

_EXCERPT = 160
_NOT_THERE = "not there"

Aspect: TypeAlias = Literal[
    "sent", "failure", "status", "header", "content-type", "body", "json", "events"
]
_Key: TypeAlias = tuple[str, str | None, int]
"""Probe, model of the endpoint under test, and copy."""


class _One(NamedTuple):
    """One difference of one pair of answers."""

    aspect: Aspect
    where: str
    target: str
    reference: str


class Compared(Struct, frozen=True):
    """What came of the comparison."""

    differences: list[Difference] = field(default_factory=list)
    pairs: int = 0
    set_aside: int = 0


def compare(
    target: Sequence[Exchange],
    reference: Sequence[Exchange],
    models: Mapping[str, str],
    probes: Collection[str],
    *,
    complete: bool,
) -> Compared:
    """Return the differences in shape, each once with all probes that show it.

    Args:
        target: the exchanges of the endpoint under test
        reference: those of the reference
        models: model of the target → model of the reference
        probes: the probes that both were to be asked
        complete: whether both were asked to the end, so that what is missing was left out

    """
    here = _last(target, probes, lambda model: [model])
    there = _last(
        reference, probes, lambda model: [a for a, b in models.items() if b == model] or [None]
    )
    groups: dict[_One, list[tuple[str, Exchange | None, Exchange | None]]] = {}
    pairs = aside = 0
    for key in dict.fromkeys([*here, *there]):
        one, other = here.get(key), there.get(key)
        if one is None or other is None:
            if complete:
                sides = (
                    "not sent" if one is None else "sent",
                    "not sent" if other is None else "sent",
                )
                groups.setdefault(_One("sent", "", *sides), []).append((key[0], one, other))
            continue
        if one.until_met is False or other.until_met is False:
            aside += 1
            continue
        pairs += 1
        for difference in _between(shape_of(one), shape_of(other)):
            groups.setdefault(difference, []).append((key[0], one, other))
    found = [_difference(one, seen) for one, seen in groups.items()]
    return Compared(found, pairs, aside)


def _last(
    exchanges: Sequence[Exchange],
    probes: Collection[str],
    named: Callable[[str | None], Sequence[str | None]],
) -> dict[_Key, Exchange]:
    """The last answer to each request: retries and attempts are the same request."""
    return {
        (one.probe, model, one.copy): one
        for one in exchanges
        if one.probe in probes
        for model in ([None] if one.model is None else named(one.model))
    }


def _between(one: Shape, other: Shape) -> Iterator[_One]:
    """The differences of two answers; those that follow from another one are left out."""
    if one.failure or other.failure:
        if one.failure != other.failure:
            yield _One("failure", "", _outcome(one), _outcome(other))
        return
    if one.status != other.status:
        yield _One("status", "", str(one.status), str(other.status))
        return
    for name in sorted(one.headers ^ other.headers):
        here = name in one.headers
        sides = ("sent", _NOT_THERE) if here else (_NOT_THERE, "sent")
        yield _One("header", name, *sides)
    if one.content_type != other.content_type:
        none = "none"
        yield _One("content-type", "", one.content_type or none, other.content_type or none)
    if one.body != other.body:
        yield _One("body", "", one.body, other.body)
        return
    if one.is_cut or other.is_cut:
        return
    if one.events != other.events:
        yield _One("events", "", *_parted(one.events, other.events))
    yield from _json(one, other)


def _outcome(shape: Shape) -> str:
    return f"no complete answer ({shape.failure})" if shape.failure else f"answered {shape.status}"


def _json(one: Shape, other: Shape) -> Iterator[_One]:
    """The paths that differ, without what stands below a missing one or in a missing event."""
    events = {path.partition("$")[0] for path in one.json} & {
        path.partition("$")[0] for path in other.json
    }
    missing: list[str] = []
    for path in dict.fromkeys([*other.json, *one.json]):
        if path.partition("$")[0] not in events:
            continue
        here, there = one.json.get(path), other.json.get(path)
        if here == there or any(path.startswith((f"{m}.", f"{m}[")) for m in missing):
            continue
        if here is None or there is None:
            missing.append(path)
        yield _One("json", path, _types(here), _types(there))


def _types(found: frozenset[str] | None) -> str:
    return " or ".join(sorted(found)) if found else _NOT_THERE


def _parted(one: Sequence[str], other: Sequence[str]) -> tuple[str, str]:
    """Two sequences from the last event that they share to the first that they share again."""
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(other)) - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    start = max(0, head - 1)
    shown = []
    for words in (one, other):
        end = len(words) - max(0, tail - 1)
        inner = " → ".join(words[start:end])
        before, after = "… " if start else "", " …" if end < len(words) else ""
        shown.append(f"{before}{inner}{after}")
    return shown[0], shown[1]


def _difference(
    one: _One, seen: Sequence[tuple[str, Exchange | None, Exchange | None]]
) -> Difference:
    _, here, there = seen[0]
    shows = one.aspect in ("status", "body", "content-type", "events")
    return Difference(
        aspect=one.aspect,
        where=one.where,
        target=one.target,
        reference=one.reference,
        probes=list(dict.fromkeys(probe for probe, _, _ in seen)),
        exchange=here.id if here else "",
        target_excerpt=_excerpt(here) if shows else "",
        reference_excerpt=_excerpt(there) if shows else "",
    )


def _excerpt(exchange: Exchange | None) -> str:
    text = (exchange.response.text or "") if exchange and exchange.response else ""
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
