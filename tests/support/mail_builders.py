"""Mail in a mailbox for tests of the store: delivered by the real service, found by its subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import Message
from mailcore.store import derive, read
from mailcore.store.deliver import Stored, deliver_batch
from mailcore.store.rows import MessageView, ThreadView
from mailcore.store.sandbox import Sandbox
from tests.support.deliveries import NOW, make_delivery, make_message


def store(*raws: bytes, mailbox: Mailbox, at: datetime = NOW, role: str = "inbox") -> list[UUID]:
    """Deliver messages without delivery keys and return the public ids of the new rows."""
    deliveries = [make_delivery(raw, mailbox, at=at, keyed=False, role=role) for raw in raws]
    results = deliver_batch(deliveries, now=at)
    stored = [result for result in results if isinstance(result, Stored)]
    assert len(stored) == len(raws), results
    return [public_id for result in stored for public_id in result.messages]


def store_small(*, mailbox: Mailbox, count: int, role: str = "inbox") -> list[UUID]:
    """Deliver `count` different small messages, each a conversation of its own."""
    raws = [make_message(message_id=f"{n}@m.test", subject=f"Number {n}") for n in range(count)]
    return store(*raws, mailbox=mailbox, role=role)


def folder(mailbox: Mailbox, role: str = "inbox") -> Folder:
    """Return the folder with this role, as it is now."""
    return Folder.objects.get(mailbox=mailbox, role=role)


def rows(ids: Sequence[UUID]) -> list[Message]:
    """Return the messages in the order of `ids`."""
    found = {row.public_id: row for row in Message.objects.filter(public_id__in=ids)}
    return [found[public_id] for public_id in ids]


@contextmanager
def sandbox(*, wall_s: float = 10.0) -> Iterator[Sandbox]:
    """Give a sandbox and end its child afterwards."""
    made = Sandbox(wall_s=wall_s)
    try:
        yield made
    finally:
        made.close()


def derive_all() -> int:
    """Derive all that waits; return how many contents were dealt with."""
    total = 0
    with sandbox() as made:
        while done := derive.derive_next(sandbox=made):
            total += done
    return total


def opened(mailbox: Mailbox, message_id: UUID) -> MessageView:
    """Return a message as its reader sees it."""
    view = read.message(mailbox=mailbox, message_id=message_id)
    assert view is not None
    return view


def opened_thread(mailbox: Mailbox, thread_id: UUID, *, folder_id: int | None = None) -> ThreadView:
    """Return a conversation as its reader sees it."""
    view = read.thread(mailbox=mailbox, thread_id=thread_id, folder_id=folder_id)
    assert view is not None
    return view
