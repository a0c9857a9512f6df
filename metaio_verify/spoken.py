"""What the program says of what a user typed: it may hold terminal escapes, or a secret."""

from __future__ import annotations

import os
from collections.abc import Iterable

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "METAIO_UPSTREAM_TOKEN")


def spoken(text: str, secrets: Iterable[str] = ()) -> str:
    """The text as a terminal or a log may get it; `secrets` are those of no usual variable."""
    # Few texts are said; none should make the others slower.
    from metaio_verify.judge.internals import mask_keys  # noqa: PLC0415
    from metaio_verify.probe.proxies import proxy_secrets  # noqa: PLC0415
    from metaio_verify.probe.redact import Redactor  # noqa: PLC0415
    from metaio_verify.report.text import without_commands  # noqa: PLC0415

    known = [value for name in _KEYS if (value := os.environ.get(name))]
    text = mask_keys(Redactor([*known, *secrets, *proxy_secrets()]).text(text))
    text = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    return without_commands(text)
