"""What the contract says: each requirement's sentence, by its id."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import yaml

from metaio_verify.suite.syntax import FastLoader


class Requirement(NamedTuple):
    """One line of the contract."""

    level: str
    """The strongest level of its clauses: must, should, may or info."""
    text: str
    """What an endpoint has to do; code stands in backquotes."""


@functools.cache
def requirements() -> dict[str, Requirement]:
    """Every requirement of the contract; none where the program came without it."""
    package = Path(__file__).parents[1]
    for path in (package / "contract.yaml", package.parent / "docs" / "contract.yaml"):
        if path.exists():
            written = yaml.load(path.read_bytes(), Loader=FastLoader)  # noqa: S506 - builds plain data only
            return {
                id_: Requirement(entry["level"], entry["text"])
                for id_, entry in written["requirements"].items()
            }
    return {}
