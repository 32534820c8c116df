"""The demonstration: two domains, two people, an operator, and mail of the last weeks.

Made by the services that make everything else, so it is ordinary data. Random passwords are told
once and kept in DATA_DIR (mode 0600). Never touches an installation that has a domain.
"""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from mailcore import rawmail
from mailcore.directory import domains, mailboxes, users
from mailcore.directory.mailboxes import NewMailbox
from mailcore.management.accounts import Account, password_file
from mailcore.management.demo_letters import ALICE, BOB, Letter, letters
from mailcore.management.demo_mime import compose
from mailcore.mime.header import scan_header
from mailcore.mime.trace import delivered_to_field, return_path_field
from mailcore.models.directory import Domain
from mailcore.store import flags
from mailcore.store.deliver import Copy, Delivery, Stored, deliver_batch

DOMAINS = ("crepes.test", "hamburger.test")
OPERATOR = "operator"


def make_if_empty() -> list[Account]:
    """Make the demonstration and return its accounts; do nothing where there is a domain."""
    if Domain.objects.exists():
        return []
    return make(now=timezone.now())


def make(*, now: datetime) -> list[Account]:
    """Make everything. Raises AlreadyExists when a part is there already."""
    operator = _account(OPERATOR)
    users.create_operator(login=operator.login, password=operator.password, now=now)
    accounts, boxes = [operator], {}
    for name in DOMAINS:
        domains.create_domain(name=name, now=now)
    for person in (ALICE, BOB):
        display_name, address = _split(person)
        account = _account(address)
        accounts.append(account)
        boxes[address] = mailboxes.create_mailbox(
            address=address, password=account.password, display_name=display_name, now=now
        )
    _keep(accounts)
    _deliver(letters(), boxes, now=now)
    return accounts


def _account(login: str) -> Account:
    return Account(login, users.generate_password())


def _split(person: str) -> tuple[str, str]:
    name, _, rest = person.partition(" <")
    return name, rest.rstrip(">")


def _keep(accounts: Sequence[Account]) -> None:
    text = "".join(f"{account.login} {account.password}\n" for account in accounts)
    handle = os.open(password_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _deliver(post: Sequence[Letter], boxes: dict[str, NewMailbox], *, now: datetime) -> None:
    """Deliver the letters, oldest first, each in its time: threads grow as they did."""
    seen_ids: dict[str, list[str]] = defaultdict(list)
    for number, letter in enumerate(post, 1):
        at = now - timedelta(hours=letter.age_h)
        thread = seen_ids[letter.thread or str(number)]
        message_id = f"{number}.{int(at.timestamp())}@{_split(letter.sender)[1].partition('@')[2]}"
        raw = compose(letter, at=at, message_id=message_id, references=thread)
        thread.append(message_id)
        _store(letter, raw, boxes, at=at)


def _store(letter: Letter, raw: bytes, boxes: dict[str, NewMailbox], *, at: datetime) -> None:
    copies = _copies(letter, boxes)
    delivery = Delivery(
        header=scan_header(raw),
        blob=rawmail.prepare(raw),
        reverse_path=_split(letter.sender)[1],
        trace_id=uuid.uuid4(),
        received_at=at,
        copies=tuple(copies.values()),
    )
    (result,) = deliver_batch([delivery], now=at)
    if not isinstance(result, Stored):
        raise TypeError(f"the demonstration's mail was not stored: {result!r}")
    if letter.is_flagged:
        for address, message_id in zip(copies, result.messages, strict=False):
            box = boxes[address].mailbox
            flags.set_flagged(mailbox=box, message_ids=[message_id], value=True)


def _copies(letter: Letter, boxes: dict[str, NewMailbox]) -> dict[str, Copy]:
    """Return a copy for each of us that the letter goes to, and the sender's own in Sent."""
    sender = _split(letter.sender)[1]
    copies = {}
    for person in (*letter.to, letter.sender):
        address = _split(person)[1]
        if address not in boxes:
            continue
        is_own = address == sender
        prefix = b"" if is_own else return_path_field(sender) + delivered_to_field(address)
        copies[address] = Copy(
            mailbox_id=boxes[address].mailbox.pk,
            forward_path=address,
            domain_id=None,
            prefix=prefix,
            role="sent" if is_own else letter.role,
            is_seen=is_own or letter.is_seen,
        )
    return copies
