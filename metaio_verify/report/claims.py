"""What a page may claim: each sentence stands for requirements that were measured and hold."""

from __future__ import annotations

from metaio_verify.record import RunRecord
from metaio_verify.report.facts import proved, styles

_STYLES = {"x-api-key": "`x-api-key`", "bearer": "`Authorization: Bearer`"}

_CLAIMS = {
    "`anthropic-version: 2023-06-01`": ("HDR-01",),
    "`anthropic-version: 2026-10-21`, which the newest SDKs send": ("HDR-02",),
    "every `anthropic-beta` value that Claude Code sends": ("HDR-05",),
    "Anthropic-style `messages` payloads": ("MSG-01",),
    "system prompts as text and as blocks": ("MSG-11",),
    "system messages in mid-conversation": ("MSG-15",),
    "streamed answers, event by event": (
        *("STR-01", "STR-02", "STR-03", "STR-04", "STR-05", "STR-06"),
    ),
    "tool calls and their results": ("TOL-05", "TOL-06", "TOL-09"),
    "token counts at `/v1/messages/count_tokens`": ("CNT-01",),
    "model discovery at `/v1/models`": ("MOD-01", "MOD-04"),
    "errors in Anthropic's shape": ("ERR-01",),
    "a first request as Claude Code composes it": ("CCO-01",),
    "the turn that follows a tool call of Claude Code": ("CCO-02",),
}


def claims(record: RunRecord) -> list[str]:
    """Return what the endpoint was seen to do right, as Markdown."""
    working, _ = styles(record)
    proven = [text for text, contract in _CLAIMS.items() if proved(record, *contract)]
    return [*(_STYLES[style] for style in working), *proven]
