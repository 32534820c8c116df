"""What a page may do with an attachment: look at it here, in a window of its own, or only save it.

By the type that the sender claims, because only a list is drawn; the routes look at the octets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _

from mailcore.mime import charset, invitation
from mailcore.mime.body import REPORT_TYPES
from mailcore.store import read

if TYPE_CHECKING:
    from mailcore.mime.invitation import Invitation

Kind = Literal["", "image", "text", "pdf", "message", "calendar"]
IMAGES = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
TEXTS = frozenset({"application/json", "application/xml", "application/x-yaml", "application/sql"})
PREVIEW_BYTES = 10 * 2**20
CALENDAR_BYTES = 128 * 1024
INVITATIONS_MAX = 3


@dataclass(frozen=True, slots=True)
class File:
    """An attachment and what can be done with it."""

    part: read.PartView
    kind: Kind

    @property
    def label(self) -> str:
        """What it is called: its name, else what its type means, else the type."""
        return self.part.name or _type_label(self.part.content_type)

    @property
    def has_preview(self) -> bool:
        """Whether a small picture of it can be had."""
        return self.kind == "image" and self.part.size <= PREVIEW_BYTES


def kind_of(part: read.PartView) -> Kind:
    """Return how a part can be looked at, '' when it can only be saved."""
    content_type = part.content_type
    if content_type in IMAGES:
        return "image"
    if content_type == "application/pdf":
        return "pdf"
    if content_type in ("message/rfc822", "message/global"):
        return "message"
    if content_type == "text/calendar":
        return "calendar"
    is_text = content_type.startswith("text/") or content_type in TEXTS | REPORT_TYPES
    return "text" if is_text else ""


def _type_label(content_type: str) -> str:
    if content_type in ("message/delivery-status", "message/global-delivery-status"):
        return _("Delivery status")
    if content_type in ("text/rfc822-headers", "message/global-headers"):
        return _("Header of the message")
    if content_type in ("message/rfc822", "message/global"):
        return _("Attached message")
    return content_type


def files(message: read.MessageView) -> list[File]:
    """Return what somebody attached to a message."""
    return [
        File(part, kind_of(part))
        for part in message.attachments
        if part.content_type not in REPORT_TYPES
    ]


def report_files(message: read.MessageView) -> list[File]:
    """Return the parts of a report that programs read (RFC 6522)."""
    return [
        File(part, kind_of(part))
        for part in message.attachments
        if part.content_type in REPORT_TYPES
    ]


def invitations(message: read.MessageView) -> list[Invitation]:
    """Return what the calendar parts of a message say, at most INVITATIONS_MAX of them."""
    parts = [part for part in message.parts if part.content_type == "text/calendar"]
    # One that comes both as a body and as a file is one.
    found = [read_invitation(message, part) for part in parts[:INVITATIONS_MAX]]
    return list(dict.fromkeys(one for one in found if one is not None))


def read_invitation(message: read.MessageView, part: read.PartView) -> Invitation | None:
    """Return what one calendar part says, or None."""
    octets = read.part_bytes(message=message, part=part.part, max_bytes=CALENDAR_BYTES)
    return invitation.read_invitation(charset.decode(octets, part.charset))


def unique_names(parts: Sequence[read.PartView]) -> list[str]:
    """Return a file name for each part, none of them twice, not even in another case."""
    names: list[str] = []
    taken: set[str] = set()
    for number, part in enumerate(parts, 1):
        stem, dot, extension = (part.name or f"attachment-{number}").rpartition(".")
        stem, dot, extension = (stem, dot, extension) if stem else (extension, "", "")
        name, again = f"{stem}{dot}{extension}", 2
        while name.casefold() in taken:
            name, again = f"{stem} ({again}){dot}{extension}", again + 1
        taken.add(name.casefold())
        names.append(name)
    return names
