"""Header lines that no HTTP library writes: a transport that puts them on the wire all the same.

A library decides by itself how an answer ends, and takes out what contradicts that. So such a line
is given to it under a name in front, which the transport takes away.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

_NAME = "x-lab-raw"
_FRONT = f"\r\n{_NAME}: ".encode()


def raw(line: str) -> tuple[str, str]:
    """Return a header that is written as this line, whatever else the head says."""
    return (_NAME, line)


def writing_raw(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Return the same HTTP protocol, on transports that know raw lines."""

    class Raw(protocol):  # type: ignore[misc, valid-type]  # which one it is depends on what is installed
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast(asyncio.Transport, _Transport(transport)))

    return Raw


class _Transport:
    """A transport in front of another one."""

    def __init__(self, inner: asyncio.BaseTransport) -> None:
        self._inner = inner

    def write(self, data: bytes) -> None:
        """Write what the server writes; of a head each raw line without the name in front."""
        if data.startswith(b"HTTP/1."):
            data = data.replace(_FRONT, b"\r\n")
        cast(asyncio.Transport, self._inner).write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
