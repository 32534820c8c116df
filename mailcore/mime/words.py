"""Header values to text: encoded words (RFC 2047) and raw UTF-8 (RFC 6532), for people to read.

Linear and tolerant: adjacent words of one charset are joined before decoding, because senders
cut inside a character; a broken word stays as it is. The result holds no control characters, so
it can be shown, stored or put in a log, but it is never parsed again as a header.
"""

from __future__ import annotations

import binascii
import re

from mailcore.mime import charset
from mailcore.mime.fields import unfold

_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*+)\?=")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
# C0, DEL, C1, line and paragraph separators; directional embeddings, overrides and isolates.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_BLANK = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+ *")
DISPLAY_CHARS = 998


def decode_value(value: bytes, *, max_chars: int = DISPLAY_CHARS) -> str:
    """Return the text of an unstructured field value: unfolded, decoded, cleaned, cut.

    Never raises. 8-bit octets are UTF-8 or, failing that, windows-1252.
    """
    value = unfold(value)
    text = value.decode("ascii") if value.isascii() else charset.decode(value)
    return decode_text(text, max_chars=max_chars)


def decode_text(text: str, *, max_chars: int = DISPLAY_CHARS) -> str:
    """Return `text` with its encoded words decoded, cleaned and cut to `max_chars`."""
    if "=?" in text:
        text = decode_words(text)
    return clean(text)[:max_chars]


def clean(text: str) -> str:
    """Return `text` without control and direction-changing characters and outer blanks.

    Line ends and tabs become one space, the rest disappears.
    """
    if text.isprintable():
        return text.strip()
    return _UNSAFE.sub("", _BLANK.sub(" ", text)).strip()


def decode_words(text: str) -> str:
    """Return `text` with encoded words replaced by what they say (RFC 2047, section 2).

    Blanks between two encoded words are dropped (6.2). The result may hold any character:
    callers that show it use `clean`.
    """
    out: list[str] = []
    run = bytearray()  # octets of adjacent words in one charset
    run_label = ""
    position = 0
    for match in _WORD.finditer(text):
        gap = text[position : match.start()]
        label = match[1].partition("*")[0].lower()  # RFC 2231, 5: charset*language
        joined = position > 0 and (not gap or gap.isspace())
        if run and not (joined and label == run_label):
            out.append(charset.decode(bytes(run), run_label))
            run.clear()
        if not joined:
            out.append(gap)
        run += _octets(match[2], match[3])
        run_label = label
        position = match.end()
    out.append(charset.decode(bytes(run), run_label))
    out.append(text[position:])
    return "".join(out)


def _octets(encoding: str, encoded: str) -> bytes:
    """Return the octets of one word; characters that do not belong there are skipped (B)."""
    raw = encoded.encode("utf-8", "replace")
    if encoding in "qQ":
        return _ESCAPE.sub(lambda m: binascii.unhexlify(m[1]), raw.replace(b"_", b" "))
    digits = _NOT_BASE64.sub(b"", raw)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
