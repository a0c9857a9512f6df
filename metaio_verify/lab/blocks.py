"""Content blocks: what each kind must and may carry."""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from metaio_verify.lab.shape import (
    Check,
    Problems,
    anything,
    boolean,
    fields,
    list_of,
    mapping,
    nullable,
    one_of,
    string,
    string_or,
    tagged,
)

_NOWHERE = re.compile(r"\w+://[^/]*\.invalid(?:[:/]|$)")
_MAX_IMAGE_BYTES = 10 * 1024 * 1024
_MAGIC = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF",),
}

CACHE_CONTROL: Final = nullable(
    tagged(
        {
            "ephemeral": fields(
                {"type": anything}, {"ttl": one_of("5m", "1h"), "scope": nullable(string())}
            )
        }
    )
)


def _block(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """Return the check of a kind of block that may be a cache breakpoint."""
    return fields(
        {"type": anything, **required}, {"cache_control": CACHE_CONTROL, **(optional or {})}
    )


def _non_blank(value: Any, path: str, problems: Problems) -> None:
    """Accept a text that says something."""
    if not isinstance(value, str):
        problems.add(path, "type", "Input should be a valid string")
    elif not value:
        problems.add(path, "empty", "text content blocks must be non-empty")
    elif value.isspace():
        problems.add(path, "empty", "text content blocks must contain non-whitespace text")


def _base64_of(*media_types: str) -> Check:
    """Accept a base64 source whose bytes are what their media type says."""
    shape = fields({"type": anything, "media_type": one_of(*media_types), "data": string(1)}, {})

    def run(value: Any, path: str, problems: Problems) -> None:
        before = len(problems)
        shape(value, path, problems)
        if len(problems) > before:
            return
        if len(value["data"]) > _MAX_IMAGE_BYTES and "application/pdf" not in media_types:
            size = len(value["data"])
            problems.add(
                path,
                "size",
                f"image exceeds 10 MB maximum: {size} bytes > {_MAX_IMAGE_BYTES} bytes",
            )
            return
        try:
            data = binascii.a2b_base64(value["data"], strict_mode=True)
        except (binascii.Error, ValueError):
            problems.add(f"{path}.data", "base64", "Invalid base64 data")
            return
        if not data.startswith(_MAGIC[value["media_type"]]):
            problems.add(
                f"{path}.data",
                "content",
                f"The data does not match the provided media type {value['media_type']}",
            )

    return run


def _url(value: Any, path: str, problems: Problems) -> None:
    """Accept addresses; the lab fetches nothing, but knows the hosts that can never be reached."""
    string(1)(value, path, problems)
    if isinstance(value, str) and _NOWHERE.match(value):
        problems.add(
            path,
            "unreachable",
            "Unable to download the file. Please verify the URL and try again.",
        )


_URL = fields({"type": anything, "url": _url}, {})
_FILE = fields({"type": anything, "file_id": string(1)}, {})
_CITATIONS = nullable(fields({}, {"enabled": boolean}))

TEXT: Final = _block({"text": _non_blank}, {"citations": nullable(list_of(mapping))})
_IMAGE_SOURCE = tagged(
    {
        "base64": _base64_of("image/jpeg", "image/png", "image/gif", "image/webp"),
        "url": _URL,
        "file": _FILE,
    }
)
_IMAGE = _block({"source": _IMAGE_SOURCE}, {"transformations": nullable(mapping)})
_DOCUMENT_SOURCE = tagged(
    {
        "base64": _base64_of("application/pdf"),
        "text": fields(
            {"type": anything, "media_type": one_of("text/plain"), "data": string(1)}, {}
        ),
        "content": fields(
            {
                "type": anything,
                "content": string_or(list_of(tagged({"text": TEXT, "image": _IMAGE}))),
            },
            {},
        ),
        "url": _URL,
        "file": _FILE,
    }
)
_DOCUMENT = _block(
    {"source": _DOCUMENT_SOURCE},
    {
        "title": nullable(string(0, 500)),
        "context": nullable(string()),
        "citations": _CITATIONS,
    },
)
_SEARCH_RESULT = _block(
    {"source": string(1), "title": string(), "content": list_of(tagged({"text": TEXT}))},
    {"citations": _CITATIONS},
)
_TOOL_ID = string(1, pattern=r"^[a-zA-Z0-9_-]+$")
_CALLED = {"caller": nullable(mapping), "toolset_name": nullable(string())}
_USE: dict[str, Check] = {"id": _TOOL_ID, "name": string(1, 200), "input": mapping}
_SERVER_RESULT = _block({"tool_use_id": _TOOL_ID, "content": anything}, _CALLED)
_TOOL_CHANGE = _block({"tool": mapping})
TOOL_REFERENCE: Final = _block({"tool_name": string(1)})

_RESULT_CONTENT: dict[str, Check] = {
    "text": TEXT,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH_RESULT,
    "tool_reference": TOOL_REFERENCE,
    "browser_state": fields({"type": anything}, {}, closed=False),
}
_BOTH: dict[str, Check] = {
    "text": TEXT,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH_RESULT,
    "container_upload": _block({"file_id": string(1)}),
    "mcp_tool_listing": fields({"type": anything}, {}, closed=False),
    "tool_addition": _TOOL_CHANGE,
    "tool_removal": _TOOL_CHANGE,
}
_USER_ONLY: dict[str, Check] = {
    "tool_result": _block(
        {"tool_use_id": _TOOL_ID},
        {
            "content": string_or(list_of(tagged(_RESULT_CONTENT))),
            "is_error": nullable(boolean),
            "toolset_name": nullable(string()),
        },
    ),
}
_ASSISTANT_ONLY: dict[str, Check] = {
    "thinking": fields({"type": anything, "thinking": string(), "signature": string()}, {}),
    "redacted_thinking": fields({"type": anything, "data": string(1)}, {}),
    "tool_use": _block(_USE, _CALLED),
    "server_tool_use": _block(_USE, _CALLED),
    "mcp_tool_use": _block({**_USE, "server_name": string(1)}, _CALLED),
    "mcp_tool_result": _block(
        {"tool_use_id": _TOOL_ID}, {"content": anything, "is_error": nullable(boolean)}
    ),
    **{
        f"{name}_tool_result": _SERVER_RESULT
        for name in (
            "web_search",
            "web_fetch",
            "code_execution",
            "bash_code_execution",
            "text_editor_code_execution",
            "tool_search",
            "advisor",
        )
    },
    "compaction": _block(
        {},
        {
            "content": nullable(string()),
            "encrypted_content": nullable(string()),
            "signature": nullable(string()),
            "tool_changes": nullable(list_of(mapping)),
        },
    ),
    "fallback": fields({"type": anything, "from": mapping, "to": mapping}, {"trigger": anything}),
}

_CONTENT = list_of(tagged({**_BOTH, **_USER_ONLY, **_ASSISTANT_ONLY}))
_SYSTEM_CONTENT = list_of(
    tagged({"text": TEXT, "tool_addition": _TOOL_CHANGE, "tool_removal": _TOOL_CHANGE})
)


def check_content(role: str, content: Any, path: str, problems: Problems) -> None:
    """Check the content of a message: a string, or blocks that its role may hold."""
    if isinstance(content, str):
        return
    (_SYSTEM_CONTENT if role == "system" else _CONTENT)(content, path, problems)
    if role == "system" or not isinstance(content, list):
        return
    strangers = _ASSISTANT_ONLY if role == "user" else _USER_ONLY
    home = "assistant" if role == "user" else "user"
    for position, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if isinstance(kind, str) and kind in strangers:
            problems.say(
                f"messages.{role}.{kind}",
                f"{path}.{position}: `{kind}` blocks can only be in `{home}` messages",
            )
