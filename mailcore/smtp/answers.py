"""The replies of a server, read out of a stream (RFC 5321, 4.2; RFC 2034).

Strict: every line opens with the same three digits, and length and number of lines have bounds,
so that a hostile peer fills no memory. Knows no sockets and no time; what a reply means is for
the caller. A lone LF as line end is taken: it can smuggle nothing here.
"""

from __future__ import annotations

import re

from mailcore.errors import MailError
from mailcore.smtp.reply import Reply

LINE_OCTETS = 2048
REPLY_OCTETS = 64 * 1024
REPLY_LINES = 100
TEXT_CHARS = 900

_LINE = re.compile(rb"([2-5][0-5]\d)(?:([ -])([^\n]*?))?\r?\n")
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
# C0, DEL, C1, line separators and what turns the direction of text around.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


class BadAnswer(MailError):  # noqa: N818 - what the peer gave
    """What came is not a reply, or a longer one than we take; `what` says which."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def clean(text: str, *, max_chars: int = TEXT_CHARS) -> str:
    """Return a peer's text without control characters, at most `max_chars` long."""
    if not text.isprintable():
        text = _UNSHOWABLE.sub(" ", text)
    return text[:max_chars].strip()


class Answers:
    """Takes octets as they come and gives whole replies. `pending_octets` wait to be read."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # no line end before this offset of the buffer
        self._lines: list[bytes] = []  # texts of the lines of the reply so far
        self._code = b""
        self._octets = 0
        self.raw = bytearray()  # the octets of the reply that `next` gave, as they came

    @property
    def pending_octets(self) -> int:
        """Octets that belong to no reply given yet."""
        return len(self._buffer) + self._octets

    def feed(self, data: bytes) -> None:
        """Append octets of the peer. The caller stops reading when too much is pending."""
        self._buffer += data

    def next(self) -> tuple[int, list[bytes]] | None:
        """Return code and texts of the next reply, None while it is not whole.

        Raises BadAnswer; the stream is of no use then.
        """
        buffer = self._buffer
        while (end := buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(buffer[: end + 1])
            del buffer[: end + 1]
            self._searched = 0
            if self._add(line):
                code, texts = int(self._code), self._lines
                self._lines, self._code, self._octets = [], b"", 0
                return code, texts
        self._searched = len(buffer)
        if self._searched > LINE_OCTETS:
            raise BadAnswer("a line of its reply is too long")
        return None

    def _add(self, line: bytes) -> bool:
        """Take one line; return whether it is the last of its reply."""
        if len(line) > LINE_OCTETS:
            raise BadAnswer("a line of its reply is too long")
        match = _LINE.fullmatch(line)
        if match is None or (self._code and match[1] != self._code):
            raise BadAnswer("it answered with something that is no reply")
        if not self._code:
            self.raw.clear()
        self._code = match[1]
        self._octets += len(line)
        self._lines.append(match[3] or b"")
        if len(self._lines) > REPLY_LINES or self._octets > REPLY_OCTETS:
            raise BadAnswer("its reply is too long")
        self.raw += line
        return match[2] != b"-"


def to_reply(code: int, texts: list[bytes]) -> Reply:
    """Return the reply of these lines: one enhanced code, one line of clean text.

    An enhanced code of another class than `code` is left in the text (RFC 2034, 4).
    """
    enhanced = ""
    parts = []
    for octets in texts:
        text = octets.decode("utf-8", "replace")
        match = _ENHANCED.match(text)
        if match is not None and match[1][0] == str(code)[0]:
            enhanced = enhanced or match[1]
            text = text[match.end() :]
        parts.append(text)
    return Reply(code, enhanced, clean(" ".join(parts)))
