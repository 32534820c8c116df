"""Boundary lines of nested multiparts, found in one walk (RFC 2046, 5.1.1).

Keeps the next occurrence of every open boundary and searches an inner one only up to the next
outer one. A boundary is recognised by the beginning of its line, as the RFC says; if several
open ones match there, the longest wins. Works by offsets and with a budget of octets searched.
"""

from __future__ import annotations

from typing import NamedTuple

from mailcore.mime.fields import Octets

_FIRST_CHUNK = 4 * 1024
_CHUNK = 256 * 1024


class Delimiter(NamedTuple):
    """A boundary line: `start` is where the content before it ends, `end` where the next begins."""

    level: int  # index of the boundary on the stack
    start: int
    end: int
    is_close: bool


class Delimiters:
    """The stack of open boundaries over one message."""

    def __init__(self, data: Octets, *, budget: int) -> None:
        self.exhausted = False
        self._data = data
        self._budget = budget
        self._position = 0
        self._needles: list[bytes] = []
        self._found: list[int] = []  # offset of the next occurrence; len(data) if there is none

    def push(self, boundary: bytes, position: int) -> None:
        """Open a boundary whose multipart has its body at `position`."""
        self._needles.append(b"\n--" + boundary)
        self._found.append(-1)
        # The line end before the first boundary may be the one of the header's empty line.
        self._position = max(0, position - 1)

    def pop(self) -> None:
        """Close the innermost boundary."""
        self._needles.pop()
        self._found.pop()

    def bound(self) -> int:
        """Return an offset that the part after the last delimiter cannot reach beyond."""
        self._refresh()
        return min(self._found, default=len(self._data))

    def next(self) -> Delimiter | None:
        """Return the next boundary line of any open multipart, None at the end."""
        self._refresh()
        at = min(self._found, default=len(self._data))
        if at >= len(self._data):
            return None
        level = max(
            (i for i, found in enumerate(self._found) if found == at),
            key=lambda i: (len(self._needles[i]), i),
        )
        after = at + len(self._needles[level])
        is_close = bytes(self._data[after : after + 2]) == b"--"
        line_end = self._find(b"\n", after, len(self._data))
        start = at - 1 if at and bytes(self._data[at - 1 : at]) == b"\r" else at
        # The next line may be a delimiter as well, so the line end is kept in view.
        self._position = min(line_end, len(self._data))
        return Delimiter(level, start, min(line_end + 1, len(self._data)), is_close)

    def _refresh(self) -> None:
        """Find the next occurrence of each boundary, outer ones first: they bound the inner."""
        limit = len(self._data)
        # An inner boundary may begin with an outer one: it must fit in where that was found.
        longest = max(map(len, self._needles), default=0)
        for level, needle in enumerate(self._needles):
            if self._found[level] < self._position:
                self._found[level] = self._find(needle, self._position, limit)
            limit = min(limit, self._found[level] + longest)

    def _find(self, needle: bytes, start: int, end: int) -> int:
        """Return the first `needle` from `start`, len(data) if none ends before `end`."""
        chunk = len(self._data) if isinstance(self._data, bytes) else _FIRST_CHUNK
        while start + len(needle) <= end:
            if self._budget <= 0:
                self.exhausted = True
                break
            stop = min(end, start + chunk)
            at = self._find_in(needle, start, stop)
            self._budget -= (stop if at < 0 else at) - start + len(needle)
            if at >= 0:
                return at
            if stop == end:
                break
            start = stop - len(needle) + 1
            chunk = min(2 * chunk, _CHUNK)
        return len(self._data)

    def _find_in(self, needle: bytes, start: int, stop: int) -> int:
        if isinstance(self._data, bytes):
            return self._data.find(needle, start, stop)
        # The find of mmap compares octet by octet; a copied piece is searched faster.
        at = bytes(self._data[start:stop]).find(needle)
        return at if at < 0 else start + at
