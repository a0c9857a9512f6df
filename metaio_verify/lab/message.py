"""The finished message: what the model said, cut to what was allowed, with ids and honest usage."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from metaio_verify.lab import model, tokens
from metaio_verify.lab.cache import InputUsage
from metaio_verify.lab.prompt import JsonObject, thinking_type
from metaio_verify.lab.seal import sign

_DEFAULT_MAX_TOKENS = 1024


class _Cut(NamedTuple):
    """An answer after its bounds were applied."""

    content: list[JsonObject]
    output_tokens: int
    thinking_tokens: int
    stop_reason: str
    stop_sequence: str | None = None


def new_id(prefix: str) -> str:
    """Return an identifier that was never given before."""
    return f"{prefix}_01{secrets.token_hex(11)}"


def compose(body: JsonObject, usage: InputUsage, window: int, key: str) -> JsonObject:
    """Return the answer to a valid body; `window` bounds prompt and answer together."""
    said = model.answer(body)
    details = None
    if said is None:
        cut = _Cut([], 1, 0, "refusal")
        details = {"type": "refusal", "category": None, "explanation": None}
    else:
        cut = _cut(said, body, window - sum(usage))
    message: JsonObject = {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": [_finished(block, body, key) for block in cut.content],
        "stop_reason": cut.stop_reason,
        "stop_sequence": cut.stop_sequence,
        "stop_details": details,
        "usage": {
            **usage.fields(),
            "output_tokens": cut.output_tokens,
            "output_tokens_details": {"thinking_tokens": cut.thinking_tokens},
            "service_tier": "standard",
        },
    }
    message.update(_extras(body, message["content"]))
    return message


def _cut(said: list[JsonObject], body: JsonObject, room: int) -> _Cut:
    """Stop at a stop sequence or at the last token that is allowed, whichever comes first."""
    asked = body.get("max_tokens")
    asked = asked if isinstance(asked, int) else _DEFAULT_MAX_TOKENS
    limit = max(0, min(asked, room))
    at_limit = "max_tokens" if asked <= room else "model_context_window_exceeded"
    kept: list[JsonObject] = []
    used = thought = 0
    for block in said:
        text, stopped_by = _until_stop_sequence(block, body)
        size = _size(block, text + (stopped_by or ""))
        left = limit - used
        if size > left:
            kept += _begun(block, left)
            thought += left if block["type"] == "thinking" else 0
            return _Cut(kept, limit, thought, at_limit)
        used += size
        thought += size if block["type"] == "thinking" else 0
        kept += [block] if stopped_by is None else _texts(text)
        if stopped_by is not None:
            return _Cut(kept, used, thought, "stop_sequence", stopped_by)
    calls = any(block["type"] == "tool_use" for block in kept)
    return _Cut(kept, max(used, 1), thought, "tool_use" if calls else "end_turn")


def _until_stop_sequence(block: JsonObject, body: JsonObject) -> tuple[str, str | None]:
    """Return a block's text up to the first stop sequence, and that sequence."""
    text = str(block.get("text", ""))
    given = body.get("stop_sequences")
    sequences = [one for one in given if isinstance(one, str) and one] if given else []
    found = [(place, one) for one in sequences if (place := text.find(one)) >= 0]
    if not found:
        return text, None
    place, sequence = min(found)
    return text[:place], sequence


def _size(block: JsonObject, text: str) -> int:
    match block["type"]:
        case "thinking":
            return tokens.length(block["thinking"])
        case "tool_use":
            return tokens.length(block["name"] + msgspec.json.encode(block["input"]).decode())
        case _:
            return tokens.length(text)


def _begun(block: JsonObject, left: int) -> list[JsonObject]:
    """Return as much of a block as fits; a tool call is whole or absent."""
    match block["type"]:
        case "text":
            return _texts(tokens.first(block["text"], left))
        case "thinking" if left > 0:
            return [{"type": "thinking", "thinking": tokens.first(block["thinking"], left)}]
        case _:
            return []


def _texts(text: str) -> list[JsonObject]:
    return [{"type": "text", "text": text}] if text else []


def _finished(block: JsonObject, body: JsonObject, key: str) -> JsonObject:
    """Return the block with its id or its signature."""
    match block["type"]:
        case "tool_use":
            named = {"type": "tool_use", "id": new_id("toolu"), "name": block["name"]}
            return {**named, "input": block["input"]}
        case "thinking":
            shown = _shows_thinking(body)
            text = block["thinking"]
            return {
                "type": "thinking",
                "thinking": text if shown else "",
                "signature": sign(text, key, shown=shown),
            }
        case _:
            return block


def _shows_thinking(body: JsonObject) -> bool:
    if thinking_type(body) == "disabled":
        return False
    return bool(body["thinking"].get("display") != "omitted")


def _extras(body: JsonObject, content: list[JsonObject]) -> JsonObject:
    """Return the fields that only some requests get."""
    extras: JsonObject = {}
    if body.get("context_management"):
        extras["context_management"] = {"applied_edits": []}
    if container := body.get("container"):
        given = container.get("id") if isinstance(container, dict) else container
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)
        extras["container"] = {
            "id": given or new_id("container"),
            "expires_at": end.isoformat().replace("+00:00", "Z"),
        }
    if safeguards := body.get("safeguards"):
        calls = [block["id"] for block in content if block["type"] == "tool_use"]
        extras["safeguard_results"] = [
            {
                "type": guard.get("type"),
                "status": "evaluated",
                "results": [{"tool_use_id": call, "verdict": "not_flagged"} for call in calls],
            }
            for guard in safeguards
            if isinstance(guard, dict)
        ]
    return extras
