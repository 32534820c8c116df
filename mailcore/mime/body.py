"""Bodies: undoing the transfer encoding, and choosing what a reader sees (RFC 2045 6, RFC 8621).

Decoding is lenient (bad characters are skipped, missing padding is supplied), in pieces, and
bounded by the caller. The choice follows JMAP's textBody/htmlBody/attachments (RFC 8621, 4.1.4)
with the signature of a multipart/signed set apart. HTML is not cleaned here.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailcore.mime import charset
from mailcore.mime.fields import Octets
from mailcore.mime.structure import Part, Structure

TEXT_BYTES = 2 * 1024 * 1024
_PIECE = 256 * 1024
_MAX_GROUPS = 1000  # of base64 in a piece; more is an attack, and "=" is then skipped
_LONGEST_ESCAPE = 80  # a soft line break with blanks before the line end
_NOT_BASE64 = bytes(
    octet
    for octet in range(256)
    if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)
_UU_BEGIN = re.compile(rb"^begin[ \t]+[0-7]{3,4}[ \t][^\n]*\n", re.MULTILINE)
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
# What one program tells another about a message: RFC 3464, 3798, 5965, 6522, 6533.
REPORT_TYPES = frozenset(
    {
        "message/delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
        "message/global-delivery-status",
        "message/global-disposition-notification",
        "message/global-headers",
        "text/rfc822-headers",
    }
)
# What the sanitiser puts in place of cid: and a browser can draw; the rest must be listed.
_DRAWABLE = frozenset(
    {f"image/{kind}" for kind in "png x-png jpeg jpg pjpeg gif webp avif".split()}
)
# Alternatives to a body that is shown anyway: no reader calls them attachments.
_SPARE = frozenset({"text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded content; `truncated` says that there was more."""

    content: bytes
    truncated: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A text body in Unicode, without NUL, line ends as sent; `truncated` as in Decoded."""

    text: str
    truncated: bool


def iterate_body(data: Octets, part: Part) -> Iterator[bytes]:
    """Yield the decoded body of `part` in pieces of at most 256 KiB; never raises.

    `data` is the message that `part` was found in. An unknown encoding yields the raw octets.
    """
    pieces = _raw_pieces(data, part)
    if part.encoding == "base64":
        return _base64(pieces)
    if part.encoding == "quoted-printable":
        return _quoted_printable(pieces)
    if part.encoding == "x-uuencode":
        return _uuencode(pieces)
    return pieces


def decode_body(data: Octets, part: Part, *, max_bytes: int) -> Decoded:
    """Return the decoded body of `part`, cut to `max_bytes`; never raises."""
    content = bytearray()
    for piece in iterate_body(data, part):
        content += piece
        if len(content) > max_bytes:
            return Decoded(bytes(content[:max_bytes]), truncated=True)
    return Decoded(bytes(content), truncated=False)


def decode_text(data: Octets, part: Part, *, max_bytes: int = TEXT_BYTES) -> Text:
    """Return the body of `part` as text by its charset; never raises."""
    decoded = decode_body(data, part, max_bytes=max_bytes)
    return Text(charset.decode(decoded.content, part.charset).replace("\0", ""), decoded.truncated)


def _raw_pieces(data: Octets, part: Part) -> Iterator[bytes]:
    start, end = part.body_offset, min(part.body_offset + part.size, len(data))
    for at in range(start, end, _PIECE):
        yield bytes(data[at : min(at + _PIECE, end)])


def _base64(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decode, skipping what is not in the alphabet; "=" ends a group, more groups may follow."""
    rest = b""
    for piece in pieces:
        groups = (rest + piece.translate(None, _NOT_BASE64)).split(b"=")
        if len(groups) > _MAX_GROUPS:
            groups = [b"".join(groups)]
        for group in groups[:-1]:
            yield _padded(group)
        whole = len(groups[-1]) - len(groups[-1]) % 4
        yield binascii.a2b_base64(groups[-1][:whole])
        rest = groups[-1][whole:]
    yield _padded(rest)


