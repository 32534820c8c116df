"""Writes a delivery status notification (RFC 3464, RFC 6522; RFC 6533 where SMTPUTF8 needs it).

Three parts: text for a person, fields for a program, and what came back. Texts arrive finished
and in the reader's language; nothing that a peer or a sender wrote can end a line here. Who gets
one, and with how much of the message, is decided elsewhere.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mailcore.dsn import typed
from mailcore.mime import words

LINE_OCTETS = 76
_LONGEST_OCTETS = 900  # a line ends at 998 (RFC 5322, 2.1.1)
_VALUE_CHARS = 2000
_WORD_OCTETS = 42  # base64 makes 56 of it, with its wrapping 70
_LINE_END = re.compile(rb"\r\n|\r|\n")
_PHRASE = re.compile(r"[A-Za-z0-9 ]+")
_NOT_ID = re.compile(r"[^\x21-\x7e]|[<>]")


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of one recipient (RFC 3464, 2.3). Times are aware; '' and None leave out.

    `action` is failed, delayed, delivered, relayed or expanded; `orcpt` is as RCPT had it.
    """

    final_recipient: str
    action: str
    status: str
    orcpt: str = ""
    remote_host: str = ""
    diagnostic: str = ""
    last_attempt_at: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A whole notification. `original` holds header fields, or the message if `is_whole`.

    `text` is for people and has `\\n` between lines; `envid` is xtext, as MAIL had it;
    `utf8` says that the message needed SMTPUTF8, so that the report may hold UTF-8 fields.
    """

    to: str
    sender_name: str
    sender: str
    subject: str
    text: str
    language: str
    message_id: str
    at: datetime
    reporting_host: str
    recipients: Sequence[RecipientReport]
    arrived_at: datetime | None = None
    envid: str = ""
    original: bytes = b""
    is_whole: bool = False
    original_message_id: str = ""
    utf8: bool = False


def compose(report: Report) -> bytes:
    """Return the notification, CRLF line ends, without trace fields.

    ASCII unless what comes back is not, or `to` or, with `utf8`, a recipient needs UTF-8.
    """
    parts = [_text_part(report), _status_part(report)]
    if report.original:
        parts.append(_returned_part(report))
    boundary = _boundary(report, parts)
    opening, closing = b"--" + boundary + b"\r\n", b"--" + boundary + b"--\r\n"
    body = b"".join(opening + part + b"\r\n" for part in parts) + closing
    return _header(report, boundary) + b"\r\n" + body


def _header(report: Report, boundary: bytes) -> bytes:
    lines = [
        f"From: {_phrase(report.sender_name)} <{_one_line(report.sender)}>",
        f"To: <{_one_line(report.to)}>",
        f"Subject: {_encoded(report.subject)}",
        f"Date: {format_datetime(report.at)}",
        f"Message-ID: <{_id(report.message_id)}>",
    ]
    if original := _id(report.original_message_id):
        lines += [f"In-Reply-To: <{original}>", f"References: <{original}>"]
    lines += [
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary.decode()}"',
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def _text_part(report: Report) -> bytes:
    text = "".join(f"{_indented(line)}\r\n" for line in report.text.split("\n")).encode()
    language = f"Content-Language: {report.language}\r\n".encode() if report.language else b""
    return language + _encoded_part("text/plain; charset=utf-8", text)


def _status_part(report: Report) -> bytes:
    blocks = [_message_fields(report)]
    blocks += [_recipient_fields(report, recipient) for recipient in report.recipients]
    fields = "\r\n".join(blocks)
    if fields.isascii():
        return b"Content-Type: message/delivery-status\r\n\r\n" + fields.encode()
    kind = b"Content-Type: message/global-delivery-status\r\n"
    return kind + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + fields.encode()


def _message_fields(report: Report) -> str:
    return "".join(
        _fields(
            [
                ("Original-Envelope-Id", typed.decode_xtext(report.envid)),
                ("Reporting-MTA", f"dns; {report.reporting_host}"),
                ("Arrival-Date", _date(report.arrived_at)),
            ],
            utf8=report.utf8,
        )
    )


def _recipient_fields(report: Report, recipient: RecipientReport) -> str:
    remote = f"dns; {recipient.remote_host}" if recipient.remote_host else ""
    diagnostic = f"smtp; {recipient.diagnostic}" if recipient.diagnostic else ""
    return "".join(
        _fields(
            [
                ("Original-Recipient", typed.from_orcpt(recipient.orcpt)),
                ("Final-Recipient", typed.write(recipient.final_recipient, utf8=report.utf8)),
                ("Action", recipient.action),
                ("Status", recipient.status),
                ("Remote-MTA", remote),
                ("Diagnostic-Code", diagnostic),
                ("Last-Attempt-Date", _date(recipient.last_attempt_at)),
                ("Will-Retry-Until", _date(recipient.will_retry_until)),
            ],
            utf8=report.utf8,
        )
    )


def _fields(pairs: Sequence[tuple[str, str]], *, utf8: bool) -> Iterator[str]:
    """Yield the fields that have a value, folded, each with its line end."""
    for name, value in pairs:
        text = _one_line(value)[:_VALUE_CHARS]
        if not utf8:
            text = text.encode("ascii", "replace").decode()
        if text:
            yield _folded(f"{name}: {text}")


def _folded(line: str) -> str:
    """Return a field on lines of about 76 octets, broken at blanks."""
    first, *others = [piece for word in line.split() for piece in _pieces(word)]
    lines = [first]
    for piece in others:
        if len(f"{lines[-1]} {piece}".encode()) <= LINE_OCTETS:
            lines[-1] += f" {piece}"
        else:
            lines.append(f" {piece}")
    return "\r\n".join(lines) + "\r\n"


def _pieces(word: str) -> Iterator[str]:
    """Yield a word, in pieces when it is longer than a line may be."""
    step = len(word) if len(word.encode()) <= _LONGEST_OCTETS else _LONGEST_OCTETS // 4
    for at in range(0, len(word), step):
        yield word[at : at + step]


def _returned_part(report: Report) -> bytes:
    octets = _LINE_END.sub(b"\r\n", report.original)
    if report.is_whole:
        return _message_part("message/global" if report.utf8 else "message/rfc822", octets)
    if report.utf8 and not octets.isascii():
        return _message_part("message/global-headers", octets)
    return _encoded_part("text/rfc822-headers", octets)


def _message_part(content_type: str, octets: bytes) -> bytes:
    encoding = "7bit" if octets.isascii() else "8bit"
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + octets


def _encoded_part(content_type: str, octets: bytes) -> bytes:
    """Return a text part, in quoted-printable when it is not plain ASCII of short lines."""
    head = f"Content-Type: {content_type}\r\n".encode()
    longest = max(map(len, octets.split(b"\r\n")))
    if octets.isascii() and longest <= LINE_OCTETS + 2 and b"\0" not in octets:
        return head + b"\r\n" + octets
    coded = b"\r\n".join(binascii.b2a_qp(line, istext=True) for line in octets.split(b"\r\n"))
    # Soft line ends come out as a bare LF.
    coded = _LINE_END.sub(b"\r\n", coded)
    return head + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + coded


def _boundary(report: Report, parts: Sequence[bytes]) -> bytes:
    """Return a boundary that stands in no part; the same report gets the same one."""
    boundary = report.message_id.encode()
    while True:
        boundary = hashlib.sha256(boundary).hexdigest()[:32].encode()
        if not any(boundary in part for part in parts):
            return boundary


def _date(at: datetime | None) -> str:
    return format_datetime(at) if at else ""


def _one_line(text: str) -> str:
    return words.clean(text)


def _indented(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))] + _one_line(line)


def _id(text: str) -> str:
    return _NOT_ID.sub("", text)[:900]


def _phrase(text: str) -> str:
    """Return a display name as header fields take it (RFC 5322, 3.2.5)."""
    return text if _PHRASE.fullmatch(text) else _encoded(text, always=True)


def _encoded(text: str, *, always: bool = False) -> str:
    """Return text for an unstructured field: as it is if short ASCII, else RFC 2047 words."""
    text = _one_line(text)
    if not always and text.isascii() and len(text) <= LINE_OCTETS - 10 and "=?" not in text:
        return text
    pieces = [""]
    for character in text:
        if len((pieces[-1] + character).encode()) > _WORD_OCTETS:
            pieces.append("")
        pieces[-1] += character
    coded = (binascii.b2a_base64(p.encode(), newline=False).decode() for p in pieces)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in coded)
