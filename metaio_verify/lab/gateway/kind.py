"""The gateways of the lab by what they speak to their upstream."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from metaio_verify.errors import Problem, UserError

if TYPE_CHECKING:
    from metaio_verify.lab.gateway.app import Translator

OF_TRANSLATORS = "translated-"
"""How the names of changes begin that only a translating gateway can have."""


class Kind(StrEnum):
    """What a gateway speaks to its upstream."""

    PASS_THROUGH = "pass-through"  # noqa: S105 - a kind of gateway
    CHAT = "chat"
    RESPONSES = "responses"

    def translator(self, changes: Iterable[str] = ()) -> Translator | None:
        """Return what translates; none where nothing does.

        Raises `UserError` for changes that such a gateway cannot have.
        """
        # The command line names the kinds in its help, and imports no server for that.
        from metaio_verify.lab.gateway.chat import ChatTranslator  # noqa: PLC0415
        from metaio_verify.lab.gateway.responses import ResponsesTranslator  # noqa: PLC0415

        match self:
            case Kind.CHAT:
                return ChatTranslator()
            case Kind.RESPONSES:
                return ResponsesTranslator()
            case Kind.PASS_THROUGH:
                hint = f"choose --gateway {Kind.CHAT} or {Kind.RESPONSES}"
                problems = [
                    Problem(f"{one} needs a gateway that translates", hint=hint)
                    for one in changes
                    if one.startswith(OF_TRANSLATORS)
                ]
                if problems:
                    raise UserError(*problems)
                return None
