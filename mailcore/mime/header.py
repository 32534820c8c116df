"""The scan that delivery waits for: the fields that lists and threads need, nothing else.

RFC 5322 for the fields, RFC 5256 section 2.1 for the base subject. It runs before the 250 and
therefore costs tens of microseconds; structure, preview and the other fields come later. Of a
field that occurs twice the first counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mailcore.errors import MailError
from mailcore.mime import fields, words
from mailcore.mime.addresslist import Mailbox, list_addresses, parse_address_list
from mailcore.mime.charset import decode
from mailcore.mime.date import parse_date
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT, Limits

MAX_REFERENCES = 100
MAX_PARTICIPANTS = 50
SUBJECT_CHARS = 998
_ID_CHARS = 995  # a line of 998 octets, less the brackets and the blank

_WANTED = re.compile(
    rb"\n(message-id|in-reply-to|references|subject|from|to|cc|date|received|delivered-to)"
    rb"[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)",
    re.IGNORECASE,
)
_REPEATED = (b"received", b"delivered-to")
_MESSAGE_ID = re.compile(rb"<\s*+([^<>\s]{1,%d})\s*+>" % _ID_CHARS)
_FIELD_SIZE = re.compile(rb"[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+")


class HeaderTooLarge(MailError):  # noqa: N818 - named by what it is, like Refused
    """The header exceeds a limit of guarantees.md, section 3; answered with 552 5.3.4."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"more than {limit} {what}")
        self.what = what
        self.limit = limit


@dataclass(frozen=True, slots=True)
class HeaderScan:
    """What delivery, folder list and threading need of a header. Text is decoded and clean."""

    message_id: str  # without <>, '' if there is none
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    base_subject: str  # RFC 5256, 2.1, casefolded
    is_reply: bool  # the subject had Re: or Fwd:, or the message names a parent
    from_name: str
    from_address: str  # '' if From names none beyond doubt
    sent_at: datetime | None  # UTC
    header_size: int  # octets, the empty line included
    received_count: int
    delivered_to: tuple[str, ...]
    participants: tuple[str, ...]  # lower-case addr-specs of From, To and Cc


def scan_header(data: Octets, *, limits: Limits = DEFAULT) -> HeaderScan:
    """Read the header of the message `data` (bytes or anything like it; it is not copied).

    Raises HeaderTooLarge and nothing else, whatever the octets are.
    """
    fields_end, body_start = fields.header_span(data, end=limits.header_bytes + 4)
    if body_start > limits.header_bytes:
        raise HeaderTooLarge("octets of header", limits.header_bytes)
    header = b"\n" + bytes(data[:fields_end])
    _check_counts(header, limits)
    found: dict[bytes, bytes] = {}
    received_count = 0
    delivered_to: list[str] = []
    for name, value in _WANTED.findall(header):
        key = name.lower()
        if key not in _REPEATED:
            found.setdefault(key, value)
        elif key == b"received":
            received_count += 1
        else:
            delivered_to.append(words.clean(_text(value))[:_ID_CHARS])
    return _scan_found(found, body_start, received_count, tuple(delivered_to))


def _scan_found(
    found: dict[bytes, bytes], header_size: int, received_count: int, delivered_to: tuple[str, ...]
) -> HeaderScan:
    subject = words.decode_value(found.get(b"subject", b""), max_chars=SUBJECT_CHARS)
    base, had_prefix = base_subject(subject)
    in_reply_to = _message_ids(found.get(b"in-reply-to"))
    references = _message_ids(found.get(b"references"))
    senders = _mailboxes(found.get(b"from"))
    sender = _author(senders)
    people = [box.address.lower() for box in senders if box.address]
    for key in (b"to", b"cc"):
        if key in found:
            value = _text(found[key])
            people += [a.lower() for a in list_addresses(value, max_count=MAX_PARTICIPANTS)]
    return HeaderScan(
        message_id=_first_id(found.get(b"message-id")),
        in_reply_to=in_reply_to,
        references=references,
        subject=subject,
        base_subject=base,
        is_reply=had_prefix or bool(in_reply_to or references),
        from_name=sender.name,
        from_address=sender.address,
        sent_at=parse_date(_text(found.get(b"date", b""))),
        header_size=header_size,
        received_count=received_count,
        delivered_to=delivered_to,
        participants=tuple(dict.fromkeys(people))[:MAX_PARTICIPANTS],
    )


