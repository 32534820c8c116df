"""A queued message whose recipients end as a test says, through the queue's own services."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from mailcore import rawmail
from mailcore.delivery import bounce
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.queue import claim, enqueue, outcome
from mailcore.queue.enqueue import Outgoing, Recipient
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result
from tests.support.deliveries import NOW, make_message

OK = Delivered(Reply(250, "2.0.0", "Ok"))
NO_USER = Failed(Reply(550, "5.1.1", "No such user"))
LATER = Deferred(Reply(451, "4.4.1", "No answer"))
RAW = make_message(message_id="lunch@hamburger.test", subject="Lunch", body="At noon?")


def queue(
    *recipients: Recipient,
    reverse_path: str = "alice@hamburger.test",
    raw: bytes = RAW,
    origin: str = "submission",
    at: datetime = NOW,
    submitter_id: int | None = None,
    smtputf8: bool = False,
    envid: str = "",
    ret: str = "",
) -> uuid.UUID:
    """Queue one message; return its trace id."""
    blob = rawmail.save(rawmail.prepare(raw), now=at)
    trace_id = uuid.uuid4()
    outgoing = Outgoing(
        reverse_path=reverse_path,
        blob_id=blob.pk,
        prefix=b"Received: by mail.hamburger.test\r\n",
        size=len(raw),
        origin=origin,
        trace_id=trace_id,
        submitter_id=submitter_id,
        smtputf8=smtputf8,
        envid=envid,
        ret=ret,
    )
    enqueue.enqueue(outgoing=outgoing, recipients=recipients, now=at)
    return trace_id


def end(*results: Result, at: datetime = NOW, relayed_dsn: bool = False) -> None:
    """Claim what is due and let each recipient end so, in the order of the rows."""
    batches = claim.claim(now=at, limit=1000, per_domain=1000)
    pairs = [(batch, recipient) for batch in batches for recipient in batch.recipients]
    pairs.sort(key=lambda pair: pair[1].id)
    endings = [
        outcome.Ending(
            batch=batch,
            recipient=recipient,
            attempt_id=None,
            result=result,
            host="mx.x.example",
            relayed_dsn=relayed_dsn,
        )
        for (batch, recipient), result in zip(pairs, results, strict=True)
    ]
    outcome.finish(endings, now=at, report=bounce.report)


def outcomes() -> list[tuple[str, str]]:
    """Return state and dsn_outcome of all recipients but those of notices, in order."""
    rows = QueuedRecipient.objects.exclude(message__origin="dsn").order_by("pk")
    return list(rows.values_list("state", "dsn_outcome"))


def letters(mailbox: Mailbox) -> Sequence[bytes]:
    """Return the octets of what is in a mailbox, with their prefixes, oldest first."""
    rows = Message.objects.filter(mailbox=mailbox).select_related("content__blob").order_by("pk")
    return [bytes(row.prefix) + rawmail.read_checked(row.content.blob) for row in rows]


def hours(count: float) -> datetime:
    """Return the moment so many hours after NOW."""
    return NOW + timedelta(hours=count)
