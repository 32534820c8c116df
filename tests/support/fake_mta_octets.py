"""What the fake mail host reads: command lines and content, octet by octet as they came."""

from __future__ import annotations

import asyncio
import re

_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")


class Incoming:
    """The client's octets, kept as they are."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = bytearray()

    @property
    def has_ended(self) -> bool:
        """Whether the connection is lost."""
        return self._reader.exception() is not None or self._reader.at_eof()

    @property
    def buffered(self) -> bool:
        """Whether the client has said more than was read."""
        return bool(self._buffer)

    async def line(self) -> bytes:
        """Return the next line with its end, b'' when the client has gone."""
        while (end := self._buffer.find(b"\n")) < 0:
            if not await self.some():
                return b""
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    async def some(self) -> bool:
        """Take more octets; return whether any came."""
        data = await self._reader.read(2**18)
        self._buffer += data
        return bool(data)

    async def content(self) -> bytes:
        """Return what comes before the final dot. Raises EOFError when the client goes first."""
        searched = 0
        while True:
            if self._buffer.startswith(b".\r\n"):
                del self._buffer[:3]
                return b""
            end = self._buffer.find(b"\r\n.\r\n", searched)
            if end >= 0:
                content = bytes(self._buffer[: end + 2])
                del self._buffer[: end + 5]
                return content
            searched = max(0, len(self._buffer) - 4)
            if not await self.some():
                raise EOFError

    async def until_closed(self) -> None:
        """Read and forget until the client goes."""
        while await self._reader.read(2**18):
            pass


def bare_line_ends(octets: bytes) -> bool:
    """Whether there is a CR or LF that is not half of a CRLF."""
    return _BARE.search(octets) is not None


def unstuff(raw: bytes) -> bytes:
    """Return content without the dots that were stuffed (RFC 5321, 4.5.2)."""
    return (b"\r\n" + raw).replace(b"\r\n.", b"\r\n")[2:]
