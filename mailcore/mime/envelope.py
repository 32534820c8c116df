"""The address fields that a reader sees above a message (RFC 5322, 3.6.2 and 3.6.3), and its list.

The value that is kept as JSON beside the structure: who wrote, to whom, where answers go. It is
no SMTP envelope, and whoever wrote the message wrote these: nothing here is verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailcore.mime import charset, fields, words
from mailcore.mime.addresslist import Mailbox, parse_address_list
from mailcore.mime.fields import Octets
from mailcore.mime.limits import DEFAULT, Limits

MAX_MAILBOXES = 500  # in each field
MAX_LIST_ID = 255  # RFC 2919, 3
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
    """The mailboxes of each address field; of a repeated field the first counts.

    `list_id` is the identifier in List-Id (RFC 2919), without angle brackets.
    """

    authors: tuple[Mailbox, ...] = ()
    sender: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    list_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object of lists of [name, address, group]; empty fields are left out."""
        boxes: dict[str, Any] = {
            key: [[box.name, box.address, box.group] for box in getattr(self, key)]
            for key in _NAMES.values()
            if getattr(self, key)
        }
        return boxes | ({"list_id": self.list_id} if self.list_id else {})

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HeaderAddresses:
        """Return what `to_json` wrote. Raises TypeError for other objects."""
        boxes = {key: value[key] for key in value if key != "list_id"}
        return cls(
            **{key: tuple(Mailbox(*box) for box in boxes[key]) for key in boxes},
            list_id=str(value.get("list_id", "")),
        )


def read_addresses(data: Octets, *, limits: Limits = DEFAULT) -> HeaderAddresses:
    """Return the address fields of the message `data`; never raises."""
    end, _ = fields.header_span(data, end=limits.header_bytes)
    found: dict[str, tuple[Mailbox, ...]] = {}
    list_id = ""
    for field in fields.iterate(bytes(data[:end])):
        name = field.name.lower()
        key = _NAMES.get(name)
        if name == "list-id" and not list_id:
            list_id = _list_id(charset.decode(fields.unfold(field.value[: limits.field_bytes])))
        if key is not None and key not in found:
            text = charset.decode(fields.unfold(field.value[: limits.field_bytes]))
            found[key] = parse_address_list(text, max_count=MAX_MAILBOXES)
    return HeaderAddresses(**found, list_id=list_id)


def _list_id(text: str) -> str:
    """Return what stands in the last angle brackets, or the whole of a field without them."""
    inner = text.rpartition("<")[2].partition(">")[0]
    return words.clean(inner).strip()[:MAX_LIST_ID]
