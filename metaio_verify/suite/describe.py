"""What a check says, in words: the pages of `checks show`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, structs

from metaio_verify.judge.wording import described
from metaio_verify.suite.contract import requirements
from metaio_verify.suite.links import captured
from metaio_verify.suite.model import UPSTREAM, Check, Expect, Probe, Suite, Timing
from metaio_verify.suite.sent import curl
from metaio_verify.suite.words import listing, printable

_MOST_RELATED = 8
_TIMING = {
    "total": "complete within {} s",
    "first_byte": "first byte within {} s",
    "silence": "never silent for more than {} s",
}


def sections(check: Check, suite: Suite) -> Iterator[tuple[str, list[str]]]:
    """The headings of a check's page with their lines; a line's indent is part of it."""
    said = requirements()
    yield (
        "Contract",
        [
            f"{id_} ({said[id_].level}): {said[id_].text}" if id_ in said else id_
            for id_ in check.requirements
        ],
    )
    for id_ in check.probes:
        yield f"Sent ({id_})", list(_request(suite.probes[id_]))
    if check.also:
        further = f"the answers to {listing(check.also, 'and')}, where other checks have them sent"
        yield "Judged too", [further]
    expected = list(conditions(check.expect)) if isinstance(check.expect, Expect) else []
    if isinstance(check.rule, str):
        expected += list(_rule(check.rule, check.args))
    yield "Expected", expected
    accepted = [
        line
        for alternative in check.accept
        for line in (
            f"{alternative.verdict}: {alternative.because}",
            *(f"  {condition}" for condition in conditions(alternative)),
        )
    ]
    yield "Also accepted", accepted
    if check.requires:
        only = f"only where the target has {listing(check.requires, 'and')}"
        yield "Applies", [only]
    yield "Breaks", [f"{client}: {what}" for client, what in check.breaks.items()]
    yield "How to mend it", [check.fix]
    yield "Until then", [check.workaround] if check.workaround else []
    yield "Sources", list(check.sources)
    yield "Faults that prove it", list(_faults(check))
    yield "Related", list(_related(check, suite))


def _faults(check: Check) -> Iterator[str]:
    from metaio_verify.lab.change import Change  # noqa: PLC0415 - loads the lab
    from metaio_verify.lab.faults import FAULTS  # noqa: PLC0415 - likewise

    faults: dict[str, Change] = {**FAULTS}
    of_gateway = UPSTREAM in check.tags
    if of_gateway:
        from metaio_verify.lab.gateway.faults import GATEWAY_FAULTS  # noqa: PLC0415 - likewise

        faults |= GATEWAY_FAULTS
    for id_ in check.faults:
        doc = f": {faults[id_].doc}" if id_ in faults else ""
        yield f"{id_}{doc}"
    if check.faults and of_gateway:
        kind = "chat" if check.faults[0].startswith("translated-") else "pass-through"
        yield f"  metaio-verify demo --gateway {kind} --fault {check.faults[0]}"
    elif check.faults:
        yield f"  metaio-verify demo --fault {check.faults[0]}"


def _related(check: Check, suite: Suite) -> Iterator[str]:
    """The checks that judge the same answers, those of the same area first."""
    found = [
        other
        for other in suite.checks.values()
        if other.id != check.id and not set(other.probes).isdisjoint(check.probes)
    ]
    found.sort(key=lambda other: other.area != check.area)
    for other in found[:_MOST_RELATED]:
        yield f"{other.id}: {other.title}"
    more = len(found) - _MOST_RELATED
    if more > 0:
        yield f"… and {more} more that judge {listing(check.probes, 'and')}"


def conditions(expect: Expect) -> Iterator[str]:
    """Each condition of an expectation as one line."""
    if expect.status is not UNSET:
        codes = expect.status if isinstance(expect.status, list) else [expect.status]
        yield f"status {' or '.join(map(str, codes))}"
    for name, matcher in expect.headers.items():
        yield f"header {name}: {'absent' if matcher is None else _matcher(matcher)}"
    if expect.schema is not UNSET:
        named = isinstance(expect.schema, str)
        yield f"the document: {f'a valid {expect.schema}' if named else _matcher(expect.schema)}"
    for words, matchers in (
        ("{}", expect.json),
        ("{}, where present", expect.json_if_present),
        ("in the events {}", expect.events),
    ):
        for path, matcher in matchers.items():
            yield f"{words.format(path)}: {_matcher(matcher)}"
    for path in expect.absent:
        yield f"{path}: absent"
    for name, matcher in (("visible text", expect.text), ("body", expect.body)):
        if matcher is not UNSET:
            yield f"{name}: {_matcher(matcher)}"
    yield from _course(expect)


def _course(expect: Expect) -> Iterator[str]:
    """How the answer has to arrive."""
    if isinstance(expect.stream, list):
        from metaio_verify.judge.violation import Violation  # noqa: PLC0415 - streams only

        for name in expect.stream:
            yield f"never in the stream: {Violation(name).meaning} ({name})"
    if isinstance(expect.timing, Timing):
        for name, bound in structs.asdict(expect.timing).items():
            if bound is not None:
                yield _TIMING[name].format(f"{bound:g}")


def _rule(name: str, args: dict[str, Any]) -> Iterator[str]:
    from metaio_verify.judge.rules import RULES  # noqa: PLC0415 - loads every rule

    summary = (RULES[name].__doc__ or "").strip().partition("\n")[0]
    yield f"rule {name}: {summary}"
    for key, value in args.items():
        yield f"  {key}: {_json(value)}"


def _request(probe: Probe) -> Iterator[str]:
    yield probe.purpose
    yield ""
    yield from curl(probe)
    yield from _circumstances(probe)


def _circumstances(probe: Probe) -> Iterator[str]:
    """When, how often and after what a probe is fired."""
    notes = []
    before = dict.fromkeys([*probe.needs, *(id_ for id_, _ in captured(probe))])
    if before:
        notes.append(f"after {listing(before, 'and')} succeeded")
    if probe.requires:
        notes.append(f"only where the target has {listing(probe.requires, 'and')}")
    if isinstance(probe.when_refused, str):
        notes.append(f"only if {probe.when_refused} was refused")
    if probe.times > 1:
        notes.append(f"{probe.times} times, one after the other")
    if probe.at_once > 1:
        notes.append(f"{probe.at_once} copies at once")
    if probe.padding:
        notes.append(f"followed by {probe.padding:,} bytes of white space")
    if probe.chunked:
        notes.append("in chunks, without a content-length")
    if probe.abort_after is not UNSET:
        notes.append("left as soon as the first delta has come")
    if isinstance(probe.until, Expect):
        asked = "; ".join(conditions(probe.until))
        notes.append(f"until {asked} (up to {len(probe.attempts)} further attempts)")
    if notes:
        yield from ("", *notes)


def _matcher(matcher: Any) -> str:
    """A matcher in words, unless it is too long for them."""
    words = described(matcher)
    return words if "…" not in words else f"JSON Schema {_json(matcher)}"


def _json(value: Any) -> str:
    return printable(json.dumps(value, ensure_ascii=False))
