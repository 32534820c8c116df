"""Builds a message that a person wrote (RFC 5322, 2045, 2047, 2183, 2387).

Header injection is impossible: every value is refused when it holds a line end or another control
character, before and after decoding encoded words, and the names of the finished header are read
again and compared (guarantees, 4). Uses nothing of Python's email package. Sends nothing, and
decides nothing about who may write: that is `delivery.submit`'s.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from mailcore.address import parse
from mailcore.errors import MailError
from mailcore.mime import encoding, fields, originate, words
from mailcore.mime.addresslist import Mailbox
from mailcore.mime.filename import safe_filename

SUBJECT_CHARS = 998
NAME_CHARS = 200
REFERENCES_MAX = 20

# C0, DEL, C1, line and paragraph separators, lone surrogates.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*")
_MESSAGE_ID = re.compile(r"[!-;=?-~]{1,400}")
_MEDIA_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][\w.+-]{0,60}/[\w.+-]{1,90}", re.ASCII)
_NOT_QUOTED = re.compile(r'[^ -~]|["\\%]')
_OCTETS = "application/octet-stream"


class UnfitField(MailError):  # noqa: N818 - named by what happened
    """A value cannot stand in a header. `field` is the name of the field."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; with a `content_id` (no brackets) it is shown where the HTML names it."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a person wrote. `html` is sanitised already, '' for plain text; ids have no brackets.

    Without `date` the message gets none: `delivery.submit` dates what leaves.
    """

    message_id: str
    sender: Mailbox
    subject: str
    text: str
    to: Sequence[Mailbox] = ()
    cc: Sequence[Mailbox] = ()
    bcc: Sequence[Mailbox] = ()
    html: str = ""
    in_reply_to: str = ""
    references: Sequence[str] = ()
    files: Sequence[File] = ()
    date: datetime | None = None


def build(letter: Letter) -> bytes:
    """Return the message with CRLF line ends; Bcc is part of it, as drafts and Sent keep it.

    ASCII, except where an address needs UTF-8 (RFC 6532). The same letter gives the same octets.
    Raises UnfitField, and AddressError for what is no address.
    """
    header = _header(letter)
    body = _body(letter)
    content = b"".join((encoding.header(header), body))
    _compare(content, [*(name for name, _ in header), *_names_of(body)])
    return content


def check(field: str, value: str) -> str:
    """Return `value` if a header may hold it, encoded words decoded or not. Raises UnfitField."""
    if _UNFIT.search(value) or _UNFIT.search(words.decode_words(value)):
        raise UnfitField(field)
    return value


def without_controls(value: str) -> str:
    """Return `value` with what `check` refuses taken out, for a draft that nobody sends yet."""
    value = _UNFIT.sub(" ", value)
    return value.replace("=?", "= ?") if _UNFIT.search(words.decode_words(value)) else value


def is_id(value: str) -> bool:
    """Say whether `value` may stand as a Message-ID between angle brackets."""
    return bool(_MESSAGE_ID.fullmatch(value)) and not _UNFIT.search(words.decode_words(value))


def needs_utf8(letter: Letter) -> bool:
    """Say whether an address of the letter travels only with SMTPUTF8 (RFC 6531)."""
    people = (letter.sender, *letter.to, *letter.cc, *letter.bcc)
    return any(parse(box.address).needs_smtputf8 for box in people)


def _header(letter: Letter) -> list[tuple[str, str]]:
    lists = (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc))
    header = [("From", _mailboxes("From", [letter.sender]))]
    header += [(name, _mailboxes(name, boxes)) for name, boxes in lists if boxes]
    header.append(("Subject", encoding.text(check("Subject", letter.subject)[:SUBJECT_CHARS])))
    if letter.date is not None:
        stamp = originate.date_field(letter.date).decode()
        header.append(("Date", stamp.partition(": ")[2].strip()))
    header.append(("Message-ID", _ids("Message-ID", [letter.message_id])))
    if letter.in_reply_to:
        header.append(("In-Reply-To", _ids("In-Reply-To", [letter.in_reply_to])))
    if letter.references:
        # The first names the conversation, the last are what this answers (RFC 5322, 3.6.4).
        kept = [*letter.references[:1], *letter.references[1:][-REFERENCES_MAX + 1 :]]
        header.append(("References", _ids("References", kept)))
    return [*header, ("MIME-Version", "1.0")]


def _mailboxes(field: str, boxes: Sequence[Mailbox]) -> str:
    return ",\r\n\t".join(_mailbox(field, box) for box in boxes)


def _mailbox(field: str, box: Mailbox) -> str:
    address = str(parse(check(field, box.address)))
    name = check(field, box.name).strip()[:NAME_CHARS]
    if not name or name == address:
        return address
    return f"{_phrase(name)} <{address}>"


def _phrase(name: str) -> str:
    """Return a display name: bare, quoted, or encoded (RFC 5322, 3.2.5; RFC 2047, 5)."""
    if not name.isascii() or "=?" in name:
        return encoding.text(name, always=True)
    if _PHRASE.fullmatch(name):
        return name
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _ids(field: str, ids: Sequence[str]) -> str:
    for one in ids:
        if not _MESSAGE_ID.fullmatch(check(field, one)):
            raise UnfitField(field)
    return "\r\n\t".join(f"<{one}>" for one in ids)


def _body(letter: Letter) -> bytes:
    inline = [file for file in letter.files if file.content_id and letter.html]
    attached = [file for file in letter.files if file not in inline]
    part = encoding.text_part("plain", letter.text)
    if letter.html:
        shown = encoding.text_part("html", letter.html)
        if inline:
            images = [_file(file) for file in inline]
            extra = '; type="text/html"'
            shown = encoding.multipart(
                "related", [shown, *images], _boundary(letter, "r"), extra=extra
            )
        part = encoding.multipart("alternative", [part, shown], _boundary(letter, "a"))
    if attached:
        files = [_file(file) for file in attached]
        part = encoding.multipart("mixed", [part, *files], _boundary(letter, "m"))
    return part


def _file(file: File) -> bytes:
    content_type = file.content_type.lower()
    if not _MEDIA_TYPE.fullmatch(content_type):
        content_type = _OCTETS
    kind = "inline" if file.content_id else "attachment"
    header = [
        ("Content-Type", content_type),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"{kind};\r\n\t{_name_parameter(file.name)}"),
    ]
    if file.content_id:
        header.append(("Content-ID", _ids("Content-ID", [file.content_id])))
    return encoding.header(header) + b"\r\n" + encoding.base64_lines(file.content)


def _name_parameter(name: str) -> str:
    """Return the file name as a parameter: quoted, or by RFC 2231 when it needs more than that."""
    name = safe_filename(name)
    if not _NOT_QUOTED.search(name):
        return f'filename="{name}"'
    return f"filename*=UTF-8''{quote(name, safe='')}"


def _boundary(letter: Letter, level: str) -> str:
    """Return a boundary that cannot stand in any part: none of our encodings writes `=_`."""
    digest = hashlib.sha256(f"{letter.message_id} {level}".encode()).hexdigest()
    return f"=_{level}{digest[:30]}"


def _names_of(part: bytes) -> list[str]:
    end, _ = fields.header_span(part, end=len(part))
    return [field.name for field in fields.iterate(part[:end])]


def _compare(content: bytes, expected: list[str]) -> None:
    """Read the header again: whatever got into it by another way stops the message here."""
    if _names_of(content) != expected:
        raise UnfitField("header")
