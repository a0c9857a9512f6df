"""Rules about what a translating gateway sends up: nothing that the user said is lost.

Where two translations are defensible, both pass: texts may be joined or split, what another API
has no place for may stand in a message of its own, thinking and breakpoints may be left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from metaio_verify.judge.pair import Pair, as_blocks, blocks, pairs, same, turns
from metaio_verify.judge.rules.registry import Answers, deviation, rule
from metaio_verify.judge.translated import Asked, asked
from metaio_verify.judge.wording import quote, shown
from metaio_verify.record import Dialect, Finding, Target

_OPENAI = (Dialect.CHAT, Dialect.RESPONSES)
_NOTHING = "nothing"
_ATTRIBUTION = "x-anthropic-billing-header"
"""How Claude Code's attribution line begins; another provider has no use for it."""
_OF_RESULTS = frozenset(
    {"call_id", "content", "id", "name", "output", "role", "status", "tool_call_id", "type"}
)
_FORM = re.compile(r'text|type|content|tool_result|[\s\[\]{}":,\\]')
"""What a list of parts has around its texts where it is written as JSON."""
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


@rule
def system_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every text of the system prompt reaches the upstream, in order and before the conversation.

    As the system's or the developer's, or at the beginning of the first turn.
    """
    findings = []
    for pair in pairs(answers, *_OPENAI):
        found = asked(pair)
        first = next((n for n, one in enumerate(found.said) if one[0] == "user"), len(found.said))
        before = "\n".join(text for _, text in found.said[: first + 1])
        sent = [str(block.get("text")) for block in as_blocks(pair.sent.get("system"))]
        wanted = [text for text in sent if not text.startswith(_ATTRIBUTION)]
        findings += _in_order(pair, wanted, before, "system")
    return findings


@rule
def turns_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every text of the conversation reaches the upstream, in order, on its side of it."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        found = asked(pair)
        for ours in (True, False):
            sent = [
                part["text"]
                for role, part in turns(pair.sent)
                if part.get("type") == "text" and (role != "assistant") == ours
            ]
            theirs = "\n".join(text for role, text in found.said if (role != "assistant") == ours)
            findings += _in_order(pair, sent, theirs, "user" if ours else "assistant")
    return findings


@rule
def calls_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every earlier call of a tool reaches the upstream, with its name and its arguments."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        sent = [(block["name"], block["input"]) for block in blocks(pair.sent, "tool_use")]
        came = [(call.name, call.input) for call in asked(pair).calls]
        for number, (name, given) in enumerate(sent):
            there = came[number] if number < len(came) else None
            if there is None or there[0] != name or not same(there[1], given):
                expected = f"{name} {quote(given)}"
                actual = f"{there[0]} {quote(there[1])}" if there else _NOTHING
                findings.append(_finding(pair, expected, actual, f"call {number + 1}"))
    return findings


@rule
def results_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every word of a tool's result reaches the upstream, as the result of its own call."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        found = asked(pair)
        theirs = _ids(pair, found)
        for block in blocks(pair.sent, "tool_result"):
            id_ = block["tool_use_id"]
            came = found.results.get(theirs.get(id_, id_), "")
            for part in as_blocks(block.get("content")):
                if part.get("type") == "text" and part["text"] not in came:
                    actual = shown(came) if came else _NOTHING
                    where = f"result of {id_}"
                    findings.append(_finding(pair, shown(part["text"]), actual, where))
    return findings


@rule
def failures_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The result of a tool that failed says so: in words of its own, or in a field.

    Which words is the gateway's choice; one that adds nothing at all to the text does not say it.
    """
    findings = []
    for pair in pairs(answers, *_OPENAI):
        found = asked(pair)
        theirs = _ids(pair, found)
        for block in blocks(pair.sent, "tool_result"):
            id_ = theirs.get(block["tool_use_id"], block["tool_use_id"])
            if block.get("is_error") and id_ in found.results:
                rest = found.results[id_]
                for part in as_blocks(block.get("content")):
                    rest = rest.replace(str(part.get("text")), "")
                if not _FORM.sub("", rest) and not _has_more(found.result_items[id_]):
                    actual = shown(found.results[id_])
                    where = f"result of {block['tool_use_id']}"
                    findings.append(_finding(pair, "words that tell of a failure", actual, where))
    return findings


