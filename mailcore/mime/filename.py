"""Names of attachments: safe to show, to store as a label and to offer for download.

RFC 6266 and RFC 8187 for the header, the rules of Windows and of Unix file systems for the name.
A name is never used as a path by us; it is made harmless for the machine that saves it.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from mailcore.mime import words

NAME_BYTES = 200
_FALLBACK = "attachment"
# Zero-width and directional marks, fillers, tags: invisible, so they only serve to deceive.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_RESERVED = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\Z)", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_NOT_TOKEN = re.compile(r'[^ -~]|["\\%]')


def safe_filename(name: str, *, fallback: str = _FALLBACK) -> str:
    """Return the last component of `name` without anything that could do harm.

    NFC, at most 200 octets of UTF-8 with the extension kept, never empty; `fallback` is taken
    as it is when nothing is left. Never raises.
    """
    name = re.split(r"[/\\]", name[-4000:])[-1]
    name = INVISIBLE.sub("", words.clean(name))
    name = unicodedata.normalize("NFC", _BLANKS.sub(" ", name))
    name = _RESERVED.sub("_", name).strip(" .")
    if _DEVICE.match(name):
        name = "_" + name
    return _shorten(name) or fallback


def _shorten(name: str) -> str:
    if len(name.encode()) <= NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 16:
        stem, dot, extension = name, "", ""
    room = NAME_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + dot + extension


def content_disposition(name: str, *, inline: bool = False) -> str:
    """Return the value of an HTTP Content-Disposition field for `name` (RFC 6266, 4).

    ASCII only; a name that needs it is given twice, the second time by RFC 8187.
    """
    kind = "inline" if inline else "attachment"
    name = safe_filename(name)
    plain = _NOT_TOKEN.sub("_", name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
