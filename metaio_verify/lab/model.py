"""The obedient model: it does what the prompt says, word for word, always the same.

Probes are written in these sentences, so that a check never depends on a model's mood:

    Reply with exactly: X · Repeat exactly: X · Write: X     X
    Reply with one word.                                     one word
    Count from A to B.                                       the numbers
    Write N words.                                           N words
    Which token did I give you?                              the VERIFY- token of the conversation
    The descriptions of … Which tokens are these?            the tokens in the tools' descriptions
    Call the tool NAME · Use the tool · Call both tools      tool calls that fit their schemas
    system: Answer only with the word X.                     X, the last such sentence wins
    (a tool result)                                          its text, if nothing else is asked
    (a PNG image) Which colour?                              the colour of its first pixel
    (a document) Which token does it hold?                   the VERIFY- token in its text
    anything else                                            OK.
"""

from __future__ import annotations

import re
from itertools import cycle, islice
from typing import Any

import msgspec

from metaio_verify.lab.fill import fill
from metaio_verify.lab.prompt import (
    JsonObject,
    Turn,
    blocks_of,
    choice_of_tools,
    joined,
    loaded_tools,
    output_schema,
    system_texts,
    text_of,
    thinking_type,
    turns,
)
from metaio_verify.lab.reading import text_in
from metaio_verify.lab.vision import colour_of

REFUSAL_TRIGGER = (
    "ANTHROPIC_MAGIC_STRING_TRIGGER_REFUSAL_"
    "1FAEFB6177B4672DEE07F9D3AFC62588CCD2631EDCF22E8CCC1FB35B501C9C86"
)
"""The documented text that makes the API refuse."""

_THOUGHT = "I follow the instruction."
_WORDS = ("alpha", "river", "stone", "green", "seven", "cloud", "paper", "light", "north", "house")
_MOST_WORDS = 200_000

_ONLY = re.compile(
    r"\b(?:answer|reply|respond)\s+only\s+with(?:\s+the\s+word)?:?\s+[\"'`]?([^\s\"'`.!,]+)",
    re.IGNORECASE,
)
_EXACTLY = re.compile(
    r"\b(?:(?:reply|answer|respond)\s+with\s+exactly|(?:repeat|write|say)(?:\s+exactly)?):\s*(.+)",
    re.IGNORECASE | re.DOTALL,
)
_COUNT = re.compile(r"\bcount\s+from\s+(\d{1,6})\s+to\s+(\d{1,6})", re.IGNORECASE)
_N_WORDS = re.compile(r"\bwrite\s+(?:about\s+|exactly\s+)?(\d{1,6})\s+words", re.IGNORECASE)
_ONE_WORD = re.compile(r"\b(?:with\s+)?one\s+word\b", re.IGNORECASE)
_WHICH_TOKEN = re.compile(r"\bwhich\s+token\b", re.IGNORECASE)
_DESCRIBED_TOKENS = re.compile(r"\bdescriptions\b.*\bwhich\s+tokens\b", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"VERIFY-[A-Z0-9]{8}")
_REMEMBERED = re.compile(r"\bremember\s+this\s+token:?\s*(VERIFY-[A-Z0-9]{8})", re.IGNORECASE)
_CALL = re.compile(r"\b(?:call|use|invoke)\b", re.IGNORECASE)
_ALL_TOOLS = re.compile(r"\b(?:both|all)\s+(?:the\s+)?tools\b", re.IGNORECASE)
_THE_TOOL = re.compile(r"\b(?:the|a|this|that)\s+tool\b(?!\s+\w+[_-])", re.IGNORECASE)
_PLACE = re.compile(r"\b(?:in|of|for|at)\s+([A-Z][a-z]+)\b")
_COLOUR = re.compile(r"\bcolou?r\b", re.IGNORECASE)


def answer(body: JsonObject) -> list[JsonObject] | None:
    """Return the content blocks of the answer, without ids and signatures; None is a refusal."""
    messages = turns(body)
    merged = joined(messages)
    said = _last_user(merged)
    prompt = text_of(said)
    if REFUSAL_TRIGGER in prompt:
        return None
    thoughts = _thoughts(body, said)
    calls = _calls(body, messages, said, prompt)
    if calls:
        polite = choice_of_tools(body)[0] == "auto"
        names = " and ".join(call["name"] for call in calls)
        intro = [_text(f"I call {names}.")] if polite else []
        return [*thoughts, *intro, *calls]
    return [*thoughts, _text(_continued(_reply(body, messages, merged), merged))]


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _last_user(merged: list[Turn]) -> list[JsonObject]:
    return next((turn.blocks for turn in reversed(merged) if turn.role == "user"), [])


