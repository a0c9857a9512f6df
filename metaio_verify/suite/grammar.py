"""The forms of names and the bounds of numbers in a check file, for the loader and the schema."""

from __future__ import annotations

import re
from typing import Final

_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"

SLUG: Final = re.compile(_SLUG)
"""Probes, profiles, capabilities, tags, faults."""
CHECK_ID: Final = re.compile(rf"{_SLUG}(?:\.{_SLUG})+")
CONTRACT_ID: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}-[0-9]{1,4}")
NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
"""Captures, tokens, schemas."""
BYTES: Final = re.compile(r"[1-9][0-9]{0,7}")
STATUS: Final = re.compile(r"[1-5]xx")
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")
"""What can stand in a header line without ending it."""
PATH: Final = re.compile(r"/(?!/)[^\\?#\x00-\x20\x7f-\U0010ffff]*")
"""Below the base URL; `//host` and `/\\host` would name another one."""
DOTS: Final = re.compile(r"(?:^|/)(?:\.|%2[eE]){2}(?:/|$)")
"""A path that climbs out of the base URL."""
FORBIDDEN_HEADERS: Final = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "proxy-authorization",
        "transfer-encoding",
        "x-api-key",
    }
)
"""Set by `auth`, by the base URL and by the body; another value could reroute the credential."""

STATUS_CODES: Final = (100, 599)
TIMES: Final = (1, 20)
AT_ONCE: Final = (1, 32)
PADDING: Final = (0, 64 * 2**20)
ATTEMPTS: Final = 5
SECONDS: Final = 600.0
FILLER: Final = 32 * 2**20
"""Bytes of filler text in one request."""

SUBSCHEMA: Final = frozenset(
    {
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
SUBSCHEMA_LIST: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
SUBSCHEMA_MAP: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
KEYWORDS: Final = frozenset().union(
    SUBSCHEMA,
    SUBSCHEMA_LIST,
    SUBSCHEMA_MAP,
    {"$comment", "$ref", "default", "description", "examples", "title"},
    {"const", "enum", "format", "type"},
    {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"},
    {"minLength", "maxLength", "pattern"},
    {"minItems", "maxItems", "uniqueItems", "minContains", "maxContains"},
    {"minProperties", "maxProperties", "required", "dependentRequired"},
)
"""The JSON Schema keywords of a matcher; an unknown one would silently match everything."""
