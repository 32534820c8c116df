"""Many messages in a mailbox, quickly: written by the batch path of delivery, 500 a commit."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from mailcore.models.directory import Mailbox
from mailcore.store.deliver import Stored, deliver_batch
from tests.support.deliveries import NOW, make_delivery, make_message

_BATCH = 500


def store_many(*, mailbox: Mailbox, count: int, role: str = "inbox", first: int = 0) -> list[UUID]:
    """Deliver `count` small messages, a second apart, each a conversation of its own."""
    ids: list[UUID] = []
    for start in range(first, first + count, _BATCH):
        deliveries = [
            make_delivery(
                make_message(message_id=f"{role}{n}@many.test", subject=f"Number {n}"),
                mailbox,
                at=NOW - timedelta(days=1) + timedelta(seconds=n),
                keyed=False,
                role=role,
            )
            for n in range(start, min(start + _BATCH, first + count))
        ]
        results = deliver_batch(deliveries, now=NOW)
        ids += [one for result in results if isinstance(result, Stored) for one in result.messages]
    assert len(ids) == count
    return ids
