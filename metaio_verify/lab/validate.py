"""The rules of a body of `/v1/messages` and `/v1/messages/count_tokens`.

`problems_of_messages` and `problems_of_count` return every refusal, in the order of the API; the
first one is what a conforming endpoint answers.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from metaio_verify.lab.blocks import CACHE_CONTROL, TEXT
from metaio_verify.lab.conversation import EFFORTS, LATEST_VERSION, check_messages, check_order
from metaio_verify.lab.prompt import (
    JsonObject,
    blocks_of,
    choice_of_tools,
    output_schema,
    thinking_type,
    tool_list,
    turns,
)
from metaio_verify.lab.shape import (
    Check,
    Problems,
    anything,
    boolean,
    fields,
    integer,
    list_of,
    mapping,
    nullable,
    number,
    one_of,
    string,
    string_or,
    tagged,
)
from metaio_verify.lab.tooling import check_schema, check_tool_choice, check_tool_use, check_tools

_MAX_BREAKPOINTS = 4
_MIN_BUDGET = 1024
_SAMPLING = ("temperature", "top_p", "top_k")


def _stop_sequence(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, str):
        problems.add(path, "type", "Input should be a valid string")
    elif not value.strip():
        problems.add(path, "empty", "each stop sequence must contain non-whitespace")


def _edit(value: Any, path: str, problems: Problems) -> None:
    fields({"type": one_of(*_EDITS)}, {}, closed=False)(value, path, problems)


_EDITS = ("clear_tool_uses_20250919", "clear_thinking_20251015", "compact_20260112")
_DISPLAY: dict[str, Check] = {"display": nullable(one_of("summarized", "omitted", "updates"))}
_THINKING = tagged(
    {
        "adaptive": fields({"type": anything}, _DISPLAY),
        "between_tools": fields({"type": anything}, {}),
        "disabled": fields({"type": anything}, {}),
        "enabled": fields({"type": anything, "budget_tokens": integer(_MIN_BUDGET)}, _DISPLAY),
    }
)
_FORMAT = fields({"type": one_of("json_schema"), "schema": mapping}, {})
_OUTPUT_CONFIG = fields(
    {},
    {
        "effort": nullable(one_of(*EFFORTS)),
        "format": nullable(_FORMAT),
        "task_budget": nullable(mapping),
    },
)
_SAFEGUARD = fields({"type": string(1)}, {}, closed=False)

_REQUIRED: dict[str, Check] = {"model": string(1), "messages": check_messages}
_ON_BOTH: dict[str, Check] = {
    "billing_policy": nullable(mapping),
    "cache_control": CACHE_CONTROL,
    "compaction": nullable(mapping),
    "context_management": nullable(fields({}, {"edits": list_of(_edit)})),
    "mcp_servers": list_of(mapping),
    "output_config": nullable(_OUTPUT_CONFIG),
    "output_format": nullable(_FORMAT),
    "speed": nullable(one_of("standard", "fast")),
    "system": string_or(list_of(tagged({"text": TEXT}))),
    "thinking": nullable(_THINKING),
    "tool_choice": nullable(check_tool_choice),
    "tools": nullable(check_tools),
}
_ON_MESSAGES: dict[str, Check] = {
    "container": nullable(string_or(mapping)),
    "diagnostics": nullable(mapping),
    "fallback_credit_token": nullable(string_or(mapping)),
    "fallbacks": nullable(string_or(list_of(mapping))),
    "inference_geo": nullable(string()),
    "metadata": nullable(fields({}, {"user_id": nullable(string(0, 256))})),
    "safeguards": nullable(list_of(_SAFEGUARD)),
    "service_tier": nullable(one_of("auto", "standard_only")),
    "stop_sequences": nullable(list_of(_stop_sequence)),
    "stream": nullable(boolean),
    "tags": nullable(anything),
    "temperature": nullable(number(0, 1)),
    "thread": nullable(mapping),
    "top_k": nullable(integer(0)),
    "top_p": nullable(number(0, 1)),
}
_MESSAGES = fields({**_REQUIRED, "max_tokens": integer(0)}, {**_ON_BOTH, **_ON_MESSAGES})
_MESSAGES_SINCE_2026_10 = fields(
    {**_REQUIRED, "max_tokens": integer(0)},
    {**_ON_BOTH, **{name: c for name, c in _ON_MESSAGES.items() if name not in _SAMPLING}},
)
_COUNT = fields(_REQUIRED, _ON_BOTH)


def problems_of_messages(body: JsonObject, version: str, betas: str, key: str) -> Problems:
    """Return what is wrong with a body of `/v1/messages`; `key` seals the thinking blocks."""
    problems = Problems()
    shape = _MESSAGES_SINCE_2026_10 if version == LATEST_VERSION else _MESSAGES
    shape(body, "", problems)
    _check_max_tokens_zero(body, problems)
    _check_thinking_budget(body, betas, problems)
    _check_rest(body, version, key, problems)
    return problems


def problems_of_count(body: JsonObject, version: str, key: str) -> Problems:
    """Return what is wrong with a body of `/v1/messages/count_tokens`."""
    problems = Problems()
    _COUNT(body, "", problems)
    _check_rest(body, version, key, problems)
    return problems


def _check_rest(body: JsonObject, version: str, key: str, problems: Problems) -> None:
    check_order(body, version, key, problems)
    check_tool_use(body, problems)
    check_schema(output_schema(body), "output_config.format.schema", problems)
    _check_breakpoints(body, problems)


def _check_max_tokens_zero(body: JsonObject, problems: Problems) -> None:
    """Zero warms the cache; nothing that asks for output goes with it."""
    if body.get("max_tokens") != 0 or body.get("max_tokens") is False:
        return
    conflicts = {
        "stream": body.get("stream") is True,
        "thinking": thinking_type(body) == "enabled",
        "output_config.format": output_schema(body) is not None,
        "tool_choice": choice_of_tools(body)[0] in ("any", "tool"),
    }
    for name in (name for name, conflict in conflicts.items() if conflict):
        problems.say("max_tokens.zero", f"max_tokens: 0 may not be combined with `{name}`")


def _check_thinking_budget(body: JsonObject, betas: str, problems: Problems) -> None:
    if thinking_type(body) != "enabled":
        return
    budget, limit = body["thinking"].get("budget_tokens"), body.get("max_tokens")
    interleaved = "interleaved-thinking" in betas and tool_list(body)
    if isinstance(budget, int) and isinstance(limit, int) and budget >= limit and not interleaved:
        problems.say(
            "thinking.budget", "`max_tokens` must be greater than `thinking.budget_tokens`."
        )
    if body.get("temperature", 1) not in (1, None):
        problems.say(
            "temperature.with-thinking",
            "`temperature` may only be set to 1 when thinking is enabled.",
        )


def _check_breakpoints(body: JsonObject, problems: Problems) -> None:
    """At most four cache breakpoints, none of an hour after one of five minutes."""
    markers = _markers(body)
    count = len(markers) + isinstance(body.get("cache_control"), dict)
    if count > _MAX_BREAKPOINTS:
        problems.say(
            "cache_control.count",
            f"A maximum of {_MAX_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {count}.",
        )
    short_seen = False
    for path, marker in markers:
        if marker.get("ttl") == "1h" and short_seen:
            problems.say(
                "cache_control.order",
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a "
                "ttl='5m' cache_control block. Note that blocks are processed in the following "
                "order: `tools`, `system`, `messages`.",
            )
        short_seen |= marker.get("ttl", "5m") == "5m"


def _markers(body: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return the cache breakpoints in the order of the prompt, each with its path."""
    places = chain(
        ((f"tools.{place}", tool) for place, tool in enumerate(tool_list(body))),
        ((f"system.{place}", block) for place, block in enumerate(blocks_of(body.get("system")))),
        (
            (f"messages.{position}.content.{place}", part)
            for position, turn in enumerate(turns(body))
            for place, block in enumerate(turn.blocks)
            for part in (*blocks_of(block.get("content")), block)
        ),
    )
    return [
        (path, holder["cache_control"])
        for path, holder in places
        if isinstance(holder.get("cache_control"), dict)
    ]
