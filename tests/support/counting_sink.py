"""An SMTP server that keeps nothing and tells who asks of every message that it took (RFC 5321).

For the crash test and the bench of sending: pipelined commands, 8-bit, no TLS, no limits. Whoever
uses it says what a final dot is answered with, so that it can also take a message and hang up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

_EHLO = b"250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 104857600\r\n"
_DOT = b"\r\n.\r\n"

# Gets the forward-paths and the content (still dot-stuffed); returns the reply to the final dot,
# or None to hang up without one.
Take = Callable[[tuple[str, ...], bytes], bytes | None]


class SinkSession(asyncio.Protocol):
    """One connection."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._buffer = bytearray()
        self._searched = 0  # octets of content in which there is no end
        self._is_in_data = False
        self._paths: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._transport.write(b"220 sink.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every command that is complete, and a message whose end is there."""
        self._buffer += data
        while not self._transport.is_closing() and self._step():
            pass

    def _step(self) -> bool:
        """Answer what comes first in the buffer; False when it is not complete."""
        if self._is_in_data:
            return self._content()
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._transport.write(self._answer(line))
        if line[:4].upper() == b"QUIT":
            self._transport.close()
        return True

    def _content(self) -> bool:
        end = self._buffer.find(_DOT, max(0, self._searched - len(_DOT)))
        if end < 0:
            self._searched = len(self._buffer)
            return False
        content = bytes(self._buffer[2 : end + 2])
        del self._buffer[: end + len(_DOT)]
        self._is_in_data = False
        reply = self._take(tuple(self._paths), content)
        if reply is None:
            self._transport.abort()
        else:
            self._transport.write(reply)
        return True

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return _EHLO
        if verb == b"QUIT":
            return b"221 2.0.0 Bye\r\n"
        if verb == b"DATA":
            self._is_in_data, self._searched = True, 0
            self._buffer[:0] = b"\r\n"  # a message may be nothing but the final dot
            return b"354 go on\r\n"
        if verb == b"MAIL":
            self._paths = []
        elif verb == b"RCPT":
            self._paths.append(line[line.index(b"<") + 1 : line.rindex(b">")].decode())
        return b"250 2.0.0 Ok\r\n"
