"""Rules about what a gateway that speaks the Anthropic API sends up: the same that it was sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from metaio_verify.judge.pair import Pair, as_blocks, blocks, nothing, pairs, same, turns, walk
from metaio_verify.judge.path import compile_path
from metaio_verify.judge.rules.registry import (
    Answers,
    NothingToJudgeError,
    NotSeenError,
    deviation,
    each,
    rule,
)
from metaio_verify.judge.wording import quote, shown
from metaio_verify.record import Dialect, Finding, Target

_NOTHING = "nothing"
_WHOLE = "the request"
_COMPARED = 1000
_ALIKE = 0.6
"""A text that has this share in common with one that was sent is that one, changed."""


@rule
def one_request_up(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each request leads to exactly one request to the upstream, and is answered from it."""
    # What the gateway refused by itself was neither repeated nor answered from elsewhere.
    seen = [
        one
        for one in each(answers)
        if one.exchange.forwarded or (one.succeeded and one.exchange.forwarded == [])
    ]
    if not seen:
        raise nothing(answers)
    return [
        deviation(one, "one request to the upstream", f"{count}: {one.outcome}", "upstream")
        for one in seen
        if (count := len(one.exchange.forwarded or ())) != 1
    ]


@rule(required=("names",), optional=("list",))
def headers_forwarded(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """These headers arrive with the values that were sent; as a `list`, others may stand beside."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for name in args["names"]:
            sent, arrived = pair.sent_headers.get(name, []), pair.arrived_headers.get(name, [])
            if args.get("list"):
                missing = [value for value in _values(sent) if value not in _values(arrived)]
                if missing:
                    lost = f"without {', '.join(missing)}"
                    findings.append(_finding(pair, ", ".join(sent), lost, f"header {name}"))
            elif sent and sent != arrived:
                got = ", ".join(arrived) or _NOTHING
                findings.append(_finding(pair, ", ".join(sent), got, f"header {name}"))
    return findings


@rule(required=("names",))
def headers_not_added(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """These headers arrive without values that nobody sent."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for name in args["names"]:
            sent = _values(pair.sent_headers.get(name, []))
            arrived = _values(pair.arrived_headers.get(name, []))
            if added := [value for value in arrived if value not in sent]:
                expected = ", ".join(sent) or _NOTHING
                findings.append(
                    _finding(pair, expected, f"also {', '.join(added)}", f"header {name}")
                )
    return findings


@rule(required=("paths",))
def values_forwarded(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """What each path selects of the body that was sent, it also selects of the one that arrived.

    In the same order; what stands there besides is the business of other checks.
    """
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for path in args["paths"]:
            sent = [node.value for node in compile_path(path)(pair.sent)]
            arrived = [node.value for node in compile_path(path)(pair.arrived)]
            rest = iter(arrived)
            if not all(any(same(one, other) for other in rest) for one in sent):
                findings.append(_finding(pair, *_difference(sent, arrived), path))
    return findings


@rule
def query_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The query of the URL arrives."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        sent = pair.evidence.exchange.request.url.partition("?")[2]
        arrived = pair.forwarded.request.target.partition("?")[2]
        if sent not in arrived:
            findings.append(
                _finding(pair, f"?{sent}", f"?{arrived}" if arrived else _NOTHING, "URL")
            )
    return findings


@rule
def system_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The blocks of the system prompt arrive as they are, each by itself and in their order."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        sent = [block.get("text") for block in _system(pair.sent)]
        arrived = iter([block.get("text") for block in _system(pair.arrived)])
        missing = [text for text in sent if text not in arrived]
        if missing:
            count = len(_system(pair.arrived))
            actual = f"{count} blocks, and not in its place: {shown(missing[0])}"
            findings.append(_finding(pair, f"{len(sent)} blocks in order", actual, "$.system"))
    return findings


@rule
def nothing_hidden(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No text and no tool arrives that was not sent."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        for where, left, right in (
            ("$.system", _texts(_system(pair.sent)), _texts(_system(pair.arrived))),
            ("$.messages", _texts(_parts(pair.sent)), _texts(_parts(pair.arrived))),
            ("$.tools", _names(pair.sent), _names(pair.arrived)),
        ):
            # A text that was joined, cut or changed is not hidden; it is another check's.
            added = [text for text in right if not _is_made_of(text, left)]
            findings += [_finding(pair, _NOTHING, shown(text), where) for text in added]
    return findings


@rule
def breakpoints_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each cache breakpoint arrives where it was, with its life."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        arrived = _breakpoints(pair.arrived)
        lost = _breakpoints(pair.sent) - arrived
        findings += [
            _finding(pair, f"{mark} on {place}", _NOTHING, "cache_control")
            for place, mark in lost
            # One of the request as a whole is a newer field, and judged as such.
            if not place.startswith(_WHOLE)
        ]
    return findings


@rule
def no_breakpoints_added(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """No cache breakpoint arrives where there was none."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        sent, arrived = _breakpoints(pair.sent), _breakpoints(pair.arrived)
        if arrived.total() > sent.total():
            marked = {place for place, _ in sent}
            findings += [
                _finding(pair, _NOTHING, f"{mark} on {place}", "cache_control")
                for place, mark in arrived
                if place not in marked
            ]
    return findings


@rule
def turns_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every text of the conversation arrives unchanged, under its role and in its order."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        sent, arrived = _said(pair.sent), _said(pair.arrived)
        rest = iter(arrived)
        missing = [one for one in sent if one not in rest]
        if missing:
            role, text = missing[0]
            findings.append(
                _finding(pair, f"{role}: {shown(text)}", _nearest(text, arrived), "$.messages")
            )
    return findings


@rule
def results_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Each result of a tool arrives with all its parts, in their order."""
    findings = []
    for pair in pairs(answers, Dialect.ANTHROPIC):
        arrived = {block.get("tool_use_id"): block for block in blocks(pair.arrived, "tool_result")}
        for block in blocks(pair.sent, "tool_result"):
            id_ = block.get("tool_use_id")
            there = arrived.get(id_)
            sent = [_kind(part) for part in as_blocks(block.get("content"))]
            came = [_kind(part) for part in as_blocks((there or {}).get("content"))]
            if there is None or sent != came:
                where = f"tool_result {id_}"
                findings.append(
                    _finding(pair, quote(sent), quote(came) if there else _NOTHING, where)
                )
    return findings


@rule
def one_model_up(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """One model of the client is one model of the upstream, whatever the form of the request."""
    names: dict[str, Pair] = {}
    for pair in pairs(answers, *Dialect):
        name = pair.arrived.get("model") if isinstance(pair.arrived, dict) else None
        names.setdefault(str(name), pair)
    (first, _), *others = names.items()
    return [_finding(pair, first, name, "$.model") for name, pair in others]


@rule
def client_key_stays(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The credential of the client does not reach the upstream."""
    found = pairs(answers, *Dialect)
    return [
        _finding(pair, "no credential of the client", "the key of the request", place)
        for pair in found
        for place in pair.forwarded.leaks
    ]


@rule
def count_forwarded(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A request to count tokens that goes up asks for the count of the same prompt."""
    try:
        found = pairs(answers, Dialect.ANTHROPIC)
    except NotSeenError:
        raise
    except NothingToJudgeError:
        raise NotSeenError("the gateway counts by itself, or not at all") from None
    return [
        _finding(pair, shown(left), shown(right), where)
        for pair in found
        for where, left, right in (
            ("$.system", _texts(_system(pair.sent)), _texts(_system(pair.arrived))),
            ("$.messages", _said(pair.sent), _said(pair.arrived)),
            ("$.tools", _names(pair.sent), _names(pair.arrived)),
        )
        if left != right
    ]


def _finding(pair: Pair, expected: str, actual: str, where: str) -> Finding:
    return deviation(pair.evidence, expected, actual, f"upstream: {where}")


def _values(lines: list[str]) -> list[str]:
    return [value.strip() for line in lines for value in line.split(",") if value.strip()]


def _difference(sent: list[Any], arrived: list[Any]) -> tuple[str, str]:
    """Return the first two values that differ, or what is missing."""
    for left, right in zip(sent, arrived, strict=False):
        if not same(left, right):
            return shown(left), shown(right)
    if len(sent) > len(arrived):
        return shown(sent[len(arrived)]), _NOTHING
    return _NOTHING, shown(arrived[len(sent)])


def _system(body: Any) -> list[Any]:
    found = as_blocks(body.get("system")) if isinstance(body, dict) else []
    return [block for block in found if isinstance(block, dict)]


def _parts(body: Any) -> list[Any]:
    return [part for _, part in turns(body)]


def _texts(parts: list[Any]) -> list[str]:
    return [str(part["text"]) for part in parts if isinstance(part, dict) and part.get("text")]


def _names(body: Any) -> list[str]:
    tools = body.get("tools") if isinstance(body, dict) else None
    listed = tools if isinstance(tools, list) else []
    return [str(tool.get("name")) for tool in listed if isinstance(tool, dict)]


def _is_made_of(text: str, sent: list[str]) -> bool:
    """Whether a text is one that was sent, a part of it, several of them, or one that changed."""
    if any(text in one for one in sent):
        return True
    rest = text
    for one in sorted(sent, key=len, reverse=True):
        rest = rest.replace(one, "").replace(one.strip(), "")
    return not rest.strip() or any(_is_like(text, one) for one in sent)


def _is_like(one: str, other: str) -> bool:
    compared = SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False)
    return compared.ratio() > _ALIKE


def _breakpoints(body: Any) -> Counter[tuple[str, str]]:
    """Return what is marked, by what it is, and how."""
    return Counter(
        (_identity(value), _canonical(value["cache_control"]))
        for value in walk(body)
        if isinstance(value, dict) and value.get("cache_control") is not None
    )


def _canonical(value: Any) -> str:
    return quote(dict(sorted(value.items())) if isinstance(value, dict) else value)


def _identity(value: Mapping[str, Any]) -> str:
    kind = value.get("type") or ("tool" if "input_schema" in value else _WHOLE)
    source = value.get("source")
    data = source.get("data") or source.get("url") if isinstance(source, dict) else None
    name = value.get("tool_use_id") or value.get("id") or value.get("name")
    return f"{kind} {shown(str(name or value.get('text') or data or '')[:40])}"


def _said(body: Any) -> list[tuple[str, str]]:
    return [
        (role, part["text"])
        for role, part in turns(body)
        if isinstance(part, dict)
        and part.get("type") == "text"
        and isinstance(part.get("text"), str)
    ]


def _nearest(text: str, arrived: list[tuple[str, str]]) -> str:
    bare = text.strip()[:20]
    near = (f"{role}: {shown(found)}" for role, found in arrived if bare and bare in found)
    return next(near, _NOTHING)


def _kind(part: Any) -> Any:
    """Return what a part of a result is, without what other checks are about."""
    if not isinstance(part, dict):
        return part
    return part.get("text") if part.get("type") == "text" else part.get("type")
