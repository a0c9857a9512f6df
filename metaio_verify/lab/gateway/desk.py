"""What a translating gateway does by itself, as its upstream knows nothing of this API.

It validates what it is sent, refuses by name what it cannot translate, lists models and counts
tokens: all of that the lab's endpoint can do already.
"""

from __future__ import annotations

from typing import Final

from metaio_verify.lab.app import Lab
from metaio_verify.lab.asgi import Scope
from metaio_verify.lab.types import Answer

_MESSAGES = "/v1/messages"
_VARIANTS: Final = (
    # A gateway takes what is newer than itself, and checks no signatures, as it has none.
    "unknown-fields-accepted",
    "signatures-not-checked",
    # What another provider has not.
    "server-tools-refused",
    "safeguards-refused",
)


class Desk:
    """Answers everything but the messages that the upstream is to answer."""

    def __init__(self, key: str) -> None:
        self._lab = Lab(key, variants=_VARIANTS)

    @property
    def crashes(self) -> list[Exception]:
        """What went wrong inside of the lab."""
        return self._lab.crashes

    def answer(self, scope: Scope, body: bytes) -> Answer | None:
        """Return the gateway's own answer; none to a message that can be translated."""
        answer = self._lab.reply(scope, body)
        is_message = scope["path"] == _MESSAGES and answer.status == 200
        return None if is_message else answer
