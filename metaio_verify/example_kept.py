"""Examples that were seen before, for checks whose answers take their time.

A check that asks whether something comes in five seconds needs an answer that takes longer, and
whoever opens its page should not wait for it. So what such a check showed on the lab is kept beside
the check files, with a mark of what was asked: once a check or a probe has changed, its kept
example counts for nothing and is seen anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from metaio_verify.example import Example
from metaio_verify.suite.load import builtin_folder
from metaio_verify.suite.model import Suite
from metaio_verify.suite.select import select

FILE_NAME = "examples.json"


class Kept(msgspec.Struct, frozen=True):
    """One example."""

    mark: str
    """What it was seen with."""
    example: Example


def mark(check: str, fault: str | None, suite: Suite) -> str:
    """Return a short text that differs when anything that is asked or expected does."""
    probes = select(suite, only=[check]).probes
    asked = [suite.checks[check], list(probes), fault]
    return hashlib.blake2b(msgspec.json.encode(asked, enc_hook=repr), digest_size=8).hexdigest()


def recall(check: str, fault: str | None, suite: Suite) -> Example | None:
    """Return the kept example of a check, if there is one that still holds."""
    kept = read().get(check)
    return kept.example if kept is not None and kept.mark == mark(check, fault, suite) else None


def read() -> dict[str, Kept]:
    """Return what is kept; nothing where the file is missing or was written by another version."""
    try:
        data = builtin_folder().joinpath(FILE_NAME).read_bytes()
        return msgspec.json.decode(data, type=dict[str, Kept])
    except (OSError, msgspec.MsgspecError):
        return {}


def as_text(kept: Mapping[str, Kept]) -> str:
    """Return the file's text."""
    return msgspec.json.format(msgspec.json.encode(kept), indent=1).decode() + "\n"