def _thoughts(body: JsonObject, said: list[JsonObject]) -> list[JsonObject]:
    """Think when asked to; in the mode `between_tools` only after a tool's result."""
    kind = thinking_type(body)
    if kind in ("adaptive", "enabled") or (kind == "between_tools" and _results(said)):
        return [{"type": "thinking", "thinking": _THOUGHT}]
    return []


def _results(said: list[JsonObject]) -> list[JsonObject]:
    return [block for block in said if block.get("type") == "tool_result"]


def _calls(
    body: JsonObject, messages: list[Turn], said: list[JsonObject], prompt: str
) -> list[JsonObject]:
    """Return the tool calls that the prompt, or `tool_choice`, asks for."""
    tools = loaded_tools(body, messages)
    choice, forced, parallel = choice_of_tools(body)
    wanted = [] if _results(said) else _named(tools, prompt)
    match choice:
        case "none":
            wanted = []
        case "tool":
            wanted = [tool for tool in tools if tool["name"] == forced]
        case "any":
            wanted = wanted or tools[:1]
    tokens = _TOKEN.findall(prompt)
    place = _PLACE.search(prompt)
    fallback = place[1] if place else "Paris"
    return [
        {
            "type": "tool_use",
            "name": tool["name"],
            "input": _arguments(tool, tokens[position % len(tokens)] if tokens else fallback),
        }
        for position, tool in enumerate(wanted if parallel else wanted[:1])
    ]


def _named(tools: list[JsonObject], prompt: str) -> list[JsonObject]:
    """Return the tools that the prompt tells to call."""
    if not _CALL.search(prompt):
        return []
    if _ALL_TOOLS.search(prompt):
        return tools
    named = [
        tool
        for tool in tools
        if re.search(rf"(?<![\w-]){re.escape(tool['name'])}(?![\w-])", prompt)
    ]
    return named or (tools[:1] if _THE_TOOL.search(prompt) else [])


def _arguments(tool: JsonObject, word: str) -> Any:
    return fill({"type": "object", **(tool.get("input_schema") or {})}, word)


def _reply(body: JsonObject, messages: list[Turn], merged: list[Turn]) -> str:
    """Return the text of the answer."""
    said = _last_user(merged)
    prompt = text_of(said)
    if (schema := output_schema(body)) is not None:
        token = _TOKEN.search(prompt)
        return msgspec.json.encode(fill(schema, token[0] if token else "Paris")).decode()
    if (word := _only_word(system_texts(body, messages))) is not None:
        return word
    if _DESCRIBED_TOKENS.search(prompt):
        told = " ".join(str(tool.get("description")) for tool in loaded_tools(body, messages))
        return " ".join(_TOKEN.findall(told))
    if obeyed := _obeyed(said, merged):
        return obeyed
    return "\n".join(filter(None, map(_result_text, _results(said)))) or "OK."


def _only_word(texts: list[str]) -> str | None:
    """Return the word that the system wants as the answer; the last such sentence wins."""
    for text in reversed(texts):
        # Real system prompts are long; looking for the plain word first is ten times faster.
        if "only" in text.lower() and (words := _ONLY.findall(text)):
            return str(words[-1])
    return None


def _result_text(result: JsonObject) -> str:
    """Return what a tool said; other kinds of content by their name."""
    parts = blocks_of(result.get("content"))
    return "\n".join(text_in(part) or colour_of(part) or f"({part.get('type')})" for part in parts)


def _obeyed(said: list[JsonObject], merged: list[Turn]) -> str | None:
    """Return what the user's own words ask for; the last block that asks wins."""
    for block in reversed(said):
        text = block.get("text")
        if not isinstance(text, str):
            continue
        if match := _EXACTLY.search(text):
            return match[1].strip()
        if _WHICH_TOKEN.search(text):
            return _remembered(merged)
        if match := _COUNT.search(text):
            numbers = range(int(match[1]), int(match[2]) + 1)
            return " ".join(map(str, numbers[:_MOST_WORDS]))
        if match := _N_WORDS.search(text):
            return " ".join(islice(cycle(_WORDS), min(int(match[1]), _MOST_WORDS)))
        if match := _ONLY.search(text):
            return match[1]
        if _COLOUR.search(text) and (seen := list(filter(None, map(colour_of, said)))):
            return seen[-1]
        if _ONE_WORD.search(text):
            return "Hello"
    return None


def _remembered(merged: list[Turn]) -> str | None:
    """Return the token that the user gave last."""
    blocks = [block for turn in merged if turn.role == "user" for block in turn.blocks]
    told = "\n".join(map(text_in, blocks))
    found = _REMEMBERED.findall(told) or _TOKEN.findall(told)
    return found[-1] if found else None


def _continued(reply: str, merged: list[Turn]) -> str:
    """Return what follows the prefill, if the conversation ends with one."""
    if not merged or merged[-1].role != "assistant":
        return reply
    return reply.removeprefix(text_of(merged[-1].blocks)) or "OK."
