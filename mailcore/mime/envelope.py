"""The address fields that a reader sees above a message (RFC 5322, 3.6.2 and 3.6.3).

The value that is kept as JSON beside the structure: who wrote, to whom, where answers go. It is
no SMTP envelope, and whoever wrote the message wrote these: nothing here is verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailcore.mime import charset, fields
from mailcore.mime.addresslist import Mailbox, parse_address_list
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT, Limits

MAX_MAILBOXES = 500  # in each field
_NAMES = {
    "from": "authors",
    "sender": "sender",
    "reply-to": "reply_to",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
}


@dataclass(frozen=True, slots=True)
class HeaderAddresses:
    """The mailboxes of each address field; of a repeated field the first counts."""

    authors: tuple[Mailbox, ...] = ()
    sender: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object of lists of [name, address, group]; empty fields are left out."""
        return {
            key: [[box.name, box.address, box.group] for box in getattr(self, key)]
            for key in _NAMES.values()
            if getattr(self, key)
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HeaderAddresses:
        """Return what `to_json` wrote. Raises TypeError for other objects."""
        return cls(**{key: tuple(Mailbox(*box) for box in boxes) for key, boxes in value.items()})


def read_addresses(data: Octets, *, limits: Limits = DEFAULT) -> HeaderAddresses:
    """Return the address fields of the message `data`; never raises."""
    end, _ = fields.header_span(data, end=limits.header_bytes)
    found: dict[str, tuple[Mailbox, ...]] = {}
    for field in fields.iterate(bytes(data[:end])):
        key = _NAMES.get(field.name.lower())
        if key is not None and key not in found:
            text = charset.decode(fields.unfold(field.value[: limits.field_bytes]))
            found[key] = parse_address_list(text, max_count=MAX_MAILBOXES)
    return HeaderAddresses(**found)
