"""What the program says of what a user typed: it may hold terminal escapes, or the key."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from itertools import pairwise

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_OPTION = "--api-key"


def said(text: str) -> str:
    """The text as a terminal or a log may get it."""
    from metaio_verify.judge.internals import mask_keys  # noqa: PLC0415 - only when it is needed
    from metaio_verify.probe.proxies import proxy_secrets  # noqa: PLC0415 - likewise
    from metaio_verify.probe.redact import Redactor  # noqa: PLC0415 - likewise

    secrets = [*_secrets(), *proxy_secrets()]
    text = mask_keys(Redactor(secrets).text(text))
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


@contextlib.contextmanager
def careful_usage_errors() -> Iterator[None]:
    """Let the command line's own complaints repeat no key that stands in the wrong place."""
    try:
        yield
    except Exception as error:
        # The class that they share is not public.
        message = getattr(error, "message", None)
        if hasattr(error, "format_message") and isinstance(message, str):
            vars(error)["message"] = said(message)
        raise


def _secrets() -> Iterator[str]:
    yield from (value for name in _KEYS if (value := os.environ.get(name)))
    for argument, following in pairwise([*sys.argv[1:], ""]):
        name, _, value = argument.partition("=")
        if name == _OPTION and (value or following):
            yield value or following
