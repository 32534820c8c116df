"""Text and octets in the form that travels: encoded words, quoted-printable, base64, multiparts.

RFC 2045, 2046 and 2047. Writes only; reading is `words`, `body` and `structure`. Takes what it
gets: `compose` has refused what must not stand in a header.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence

LINE_OCTETS = 76
_WORD_OCTETS = 42  # base64 makes 56 of it, with its wrapping 70
_LINE_END = re.compile(r"\r\n|\r|\n|\u2028|\u2029")
_CHUNK_OCTETS = 57 * 1024  # whole lines of base64


def header(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Return fields as octets; values are folded already."""
    return "".join(f"{name}: {value}\r\n" for name, value in pairs).encode()


def text(value: str, *, always: bool = False) -> str:
    """Return unstructured text: as it is if short ASCII, else encoded words (RFC 2047, 2)."""
    is_plain = value.isascii() and len(value) <= LINE_OCTETS - 10 and "=?" not in value
    if is_plain and not always:
        return value
    pieces = [""]
    for character in value:
        if len((pieces[-1] + character).encode()) > _WORD_OCTETS:
            pieces.append("")
        pieces[-1] += character
    coded = (binascii.b2a_base64(piece.encode(), newline=False).decode() for piece in pieces)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in coded)


def text_part(subtype: str, value: str) -> bytes:
    """Return a text part with its header: 7bit if short ASCII lines, else quoted-printable."""
    lines = _LINE_END.split(value.replace("\0", ""))
    octets = [line.encode("utf-8", "replace") for line in lines]
    kind = ("Content-Type", f"text/{subtype}; charset=utf-8")
    if all(_is_plain(line) for line in octets):
        return header([kind, ("Content-Transfer-Encoding", "7bit")]) + _body(octets)
    # Soft line ends come out as a bare LF.
    coded = [binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n") for line in octets]
    return header([kind, ("Content-Transfer-Encoding", "quoted-printable")]) + _body(coded)


def _is_plain(line: bytes) -> bool:
    """Say whether a line may go as it is; `=_` is kept for boundaries."""
    return (
        len(line) <= LINE_OCTETS
        and line.isascii()
        and b"=_" not in line
        and not line.endswith((b" ", b"\t"))
        and not line.startswith(b"From ")
    )


def _body(lines: Sequence[bytes]) -> bytes:
    return b"\r\n" + b"\r\n".join(lines) + b"\r\n"


def base64_lines(content: bytes) -> bytes:
    """Return octets as base64 in lines of 76 (RFC 2045, 6.8)."""
    out: list[bytes] = []
    for start in range(0, len(content), _CHUNK_OCTETS):
        coded = binascii.b2a_base64(content[start : start + _CHUNK_OCTETS], newline=False)
        out += [coded[at : at + LINE_OCTETS] for at in range(0, len(coded), LINE_OCTETS)]
    return b"\r\n".join((*out, b""))


def multipart(subtype: str, parts: Sequence[bytes], boundary: str, *, extra: str = "") -> bytes:
    """Return parts, each with its header, as one with a header of its own (RFC 2046, 5.1)."""
    value = f'multipart/{subtype}{extra};\r\n\tboundary="{boundary}"'
    opening = f"--{boundary}\r\n".encode()
    inside = b"".join(opening + part + b"\r\n" for part in parts)
    end = f"--{boundary}--\r\n".encode()
    return header([("Content-Type", value)]) + b"\r\n" + inside + end
