"""Whether somebody has written to a mailbox before: for the banner of a first-time sender.

By the address in From, which anybody can write there: a hint to the reader, never a permission.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from mailcore.models.blob import Content
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.store.matching import of_mailbox

LOOKED_AT = 200  # newest contents of an address; one that wrote more to others is no stranger
ADDRESSES_MAX = 5


def strangers(*, mailbox: Mailbox, addresses: Iterable[str], thread_id: UUID) -> set[str]:
    """Return those of `addresses` that no message outside this conversation came from.

    One query for each address, at most ADDRESSES_MAX; what is beyond counts as known.
    """
    wanted = list(dict.fromkeys(filter(None, addresses)))[:ADDRESSES_MAX]
    return {address for address in wanted if _is_stranger(mailbox, address, thread_id)}


def _is_stranger(mailbox: Mailbox, address: str, thread_id: UUID) -> bool:
    written = Content.objects.filter(from_address=address).order_by("-pk").values("pk")
    found = Message.objects.filter(of_mailbox(mailbox.pk), content_id__in=written[:LOOKED_AT])
    return not found.exclude(thread__public_id=thread_id).exists()
