"""May this account send from these addresses? (RFC 6409, 6.1; RFC 5322, 3.6.2)

MAIL FROM, every author of From and every Sender must be addresses that the account may use, so
that nobody writes in another's name. An entry that is no address beyond doubt is refused: some
reader would guess, and guess somebody else. The null reverse-path passes (RFC 8098 wants it).
"""

from __future__ import annotations

from collections.abc import Sequence

from mailcore.address import Address, AddressError, parse, parse_reverse_path
from mailcore.delivery import refusals
from mailcore.directory.senders import SendingMailbox, sending_mailbox
from mailcore.errors import Refused
from mailcore.mime.addresslist import Mailbox
from mailcore.mime.fields import Octets
from mailcore.mime.originate import authorship
from mailcore.smtp.reply import Reply

_AUTHORS_MAX = 20


def check_reverse_path(*, user_id: int, reverse_path: str) -> None:
    """Raise Refused unless the user may send from `reverse_path` ('' is the null path)."""
    try:
        address = parse_reverse_path(reverse_path)
    except AddressError as error:
        raise Refused(refusals.BAD_ADDRESS) from error
    if address is not None:
        _allowed(user_id, address, refusals.NOT_YOUR_ADDRESS)


def check_authors(content: Octets, *, user_id: int) -> SendingMailbox:
    """Return the mailbox of the first author. Raises Refused when one is not the user's."""
    found = authorship(content)
    if found.from_count != 1:
        raise Refused(refusals.NO_FROM)
    authors = _addresses(found.authors, refusals.NOT_YOUR_FROM)
    senders = _addresses(found.senders, refusals.NOT_YOUR_SENDER)
    if not authors:
        raise Refused(refusals.NOT_YOUR_FROM)
    boxes = [_allowed(user_id, address, refusals.NOT_YOUR_FROM) for address in authors]
    for address in senders:
        _allowed(user_id, address, refusals.NOT_YOUR_SENDER)
    return boxes[0]


def _addresses(entries: Sequence[Mailbox], refusal: Reply) -> list[Address]:
    if len(entries) > _AUTHORS_MAX:
        raise Refused(refusal)
    try:
        return list(dict.fromkeys(parse(entry.address) for entry in entries))
    except AddressError as error:
        raise Refused(refusal) from error


def _allowed(user_id: int, address: Address, refusal: Reply) -> SendingMailbox:
    found = sending_mailbox(user_id=user_id, address=address)
    if found is None:
        raise Refused(refusal)
    return found
