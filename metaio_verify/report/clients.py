"""What breaks for whom, in one row for each client."""

from __future__ import annotations

from msgspec import Struct

from metaio_verify.record import ClientResult, Reach, RunRecord
from metaio_verify.report.text import client, listed, plural

_MEASURED = {"claude-code": "Claude Code 2.1"}
"""The clients of which only one version was measured."""


class Row(Struct, frozen=True):
    """One client."""

    client: str
    """Its name and version, as a person calls it."""
    reach: Reach
    sees: str
    """What its user sees, or why that is not known; empty when it works."""

    @property
    def text(self) -> str:
        """The whole of it in one line."""
        return f"{self.reach}{self.more}"

    @property
    def more(self) -> str:
        """What follows its reach."""
        if not self.sees:
            return ""
        return f", but: {self.sees}" if self.reach is Reach.WORKS else f": {self.sees}"


def rows(record: RunRecord) -> list[Row]:
    """Return a row for each client; none when nothing is known of any."""
    if all(one.reach is Reach.UNKNOWN for one in record.clients):
        return []
    return [
        Row(_MEASURED.get(one.client, client(one.client)), one.reach, _sees(record, one))
        for one in record.clients
    ]


def _sees(record: RunRecord, one: ClientResult) -> str:
    match one.reach:
        case Reach.UNKNOWN:
            return one.reason
        case Reach.SETTING:
            return listed([f"{name}={value}" for name, value in one.switches.items()])
        case Reach.WORKS | Reach.FALLBACK | Reach.BREAKS:
            return _worst(record, one)


def _worst(record: RunRecord, one: ClientResult) -> str:
    """The worst trouble, the models that it is limited to, and how many others there are."""
    if not one.troubles:
        return ""
    first = one.troubles[0]
    same = [other for other in one.troubles if other.sees == first.sees]
    models = list(dict.fromkeys(other.model for other in same if other.model is not None))
    text = first.sees
    if models and len(models) < len(record.target.models):
        text += f", with {listed(models)}"
    others = {other.sees for other in one.troubles if other.reach is first.reach} - {first.sees}
    return f"{text} (and {plural(len(others), 'other thing')})" if others else text
