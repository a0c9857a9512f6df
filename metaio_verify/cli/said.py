"""What the command line says of what a user typed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from itertools import pairwise

from metaio_verify.spoken import spoken

_OPTION = "--api-key"


def said(text: str) -> str:
    """The text as a terminal or a log may get it."""
    return spoken(text, _typed())


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


def _typed() -> Iterator[str]:
    """The key, where it is given as an option."""
    for argument, following in pairwise([*sys.argv[1:], ""]):
        name, _, value = argument.partition("=")
        if name == _OPTION and (value or following):
            yield value or following
