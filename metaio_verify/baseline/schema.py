"""The JSON Schema of baselines, for editors: made from the model, so it cannot drift."""

from __future__ import annotations

from typing import Any

import msgspec

from metaio_verify.baseline import model
from metaio_verify.suite import grammar
from metaio_verify.suite.schema import DRAFT, describe, pattern_of

FILE_NAME = "baseline.schema.json"


def baseline_schema() -> dict[str, Any]:
    """The schema, draft 2020-12. It knows the keys, types and forms; reading knows the rest."""
    (_,), parts = msgspec.json.schema_components(
        [model.BaselineFile], ref_template="#/$defs/{name}"
    )
    for name, part in parts.items():
        part.pop("title", None)
        if not part.get("required"):
            part.pop("required", None)
        describe(part, getattr(model, name))
    entry = parts["WaiverEntry"]["properties"]
    entry["check"]["pattern"] = pattern_of(grammar.CHECK_ID)
    entry["reason"] |= {
        "minLength": 1,
        "not": {"pattern": r"^\W*([Cc][Hh][Aa][Nn][Gg][Ee]\W*[Mm][Ee])?\W*$"},
    }
    entry["expires"] |= {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
    root = parts.pop("BaselineFile")
    return {"$schema": DRAFT, "title": "A baseline of metaio-verify", **root, "$defs": parts}


def as_text() -> str:
    """The schema as it is published."""
    return msgspec.json.format(msgspec.json.encode(baseline_schema())).decode() + "\n"
