"""An 8-bit message as a 7-bit one, for hosts without 8BITMIME (RFC 6152, 3; RFC 2045, 6).

Each leaf part that needs it becomes quoted-printable or base64; who decodes it gets the same
octets, except that text has CRLF line ends. What cannot be had so is an error, not a guess: 8-bit
header fields, signed parts (RFC 1847 forbids touching them), broken structure. A DKIM signature
of the body does not survive; such hosts are too rare to refuse them the mail.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from mailcore.errors import MailError
from mailcore.mime.fields import header_span
from mailcore.mime.limits import DEFAULT, Limits
from mailcore.mime.structure import Part, Structure, parse_structure

_8BIT_LABELS = frozenset({"8bit", "binary"})
_IDENTITY = _8BIT_LABELS | {"7bit"}
_ENCODABLE_MESSAGES = frozenset({"message/global", "message/global-headers"})  # RFC 6532, 3.7
_FEW = 6  # up to one octet in six above ASCII, quoted-printable is the shorter and readable
_ASCII = bytes(range(128))

_ENCODING_FIELD = re.compile(
    rb"\ncontent-transfer-encoding[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+", re.IGNORECASE
)
_TYPE_FIELD = re.compile(rb"\ncontent-type[ \t]*+:\s*+([^\s;/]*+)", re.IGNORECASE)
_VERSION_FIELD = re.compile(rb"\nmime-version[ \t]*+:", re.IGNORECASE)

Edit = tuple[int, int, bytes]  # from, to, and what stands there afterwards


class CannotTranscode(MailError):  # noqa: N818 - said of a message
    """The message cannot be made 7-bit without changing it; `why` says what stands against it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def to_7bit(content: bytes, *, limits: Limits = DEFAULT) -> bytes:
    """Return the message `content` in ASCII; unchanged when it is so already.

    Raises CannotTranscode and nothing else. Time is linear in the size; takes some four times
    the memory of the content.
    """
    if content.isascii():
        return content
    structure = parse_structure(content, limits=limits)
    result = bytearray()
    at = 0
    for start, end, octets in _edits(content, structure):
        result += content[at:start]
        result += octets
        at = end
    result += content[at:]
    if not result.isascii():
        raise CannotTranscode("8-bit octets in a header field or between the parts")
    return bytes(result)


def _edits(content: bytes, structure: Structure) -> Iterator[Edit]:
    """Yield what changes, in the order of the content."""
    signed: set[int] = set()
    containers = {part.parent for part in structure.parts}
    for index, part in enumerate(structure.parts):
        if part.content_type == "multipart/signed" or part.parent in signed:
            signed.add(index)
            _check_signed(content, part)
        elif index in containers or part.is_multipart:
            if part.encoding in _8BIT_LABELS:
                yield _relabelled(content, part, b"7bit")
        else:
            is_message = index == 0 or structure.parts[part.parent].content_type == (
                "message/rfc822"
            )
            yield from _leaf(content, part, is_message=is_message)


def _check_signed(content: bytes, part: Part) -> None:
    if not content[part.offset : part.body_offset + part.size].isascii():
        raise CannotTranscode("a signed part has 8-bit octets")


def _leaf(content: bytes, part: Part, *, is_message: bool) -> Iterator[Edit]:
    body = content[part.body_offset : part.body_offset + part.size]
    if body.isascii() and part.encoding != "binary":
        if part.encoding == "8bit":
            yield _relabelled(content, part, b"7bit")
        return
    fields = b"\n" + content[part.offset : part.body_offset]
    kind = _TYPE_FIELD.search(fields)
    if part.encoding not in _IDENTITY:
        raise CannotTranscode(f"8-bit octets in a part that claims to be {part.encoding}")
    if kind is not None and kind[1].lower() == b"multipart":
        raise CannotTranscode("a multipart without a boundary")
    if part.content_type.startswith("message/") and part.content_type not in _ENCODABLE_MESSAGES:
        raise CannotTranscode(f"8-bit octets in {part.content_type}")
    encoding, encoded = _encoded(body, is_text=part.content_type.startswith("text/"))
    more = b""
    if is_message and not _VERSION_FIELD.search(fields):
        more += b"MIME-Version: 1.0\r\n"
    if kind is None:
        more += b"Content-Type: text/plain; charset=unknown-8bit\r\n"  # RFC 1428
    start, end, header = _relabelled(content, part, encoding, more=more)
    if end == part.body_offset:  # the body began without an empty line
        header += b"\r\n"
    yield start, end, header
    yield part.body_offset, part.body_offset + part.size, encoded


def _relabelled(content: bytes, part: Part, encoding: bytes, *, more: bytes = b"") -> Edit:
    """Return the edit that makes the fields of `part` name another transfer encoding."""
    end, _ = header_span(content, part.offset, part.body_offset)
    fields = _ENCODING_FIELD.sub(b"", b"\n" + content[part.offset : end])[1:]
    if fields and not fields.endswith(b"\n"):
        fields += b"\r\n"
    return part.offset, end, fields + more + b"Content-Transfer-Encoding: " + encoding + b"\r\n"


def _encoded(body: bytes, *, is_text: bool) -> tuple[bytes, bytes]:
    """Return the name of the encoding that suits `body`, and the encoded body."""
    if is_text and b"\0" not in body:  # with NUL it is UTF-16 or no text
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        if len(body.translate(None, _ASCII)) * _FEW <= len(body):
            printable = binascii.b2a_qp(body, istext=True)
            # Its soft line breaks are lone LFs when the body has no line end.
            return b"quoted-printable", printable.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return b"base64", base64.encodebytes(body).rstrip(b"\n").replace(b"\n", b"\r\n")
