"""Which addresses may a user write from? (RFC 6409, 6.1; RFC 5322, 3.6.2)

Those whose mail reaches a mailbox that the user may send from: its addresses with any detail,
aliases that lead to it, what a catch-all gives it. So nobody can write in the name of an address
whose answers go to somebody else only. Refuses nothing: `delivery.submit` chooses the reply.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailcore.address import Address
from mailcore.directory import resolve
from mailcore.directory.resolve import Resolved
from mailcore.models.identity import Access, MailboxAccess


@dataclass(frozen=True, slots=True)
class SendingMailbox:
    """The mailbox in whose name a message leaves, and whether it keeps a Sent copy."""

    mailbox_id: int
    keeps_sent_copy: bool


def sending_mailbox(*, user_id: int, address: Address) -> SendingMailbox | None:
    """Return the mailbox that lets the user write from `address`, own ones first, or None.

    None for a user who was disabled meanwhile, too. Raises what the database raises.
    """
    if not address.domain:
        return None
    found = resolve.resolve_cached(forward_path=address)
    if not isinstance(found, Resolved):
        return None
    accesses = MailboxAccess.objects.filter(
        user_id=user_id,
        user__is_active=True,
        role__in=[Access.OWNER, Access.SEND],
        mailbox__in=[target.mailbox_id for target in found.mailboxes],
    )
    columns = accesses.values_list("mailbox_id", "mailbox__keeps_sent_copy")
    first = columns.order_by("role", "mailbox_id").first()  # "owner" comes before "send"
    return SendingMailbox(*first) if first else None