def _padded(digits: bytes) -> bytes:
    if len(digits) % 4 == 1:
        digits = digits[:-1]  # six bits are no octet
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _quoted_printable(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        piece = rest + piece
        cut = piece.rfind(b"\n") + 1
        if not cut:  # no line end: never cut inside "=XX" or before a soft break
            escape = piece.rfind(b"=", max(0, len(piece) - _LONGEST_ESCAPE))
            cut = len(piece) if escape < 0 else escape
        if not cut or len(piece) - cut > _PIECE:
            cut = len(piece)
        yield binascii.a2b_qp(piece[:cut])
        rest = piece[cut:]
    yield binascii.a2b_qp(rest)


def _uuencode(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decode the lines between `begin` and `end`; a damaged line gives what it still holds."""
    rest, is_inside = b"", False
    for piece in (*pieces, b"\n"):
        piece = rest + piece
        begin = None if is_inside else _UU_BEGIN.search(piece)
        if begin is not None:
            piece, is_inside = piece[begin.end() :], True
        lines = piece.split(b"\n")
        rest = lines.pop()[-_PIECE:]
        if is_inside:
            yield b"".join(map(_uu_line, lines))
            is_inside = not any(line.rstrip() == b"end" for line in lines)


def _uu_line(line: bytes) -> bytes:
    """Return the octets of one line. Its first character says how many there are."""
    line = line.rstrip(b"\r ")
    if not line or line == b"end":
        return b""
    length = (line[0] - 32) & 63
    digits = bytes((octet & 127) if 32 <= octet & 127 <= 96 else 32 for octet in line[1:85])
    needed = (length + 2) // 3 * 4
    return binascii.a2b_uu(bytes([32 + length]) + digits[:needed].ljust(needed))


@dataclass(frozen=True, slots=True)
class BodyChoice:
    """Which part is what to a reader. A part may be in `text` and `html` (RFC 8621, 4.1.4)."""

    text: tuple[Part, ...]  # to read as plain text, in order
    html: tuple[Part, ...]  # to read as HTML, in order; plain where there is no HTML
    inline: tuple[Part, ...]  # images that the HTML can refer to
    attachments: tuple[Part, ...]
    signature: Part | None = None  # of a multipart/signed

    @property
    def text_part(self) -> Part | None:
        """The plain text alternative, None if there is only HTML."""
        return next((part for part in self.text if part.content_type != "text/html"), None)

    @property
    def html_part(self) -> Part | None:
        """The HTML alternative, None if there is only plain text."""
        return next((part for part in self.html if part.content_type == "text/html"), None)

    @property
    def has_attachment(self) -> bool:
        """Whether a list should show a paper clip: machine-readable reports do not count."""
        return any(part.content_type not in REPORT_TYPES for part in self.attachments)


def choose_body(structure: Structure) -> BodyChoice:
    """Return the parts to show and the attachments; never raises."""
    chooser = _Chooser(structure)
    chooser.visit(0, in_alternative=False, sides=(chooser.text, chooser.html))
    return BodyChoice(
        text=tuple(chooser.text or chooser.html),
        html=tuple(chooser.html or chooser.text),
        inline=tuple(chooser.inline),
        attachments=tuple(chooser.attachments),
        signature=chooser.signature,
    )


_Sides = tuple[list[Part] | None, list[Part] | None]  # the text body and the HTML body


@dataclass(slots=True)
class _Chooser:
    structure: Structure
    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    inline: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    signature: Part | None = None
    _children: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, part in enumerate(self.structure.parts):
            self._children.setdefault(part.parent, []).append(index)

    def visit(self, index: int, *, in_alternative: bool, sides: _Sides) -> None:
        """Sort part `index` and what is in it. Depth is bounded by the structure's limit."""
        part = self.structure.parts[index]
        children = self._children.get(index, [])
        if not part.is_multipart:
            self._sort_leaf(part, in_alternative, sides, is_body=self._is_body(index))
        elif not children:
            self._sort_leaf(part, in_alternative, sides, is_body=True)
        elif part.content_type == "multipart/alternative":
            self._visit_alternatives(children, sides)
        else:
            for child in children:
                self.visit(child, in_alternative=in_alternative, sides=sides)

    def _visit_alternatives(self, children: list[int], sides: _Sides) -> None:
        """Let each side take its own kind; a side left with nothing takes the other's."""
        before = [len(side) if side is not None else 0 for side in sides]
        for child in children:
            self.visit(child, in_alternative=True, sides=sides)
        text, html = sides
        if text is not None and html is not None:
            new_text, new_html = text[before[0] :], html[before[1] :]
            text += [] if new_text else new_html
            html += [] if new_html else new_text

    def _is_body(self, index: int) -> bool:
        """Say whether a leaf may be body text: no attachment, and in first place if related."""
        part = self.structure.parts[index]
        if part.disposition == "attachment" or part.content_type not in ("text/plain", "text/html"):
            return False
        siblings = self._children.get(part.parent, [index])
        container = self.structure.parts[part.parent] if part.parent >= 0 else None
        if siblings[0] == index or container is None:
            return True
        in_related = container.content_type == "multipart/related"
        return not in_related and not part.filename

    def _sort_leaf(self, part: Part, in_alternative: bool, sides: _Sides, *, is_body: bool) -> None:
        container = self.structure.parts[part.parent] if part.parent >= 0 else None
        kind = container.content_type if container is not None else ""
        if is_body:
            is_html = part.content_type == "text/html"
            for side, takes in zip(sides, (not is_html, is_html), strict=True):
                if side is not None and (takes or not in_alternative):
                    side.append(part)
        elif kind == "multipart/signed" and part.content_type in _SIGNATURES:
            self.signature = part
        elif part.content_type in _DRAWABLE and _is_referred_to(part, kind):
            self.inline.append(part)
        elif not (in_alternative and _is_spare(part) and (self.text or self.html)):
            self.attachments.append(part)


def _is_referred_to(part: Part, container_type: str) -> bool:
    """Say whether the HTML can show `part` itself: it has a cid: and its place in a related."""
    in_related = container_type == "multipart/related"
    return in_related and bool(part.content_id) and part.disposition != "attachment"


def _is_spare(part: Part) -> bool:
    return part.content_type in _SPARE and not part.filename and part.disposition != "attachment"
