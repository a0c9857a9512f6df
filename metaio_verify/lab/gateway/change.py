"""What can be changed about a gateway: one small function at one stage of a request's way.

As for the lab there are two registries: faults break the contract, variants stay inside it. A
change is declared with the decorator of its stage; its id is the function's name with dashes:

    @fault.forward
    def beta_dropped(call: Call, _client: Call) -> Call:
        \"\"\"`anthropic-beta` does not reach the upstream.\"\"\"
        return call.with_header("anthropic-beta", None)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import msgspec

from metaio_verify.lab.change import Registry, Stage
from metaio_verify.lab.types import HeaderLines


@dataclass(frozen=True)
class Call:
    """A request, as the client sent it or as the upstream gets it."""

    method: str
    path: str
    query: str
    headers: HeaderLines
    body: bytes
    key: str = field(default="", repr=False)
    """The client's credential."""
    upstream_key: str = field(default="", repr=False)
    """The gateway's own."""

    @property
    def json(self) -> Any:
        """The decoded body; none when it is no JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    @property
    def streams(self) -> bool:
        """Whether the body asks for a stream."""
        body = self.json
        return isinstance(body, dict) and body.get("stream") is True

    def with_json(self, value: Any) -> Call:
        """Return the same request with another JSON body."""
        return replace(self, body=msgspec.json.encode(value))

    def lines(self, name: str) -> list[str]:
        """Return the values of a header, line by line."""
        return [value for key, value in self.headers if key == name]

    def with_header(self, name: str, *values: str) -> Call:
        """Return the same request with these lines of a header; none takes it out."""
        kept = [line for line in self.headers if line[0] != name]
        return replace(self, headers=[*kept, *((name, value) for value in values)])


@dataclass(frozen=True)
class Reply:
    """An answer on its way back; `pieces` are the body as it arrives."""

    status: int
    headers: HeaderLines
    pieces: AsyncIterator[bytes]

    @property
    def streams(self) -> bool:
        """Whether it is a stream of events."""
        return self.header("content-type").startswith("text/event-stream")

    def header(self, name: str) -> str:
        """Return the value of a header; empty when it is missing."""
        return next((value for key, value in self.headers if key == name), "")

    def with_header(self, name: str, value: str | None) -> Reply:
        """Return the same answer with this header set; none takes it out."""
        lines = [line for line in self.headers if line[0] != name]
        return replace(self, headers=lines if value is None else [*lines, (name, value)])

    async def document(self) -> Any:
        """Return the decoded body; it can be read once."""
        return msgspec.json.decode(await whole(self.pieces))

    async def edited(self, edit: Callable[[Any], None]) -> Reply:
        """Return the answer with its JSON body changed in place; one without its parts as it is."""
        body = await whole(self.pieces)
        try:
            value = msgspec.json.decode(body)
            edit(value)
        except UNFIT:
            return replace(self, pieces=once(body))
        return self.with_json(value)

    def with_json(self, value: Any, status: int | None = None) -> Reply:
        """Return the same answer with another JSON body."""
        plain = self.with_header("content-length", None).with_header(
            "content-type", "application/json"
        )
        return replace(plain, status=status or self.status, pieces=once(msgspec.json.encode(value)))


UNFIT = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What an edit raises of something that has not the parts that it changes, and is left alone."""

OnForward: TypeAlias = Callable[[Call, Call], Call]
OnSend: TypeAlias = Callable[[Call, Call], list[Call]]
OnReturn: TypeAlias = Callable[[Reply, Call], Awaitable[Reply]]
OnRelay: TypeAlias = Callable[[AsyncIterator[bytes], Call], AsyncIterator[bytes]]


class GatewayRegistry(Registry):
    """Changes of gateways by id, and the decorators that declare them."""

    def forward(self, function: OnForward) -> OnForward:
        """Declare one that changes what goes up, before it is translated.

        It also sees what the client sent.
        """
        return self._declared(Stage.FORWARD, function)

    def send(self, function: OnSend) -> OnSend:
        """Declare one that decides what is sent, in the upstream's words.

        Of several calls the answer of the last one counts.
        """
        return self._declared(Stage.SEND, function)

    def back(self, function: OnReturn) -> OnReturn:
        """Declare one that changes what comes back: its head, and the body of a plain answer."""
        return self._declared(Stage.RETURN, function)

    def relay(self, function: OnRelay) -> OnRelay:
        """Declare one that changes the pieces of a stream on their way back."""
        return self._declared(Stage.RELAY, function)


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    """Return a body in one piece."""
    return b"".join([piece async for piece in pieces])


async def once(body: bytes) -> AsyncIterator[bytes]:
    """Give a body in one piece."""
    yield body


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give a stream event by event, each with its empty line."""
    rest = b""
    async for piece in pieces:
        rest += piece
        while (end := rest.find(b"\n\n")) >= 0:
            yield rest[: end + 2]
            rest = rest[end + 2 :]
    if rest:
        yield rest