def _check_counts(header: bytes, limits: Limits) -> None:
    """Raise HeaderTooLarge for too many fields or a field that is too long."""
    if len(header) > limits.field_bytes:
        longest = max(match.end() - match.start() for match in _FIELD_SIZE.finditer(header, 1))
        if longest > limits.field_bytes:
            raise HeaderTooLarge("octets in a field", limits.field_bytes)
    if header.count(b"\n") > limits.header_fields:
        folded = header.count(b"\n ") + header.count(b"\n\t")
        if header.count(b"\n") - folded - header.endswith(b"\n") > limits.header_fields:
            raise HeaderTooLarge("fields", limits.header_fields)


def _text(value: bytes) -> str:
    value = fields.unfold(value)
    return value.decode("ascii") if value.isascii() else decode(value)


def _author(senders: tuple[Mailbox, ...]) -> Mailbox:
    for box in senders:
        if box.address:
            return box
    return senders[0] if senders else Mailbox("", "")


def _mailboxes(value: bytes | None) -> tuple[Mailbox, ...]:
    return parse_address_list(_text(value), max_count=MAX_PARTICIPANTS) if value else ()


def _message_ids(value: bytes | None) -> tuple[str, ...]:
    """Return the ids in order, without repeats; of too many the first and the newest."""
    if not value:
        return ()
    ids = tuple(dict.fromkeys([_id_text(raw) for raw in _MESSAGE_ID.findall(value)]))
    if len(ids) <= MAX_REFERENCES:
        return ids
    return (ids[0], *ids[1 - MAX_REFERENCES :])


def _first_id(value: bytes | None) -> str:
    """Return the Message-ID; one without brackets is taken as it is, up to a blank."""
    ids = _message_ids(value)
    if ids or not value:
        return ids[0] if ids else ""
    bare = value.split(None, 1)[:1]
    return _id_text(bare[0].strip(b"<>"))[:_ID_CHARS] if bare else ""


def _id_text(raw: bytes) -> str:
    return words.clean(raw.decode("utf-8", "replace"))


_BLOBS = re.compile(r"(?:\[[^\[\]]*+\]\s*+)*+")
_LAST_BLOB = re.compile(r"\[[^\[\]]*+\]\s*+\Z")
# Beyond the RFC, which knows only re, fw and fwd: what Outlook and others write in the language
# of the sender. One letter (I: and R: in Italian) would take away words of the subject itself.
_REFWD = re.compile(
    r"(?:re|fwd?|rv|aw|wg|tr|sv|vs|enc|res|rif|antw|vá)\s*+(?:\[[^\[\]]*+\]\s*+)?+:\s*+",
    re.IGNORECASE,
)


def base_subject(subject: str) -> tuple[str, bool]:
    """Return (base subject, whether anything said reply or forward) of a decoded subject.

    RFC 5256, section 2.1, and the prefixes of other languages (RV:, AW:, WG:); casefolded, so
    that equal means the same conversation.
    """
    text, had_prefix = " ".join(subject.split()), False
    while True:
        text, trailed = _strip_trailers(text)
        text, led = _strip_leaders(text)
        had_prefix |= trailed or led
        if text[:5].lower() == "[fwd:" and text.endswith("]"):
            text, had_prefix = text[5:-1].strip(), True
            continue
        return text.casefold(), had_prefix


def _strip_trailers(text: str) -> tuple[str, bool]:
    stripped = text.rstrip()
    while stripped[-5:].lower() == "(fwd)":
        stripped = stripped[:-5].rstrip()
    return stripped, len(stripped) < len(text.rstrip())


def _strip_leaders(text: str) -> tuple[str, bool]:
    """Remove `[list]` and `Re:` in any order, but leave something (steps 3 to 5)."""
    position, found = 0, False
    while True:
        blobs_end = _end_of(_BLOBS, text, position)
        refwd_end = _end_of(_REFWD, text, blobs_end)
        if refwd_end == blobs_end:
            break
        position, found = refwd_end, True
    if blobs_end < len(text):
        return text[blobs_end:], found
    last = _LAST_BLOB.search(text, position)
    return text[last.start() if last else position :], found


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()
