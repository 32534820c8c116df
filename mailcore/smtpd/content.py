"""Where a message ends and what it holds: the bytes of DATA (RFC 5321, 4.1.1.4 and 4.5.2).

Only CRLF.CRLF ends a message. Takes off the stuffed dots, notices bare CR and LF (SMTP
smuggling, CVE-2023-51764) or, for our own people, makes CRLF of them, and counts. Does no I/O but
to its sink and chooses no reply.
"""

from __future__ import annotations

from collections.abc import Callable

from mailcore.mime.originate import with_crlf

_END = b"\r\n.\r\n"
_END_LENGTH = len(_END)
_FLUSH_OCTETS = 64 * 1024


class ContentDecoder:
    """Feed it chunks of any size until `is_complete`.

    `size` counts octets after unstuffing, without the final dot. Nothing goes to the sink after
    the limit or a bare CR or LF, so that a message that will be refused costs no space. With
    `repairs` a bare one becomes CRLF after unstuffing, so that it can end no message further on.
    """

    __slots__ = (
        "_buffer",
        "_limit",
        "_repairs",
        "_scanned",
        "_sink",
        "_skip",
        "has_bare",
        "is_complete",
        "size",
    )

    def __init__(
        self, sink: Callable[[bytes], object], *, limit: int, repairs: bool = False
    ) -> None:
        # The command line before the content counts as its first CRLF: ".CRLF" alone is an end.
        self._buffer = bytearray(b"\r\n")
        self._skip = 2
        self._scanned = 0
        self._sink = sink
        self._limit = limit
        self._repairs = repairs
        self.size = 0
        self.has_bare = False
        self.is_complete = False

    @property
    def is_too_large(self) -> bool:
        """Whether more came than the limit allows."""
        return self.size > self._limit

    def feed(self, data: bytes | bytearray) -> bytes:
        """Take a chunk; return what lies behind the final dot (b'' until it has come)."""
        buffer = self._buffer
        buffer += data
        end = buffer.find(_END, self._scanned)
        if end >= 0:
            self.is_complete = True
            self._put(bytes(buffer[: end + 2]))
            rest = bytes(buffer[end + _END_LENGTH :])
            buffer.clear()
            return rest
        if len(buffer) >= _FLUSH_OCTETS:
            cut = self._cut()
            self._put(bytes(buffer[:cut]))
            del buffer[:cut]
        self._scanned = max(0, len(buffer) - _END_LENGTH + 1)
        return b""

    def _cut(self) -> int:
        """Return where to split so that neither a CRLF nor CRLF and dot are torn apart."""
        cut = len(self._buffer) - _END_LENGTH + 1
        if self._buffer[cut - 2 : cut] == b"\r\n":
            return cut - 2
        return cut - 1 if self._buffer[cut - 1] == 13 else cut

    def _put(self, raw: bytes) -> None:
        lines = raw.count(b"\r\n")
        is_bare = raw.count(b"\n") != lines or raw.count(b"\r") != lines
        plain = raw.replace(b"\r\n.", b"\r\n") if b"\r\n." in raw else raw
        if self._skip:
            plain = plain[self._skip :]
            self._skip = 0
        if is_bare:
            self.has_bare = not self._repairs
            plain = with_crlf(plain) if self._repairs else plain
        self.size += len(plain)
        if not self.has_bare and not self.is_too_large:
            self._sink(plain)
