"""From a script to an answer in the dialect of whoever asks."""

from __future__ import annotations

from typing import Any, Final, Protocol

import msgspec

from metaio_verify.lab.types import CUT, Answer, Event, HeaderLines, Piece
from metaio_verify.lab.upstream import anthropic, chat, responses
from metaio_verify.lab.upstream.scripts import STOP, Ending, Failure, JsonObject, Script
from metaio_verify.record import Dialect

_DELTAS_BEFORE_THE_END = 3
_DELTAS_BEFORE_THE_PINGS = 4


class Speaker(Protocol):
    """A module that speaks one dialect."""

    def headers(self, token: str) -> HeaderLines:
        """Return what every answer carries."""

    def plain(self, script: Script, message: JsonObject) -> JsonObject:
        """Return the message in one piece."""

    def events(self, script: Script, message: JsonObject, request: Any) -> list[Event]:
        """Return the message as a stream."""

    def is_delta(self, event: Event) -> bool:
        """Whether an event brings something of the answer."""

    def ping(self) -> Event | None:
        """Return what keeps a silent stream alive; none where there is no such thing."""

    def failed(self, failure: Failure, token: str) -> Event:
        """Return the error within a stream."""

    def error(self, failure: Failure, token: str) -> Answer:
        """Return an error before any stream."""


SPEAKERS: Final[dict[Dialect, Speaker]] = {
    Dialect.ANTHROPIC: anthropic,
    Dialect.CHAT: chat,
    Dialect.RESPONSES: responses,
}


def dialect_of(path: str) -> Dialect:
    """Tell by the path which API is spoken."""
    bare = path.rstrip("/")
    if bare.endswith(("/messages", "/messages/count_tokens")):
        return Dialect.ANTHROPIC
    if bare.endswith("/chat/completions"):
        return Dialect.CHAT
    return Dialect.RESPONSES if bare.endswith("/responses") else Dialect.OTHER


def play(script: Script, token: str, path: str, request: Any) -> Answer:
    """Return what the upstream answers; `request` is the decoded body."""
    dialect = dialect_of(path)
    speaker = SPEAKERS[dialect]
    asked = request if isinstance(request, dict) else {}
    if dialect is not Dialect.ANTHROPIC and STOP not in (asked.get("stop") or ()):
        script = script.unstopped()
    message = script.message(token, asked.get("model"))
    if path.rstrip("/").endswith("/count_tokens"):
        return Answer.of_json(msgspec.Raw(anthropic.count(message)))
    if script.failure is not None and script.ending is Ending.WHOLE:
        return speaker.error(script.failure, token)
    if asked.get("stream") is not True:
        answer = Answer.of_json(speaker.plain(script, message))
        answer.headers += speaker.headers(token)
        return answer
    head = [("content-type", "text/event-stream; charset=utf-8"), *speaker.headers(token)]
    events = speaker.events(script, message, asked)
    return Answer(200, head, stream=_paced(script, speaker, events, token))


def _paced(script: Script, speaker: Speaker, events: list[Event], token: str) -> list[Piece]:
    """Return the pieces of a stream with its pauses, its pings and its end."""
    pieces: list[Piece] = []
    deltas = 0
    for event in events:
        if speaker.is_delta(event):
            if script.ending is not Ending.WHOLE and deltas == _DELTAS_BEFORE_THE_END:
                break
            if deltas == _DELTAS_BEFORE_THE_PINGS:
                for _ in range(script.pings):
                    ping = speaker.ping()
                    pieces += [script.pause, *([ping.encode()] if ping else [])]
            deltas += 1
            if script.pause:
                pieces.append(script.pause)
        pieces.append(event.encode())
    match script.ending:
        case Ending.ERROR if script.failure is not None:
            pieces.append(speaker.failed(script.failure, token).encode())
        case Ending.CUT:
            # A moment for what was sent to get through: not each layer reads on after a reset.
            pieces += [0.2, CUT]
    return pieces
