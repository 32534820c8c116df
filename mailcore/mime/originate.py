"""What a submission server may put right in a message before it leaves (RFC 6409, section 8).

A Message-ID and a Date where there are none, no Bcc (RFC 5322, 3.6.3), no mbox line before the
header, an empty line after it, and CRLF for every line end. Nothing else is touched: other fields
stay octet by octet, the body always. Whether the author may write so is `delivery.submit`'s.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailcore.mime import charset, fields
from mailcore.mime.addresslist import Mailbox, parse_address_list
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT

_LONE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_MBOX_LINE = re.compile(rb">?From [^\n]*+\n")
_WHOLE_FIELD = re.compile(rb"([!-9;-~]++)[ \t]*+:[^\n]*+(?:\n|\Z)(?:[ \t][^\n]*+(?:\n|\Z))*+")
_BLIND = ("bcc", "resent-bcc")
_CHUNK_OCTETS = 2**20


@dataclass(frozen=True, slots=True)
class Originated:
    """The header to use, its empty line included, and where the body starts in the original.

    `bcc` are the fields that were taken out, whole; `is_changed` whether `header` is another one.
    """

    header: bytes
    body_start: int
    bcc: bytes
    is_changed: bool


def originate(
    data: Octets, *, message_id: str, date: datetime | None, drop: Collection[str] = ()
) -> Originated:
    """Return the header that the message `data` leaves with; `data` is not copied.

    `message_id` (without brackets) and `date` (aware) are used where the message has none; no
    Date is added when `date` is None. `drop` names further fields to take out, in lower case.
    Never raises for what the octets are.
    """
    fields_end, body_start = fields.header_span(data, end=DEFAULT.header_bytes + 4)
    original = bytes(data[:fields_end])
    mbox = _MBOX_LINE.match(original)
    kept, bcc, names = _sift(original[mbox.end() if mbox else 0 :], {*_BLIND, *drop})
    added = []
    if "message-id" not in names:
        added.append(f"Message-ID: <{message_id}>\r\n".encode())
    if "date" not in names and date is not None:
        added.append(date_field(date))
    # Without this line two readers may disagree about where the header ends, and who wrote.
    end = b"\r\n" if kept.endswith(b"\n") or not kept else b"\r\n\r\n"
    header = b"".join((*added, kept, end))
    return Originated(header, body_start, bcc, header != bytes(data[:body_start]))


def date_field(at: datetime) -> bytes:
    """Return the Date field of an aware time (RFC 5322, 3.6.1)."""
    return f"Date: {format_datetime(at)}\r\n".encode()


def with_crlf(data: bytes) -> bytes:
    """Return `data` with every lone CR and LF made CRLF (guarantees.md, SMTP smuggling)."""
    return _LONE.sub(b"\r\n", data)


def is_8bit(data: Octets) -> bool:
    """Return whether any octet of `data` is above 127 (RFC 6152)."""
    starts = range(0, len(data), _CHUNK_OCTETS)
    return not all(bytes(data[start : start + _CHUNK_OCTETS]).isascii() for start in starts)


def _sift(header: bytes, unwanted: Collection[str]) -> tuple[bytes, bytes, set[str]]:
    """Return the fields that stay, the Bcc fields among the others, and all names that stay."""
    kept: list[bytes] = []
    bcc: list[bytes] = []
    names: set[str] = set()
    for match in _WHOLE_FIELD.finditer(header):
        name = match[1].decode("ascii").lower()
        if name not in unwanted:
            kept.append(match[0])
            names.add(name)
        elif name in _BLIND:
            bcc.append(match[0])
    return b"".join(kept), b"".join(bcc), names


@dataclass(frozen=True, slots=True)
class Authorship:
    """Every mailbox of From and of Sender, whichever of repeated fields a reader looks at."""

    from_count: int
    authors: tuple[Mailbox, ...]
    senders: tuple[Mailbox, ...]


def authorship(data: Octets) -> Authorship:
    """Return who the message `data` says it is from (RFC 5322, 3.6.2); never raises."""
    end, _ = fields.header_span(data, end=DEFAULT.header_bytes)
    values = [(field.name.lower(), field.value) for field in fields.iterate(bytes(data[:end]))]
    authors = [value for name, value in values if name == "from"]
    senders = [value for name, value in values if name == "sender"]
    return Authorship(len(authors), _mailboxes(authors), _mailboxes(senders))


def _mailboxes(values: list[bytes]) -> tuple[Mailbox, ...]:
    texts = (charset.decode(fields.unfold(value[: DEFAULT.field_bytes])) for value in values)
    return tuple(box for text in texts for box in parse_address_list(text))