@rule
def tools_translated(
    answers: Answers, _args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """Every tool reaches the upstream with its description and the names of its parameters."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        found = asked(pair).tools
        for tool in pair.sent.get("tools", []):
            name, there = tool["name"], found.get(tool["name"])
            if there is None:
                findings.append(_finding(pair, f"the tool {name}", _NOTHING, "tools"))
                continue
            if str(tool.get("description")) not in str(there.get("description")):
                actual = shown(there.get("description"))
                findings.append(_finding(pair, shown(tool["description"]), actual, f"tool {name}"))
            for key in ("properties", "required"):
                sent = tool["input_schema"].get(key) or []
                parameters = there.get("parameters")
                came = parameters.get(key) if isinstance(parameters, dict) else None
                came = came if isinstance(came, dict | list) else []
                if lost := [one for one in sent if one not in came]:
                    where = f"{key} of {name}"
                    findings.append(_finding(pair, shown(list(sent)), f"without {lost}", where))
    return findings


@rule(required=("of",))
def data_translated(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """The content of images and documents reaches the upstream, somewhere.

    `of` says which: `images` and `documents` of the user, `results` for those in tool results.
    """
    findings = []
    for pair in pairs(answers, *_OPENAI):
        everything = asked(pair).everything
        in_results = [
            part
            for block in blocks(pair.sent, "tool_result")
            for part in as_blocks(block.get("content"))
        ]
        kinds = {"images": "image", "documents": "document"}
        wanted = in_results if args["of"] == "results" else [part for _, part in turns(pair.sent)]
        for part in wanted:
            kind = part.get("type")
            source = part.get("source")
            if isinstance(source, dict) and kind == kinds.get(args["of"], kind):
                data = str(source.get("data"))
                # A text may go up as a file, whose content is written in base64.
                as_file = base64.b64encode(data.encode()).decode()
                if data not in everything and as_file not in everything:
                    findings.append(_finding(pair, f"{kind} {shown(data[:40])}", _NOTHING, "body"))
    return findings


@rule(required=("of",))
def parameters_translated(
    answers: Answers, args: Mapping[str, Any], _target: Target, _model: str | None
) -> list[Finding]:
    """A parameter means the same upstream: `limit`, `sampling` or `one-call`."""
    findings = []
    for pair in pairs(answers, *_OPENAI):
        for name, sent, came in _parameters(args["of"], pair, asked(pair)):
            if sent is not None and not same(sent, came):
                actual = _NOTHING if came is None else shown(came)
                findings.append(_finding(pair, shown(sent), actual, name))
    return findings


def _parameters(kind: str, pair: Pair, found: Asked) -> list[tuple[str, Any, Any]]:
    body = pair.sent
    match kind:
        case "limit":
            return [("max_tokens", body.get("max_tokens"), found.value(*_LIMITS))]
        case "sampling":
            return [("temperature", body.get("temperature"), found.value("temperature"))]
        case "one-call":
            choice = body.get("tool_choice") or {}
            one = False if choice.get("disable_parallel_tool_use") else None
            return [("parallel_tool_calls", one, found.value("parallel_tool_calls"))]
    return []


def _ids(pair: Pair, found: Asked) -> dict[str, str]:
    """Return the ids of the upstream's calls by ours: a gateway may give them new ones."""
    own = [block["id"] for block in blocks(pair.sent, "tool_use")]
    return dict(zip(own, (call.id for call in found.calls), strict=False))


def _has_more(item: Mapping[str, Any]) -> bool:
    """Whether a result has fields that one of a tool that did its work has not."""
    return bool(item.keys() - _OF_RESULTS) or item.get("status") not in (None, "completed")


def _in_order(pair: Pair, sent: list[str], came: str, where: str) -> list[Finding]:
    """Return the first text that does not stand where the ones before it leave off."""
    at = 0
    for text in sent:
        place = came.find(text.strip(), at)
        if place < 0:
            actual = "not in its place" if text.strip() in came else _NOTHING
            return [_finding(pair, shown(text), actual, where)]
        at = place + len(text.strip())
    return []


def _finding(pair: Pair, expected: str, actual: str, where: str) -> Finding:
    return deviation(pair.evidence, expected, actual, f"upstream: {where}")
