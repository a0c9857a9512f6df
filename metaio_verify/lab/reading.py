"""What the model reads in content blocks: their texts, also those of documents."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from metaio_verify.lab.prompt import JsonObject, blocks_of

_PDF_TEXT = re.compile(rb"\(([^()]*)\)\s*Tj")


def text_in(block: JsonObject) -> str:
    """Return the text of a block of any kind; of a PDF the uncompressed texts on its pages."""
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "document", "source": {"type": "base64", "data": str(data)}}:
            return _pdf_text(data)
        case {"type": "document", "source": {"data": content} | {"content": content}}:
            return _joined(content)
        case {"type": "search_result" | "tool_result", "content": content}:
            return _joined(content)
        case _:
            return ""


def _joined(content: Any) -> str:
    return "\n".join(filter(None, map(text_in, blocks_of(content))))


def _pdf_text(data: str) -> str:
    try:
        file = base64.b64decode(data)
    except (binascii.Error, ValueError):
        return ""
    return "\n".join(found[1].decode("latin-1") for found in _PDF_TEXT.finditer(file))
