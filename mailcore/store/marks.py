"""What `has:` and `list:` look for in a message: kinds of files, links, pictures from outside.

Pure. Kinds follow the declared type first and the name's ending where that says nothing. The list
is named by List-Id (RFC 2919), which anybody may write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mailcore.mime import charset, fields
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT
from mailcore.mime.structure import Part

_LIST_CHARS = 255
_IN_ANGLES = re.compile(r"<([^<>]+)>\s*\Z")
_URL = re.compile(r"https?://\w", re.IGNORECASE)
_ENDINGS = {
    "pdf": "pdf",
    **dict.fromkeys(("doc", "docx", "odt", "rtf", "pages"), "doc"),
    **dict.fromkeys(("xls", "xlsx", "ods", "csv", "numbers"), "sheet"),
    **dict.fromkeys(("zip", "gz", "tgz", "bz2", "xz", "7z", "rar", "tar", "zst"), "archive"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "heic", "svg", "bmp", "tiff"), "image"),
    "ics": "invite",
}
_TYPES = {
    "application/pdf": "pdf",
    "application/msword": "doc",
    "application/rtf": "doc",
    "text/rtf": "doc",
    "application/vnd.oasis.opendocument.text": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "doc",
    "application/vnd.ms-excel": "sheet",
    "application/vnd.oasis.opendocument.spreadsheet": "sheet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "sheet",
    "text/csv": "sheet",
    "application/zip": "archive",
    "application/gzip": "archive",
    "application/x-7z-compressed": "archive",
    "application/vnd.rar": "archive",
    "application/x-tar": "archive",
    "text/calendar": "invite",
}


def marks(
    *, parts: Sequence[Part], attachments: Sequence[Part], text: str, blocked_count: int, html: str
) -> list[str]:
    """Return the values of `has:` that are true of a message, but for `attachment`."""
    found = {kind for part in attachments for kind in _kinds(part)}
    if any(part.content_type == "text/calendar" for part in parts):
        found.add("invite")
    if "<a " in html or _URL.search(text):
        found.add("link")
    if blocked_count:
        found.add("remote")
    return sorted(found)


def list_id(raw: Octets) -> str:
    """Return the identifier of the mailing list that a message says it is from, or ''."""
    end, _ = fields.header_span(raw, end=DEFAULT.header_bytes)
    for field in fields.iterate(bytes(raw[:end])):
        if field.name.lower() == "list-id":
            text = charset.decode(fields.unfold(field.value[: DEFAULT.field_bytes]))
            angles = _IN_ANGLES.search(text)
            return (angles[1] if angles else text).strip()[:_LIST_CHARS]
    return ""


def _kinds(part: Part) -> Iterator[str]:
    known = _TYPES.get(part.content_type)
    if part.content_type.startswith("image/"):
        yield "image"
    elif known:
        yield known
    else:
        ending = part.filename.rpartition(".")[2].lower()
        if ending in _ENDINGS:
            yield _ENDINGS[ending]
