"""Where a header ends and which fields it has (RFC 5322, sections 2.1 and 2.2).

Works on offsets into any bytes-like object, an mmap too, and copies nothing but the fields it
returns. Like Postfix, it lets the header end at the first line that is neither a field nor a
continuation: text without a header is then all body. It decodes nothing (`words`).
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass

Octets = bytes | bytearray | memoryview | mmap.mmap

# A field name is printable ASCII without the colon; blanks before the colon are obsolete syntax.
_FIRST_LINE = re.compile(rb"(?:>?From [^\n]*+\n)?+[!-9;-~]++[ \t]*+:")
_NOT_A_FIELD = re.compile(rb"\n(?![!-9;-~]++[ \t]*+:|[ \t])")
_FIELD = re.compile(rb"\n([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


@dataclass(frozen=True, slots=True)
class RawField:
    """One field as received: the name in its own spelling, the value still folded and encoded."""

    name: str
    value: bytes


def header_span(data: Octets, start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Return (end of the fields, start of the body) of the message or part at `start`.

    The two differ by the empty line, if there is one. `end` bounds the search; a header that
    reaches it ends there. Never raises.
    """
    stop = len(data) if end is None else min(end, len(data))
    if _FIRST_LINE.match(data, start, stop) is None:
        return start, start + _empty_line(data, start, stop)
    found = _NOT_A_FIELD.search(data, start, stop)
    if found is None:
        return stop, stop
    fields_end = found.end()
    return fields_end, fields_end + _empty_line(data, fields_end, stop)


def _empty_line(data: Octets, at: int, stop: int) -> int:
    """Return how many octets the empty line at `at` has, 0 if the line there is not empty."""
    line = bytes(data[at : min(at + 2, stop)])
    if line == b"\r\n":
        return 2
    return 1 if line[:1] == b"\n" else 0


def iterate(header: bytes) -> Iterator[RawField]:
    """Yield the fields of `header`, in order (RFC 5322, 2.2). Lazy: stop when it is enough."""
    for match in _FIELD.finditer(b"\n" + header):
        yield RawField(name=match[1].decode("ascii"), value=match[2])


def unfold(value: bytes) -> bytes:
    """Return `value` without the line ends of its folds and without outer blanks (2.2.3)."""
    if b"\n" in value:
        value = _FOLD.sub(b"", value)
    return value.strip(b" \t\r\n")
