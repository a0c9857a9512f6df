"""The rules of `messages`: roles, their order, tool calls and their results, replayed thinking."""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import Any

from metaio_verify.lab.blocks import check_content
from metaio_verify.lab.prompt import JsonObject, Turn, joined, turns
from metaio_verify.lab.seal import Seal, verify
from metaio_verify.lab.shape import Check, Problems, anything, fields, nullable, one_of

LATEST_VERSION = "2026-10-21"
_MAX_MESSAGES = 100_000
_ROLES = ("user", "assistant", "system")

EFFORTS = ("low", "medium", "high", "xhigh", "max")
_SYSTEM_FIELDS: dict[str, Check] = {
    "output_config": nullable(fields({}, {"effort": nullable(one_of(*EFFORTS))})),
    "clear_at": nullable(one_of("next_user_message", "never")),
}
_MESSAGE = fields({"role": one_of(*_ROLES), "content": anything}, {})
_SYSTEM_MESSAGE = fields({"role": one_of(*_ROLES)}, {"content": anything, **_SYSTEM_FIELDS})


def check_messages(value: Any, path: str, problems: Problems) -> None:
    """Check the shape of each message by itself."""
    if not isinstance(value, list):
        problems.add(path, "type", "Input should be a valid list")
        return
    if not value:
        problems.add(path, "empty", "at least one message is required")
    if len(value) > _MAX_MESSAGES:
        problems.add(path, "count", f"{len(value)} messages > {_MAX_MESSAGES} maximum")
        return
    for position, message in enumerate(value):
        _check_message(message, f"{path}.{position}", position == len(value) - 1, problems)


def _check_message(message: Any, path: str, is_last: bool, problems: Problems) -> None:  # noqa: FBT001  a fact of the message
    role = message.get("role") if isinstance(message, dict) else None
    (_SYSTEM_MESSAGE if role == "system" else _MESSAGE)(message, path, problems)
    if not isinstance(message, dict):
        return
    content = message.get("content")
    if not isinstance(content, str | list):
        if "content" in message:
            problems.add(f"{path}.content", "type", "Input should be a valid string or list")
        elif role == "system" and not message.get("output_config"):
            problems.add(f"{path}.content", "missing", "Field required")
        return
    if not content and not (is_last and role == "assistant"):
        problems.say(
            "messages.content.empty",
            f"{path}: all messages must have non-empty content except for the optional final "
            "assistant message",
        )
    elif isinstance(content, str) and content.isspace():
        problems.say(
            "messages.content.empty",
            f"{path}: text content blocks must contain non-whitespace text",
        )
    check_content(str(role), content, f"{path}.content", problems)


def check_order(body: JsonObject, version: str, key: str, problems: Problems) -> None:
    """Check what concerns more than one message, or depends on the API version."""
    messages = turns(body)
    _check_system_places(messages, problems)
    merged = joined(messages)
    _check_tool_pairs(merged, problems)
    _check_thinking(messages, key, problems)
    if version == LATEST_VERSION:
        _check_removed_blocks(messages, problems)
    _check_prefill(messages, problems)


def _check_system_places(messages: list[Turn], problems: Problems) -> None:
    previous: Turn | None = None
    for position, turn in enumerate(messages):
        if turn.role == "system":
            if previous is None:
                problems.say(
                    "system.first",
                    f"messages.{position}: a system message cannot be the first message; use the "
                    "top-level `system` parameter",
                )
            elif previous.role == "assistant":
                calls = _ids(previous, "tool_use", "id")
                rule = "system.inside-tool-use" if calls else "system.after-assistant"
                problems.say(
                    rule,
                    f"messages.{position}: a system message must directly follow a user message",
                )
        previous = turn


def _check_tool_pairs(merged: list[Turn], problems: Problems) -> None:
    seen: set[str] = set()
    waiting: list[str] = []
    for position, turn in enumerate(merged):
        if turn.role == "user":
            _check_results(turn, waiting, position, problems)
            waiting = []
        elif turn.role == "assistant":
            waiting = _ids(turn, "tool_use", "id")
            if len(set(waiting)) < len(waiting) or not seen.isdisjoint(waiting):
                problems.say("tool_use.duplicate", "messages: `tool_use` ids must be unique")
            seen.update(waiting)
    if waiting:
        _refuse_unanswered(waiting, len(merged) - 1, problems)


def _check_results(turn: Turn, waiting: list[str], position: int, problems: Problems) -> None:
    leading = takewhile(lambda block: block.get("type") == "tool_result", turn.blocks)
    answered = set(_ids(Turn(turn.role, list(leading)), "tool_result", "tool_use_id"))
    if missing := [call for call in waiting if call not in answered]:
        _refuse_unanswered(missing, position - 1, problems)
    expected = set(waiting)
    for result, times in Counter(_ids(turn, "tool_result", "tool_use_id")).items():
        if result not in expected:
            problems.say(
                "tool_result.orphan",
                f"messages.{position}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{result}. Each `tool_result` block must have a corresponding `tool_use` block in "
                "the previous message.",
            )
        elif times > 1:
            problems.say(
                "tool_result.duplicate",
                f"messages.{position}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {result}",
            )


def _refuse_unanswered(calls: list[str], position: int, problems: Problems) -> None:
    problems.say(
        "tool_use.unanswered",
        f"messages.{position}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(calls)}. Each `tool_use` block must have a corresponding "
        "`tool_result` block in the next message.",
    )


def _check_thinking(messages: list[Turn], key: str, problems: Problems) -> None:
    for position, turn in enumerate(messages):
        for place, block in enumerate(turn.blocks):
            if block.get("type") != "thinking":
                continue
            path = f"messages.{position}.content.{place}"
            match verify(str(block.get("thinking", "")), str(block.get("signature", "")), key):
                case Seal.FORGED:
                    problems.say(
                        "thinking.signature", f"{path}: Invalid `signature` in `thinking` block"
                    )
                case Seal.MODIFIED:
                    problems.say(
                        "thinking.modified",
                        f"{path}: `thinking` or `redacted_thinking` blocks in the latest assistant "
                        "message cannot be modified. These blocks must remain as they were in the "
                        "original response.",
                    )
                case Seal.GENUINE:
                    pass


def _check_removed_blocks(messages: list[Turn], problems: Problems) -> None:
    """Refuse what API version 2026-10-21 took away."""
    for position, turn in enumerate(messages):
        for place, block in enumerate(turn.blocks):
            path = f"messages.{position}.content.{place}"
            if turn.role == "assistant" and block.get("type") == "document":
                problems.say(
                    "document.in-assistant",
                    f"{path}: `document` blocks are not permitted in assistant messages",
                )
            if turn.role == "user" and block.get("type") == "text" and block.get("citations"):
                problems.say(
                    "citations.in-user",
                    f"{path}.text.citations: citations are not permitted in user messages",
                )


def _check_prefill(messages: list[Turn], problems: Problems) -> None:
    """A prefill is continued; it must not end in white space."""
    if not messages or messages[-1].role != "assistant" or not messages[-1].blocks:
        return
    last = messages[-1].blocks[-1]
    text = last.get("text")
    if last.get("type") == "text" and isinstance(text, str) and text != text.rstrip():
        problems.say(
            "prefill.whitespace",
            "messages: final assistant content cannot end with trailing whitespace",
        )


def _ids(turn: Turn, kind: str, field: str) -> list[str]:
    """Return the ids in the blocks of a kind."""
    return [
        block[field]
        for block in turn.blocks
        if block.get("type") == kind and isinstance(block.get(field), str)
    ]
