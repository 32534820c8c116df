"""Mail that people submitted, and what hosts answered: through the services, as runners do it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from mailcore.delivery import bounce, submit
from mailcore.delivery.submit import Submission, Submitted
from mailcore.models.message import Message
from mailcore.queue import claim, outcome
from mailcore.smtp.envelope import Envelope, ForwardPath
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered, Failed, Result
from tests.support.deliveries import NOW, make_message
from tests.support.people import Person

OK = Delivered(Reply(250, "2.0.0", "Ok: queued as 4F2A"))
BUSY = Deferred(Reply(451, "4.3.2", "Come back later"))
NOBODY = Failed(Reply(550, "5.1.1", "No such user"))
HOST = "mx.outside.example"
DIALOGUE = "S: 220 mx.outside.example\nC: EHLO mail.hamburger.test\nS: 250 mx.outside.example"


def send(
    who: Person,
    *paths: str,
    subject: str = "Lunch",
    at: datetime = NOW,
    not_before: datetime | None = None,
    origin: Literal["submission", "webmail"] = "webmail",
) -> Submitted:
    """Submit a message as the compose page or a mail program does."""
    raw = make_message(sender=who.address, to=paths[0], subject=subject)
    submission = Submission(
        envelope=Envelope(
            reverse_path=who.address,
            forward_paths=tuple(ForwardPath(path) for path in paths),
            smtputf8=False,
        ),
        content=raw,
        submitter_id=who.user.pk,
        trace_id=uuid.uuid4(),
        origin=origin,
        not_before=not_before,
    )
    return submit.submit(submission, now=at)


def answer(
    *results: Result, at: datetime = NOW, host: str = HOST, dialogue: str = DIALOGUE
) -> None:
    """Claim what is due and let hosts answer each recipient so, in the order of the rows."""
    batches = claim.claim(now=at, limit=1000, per_domain=1000)
    pairs = [(batch, recipient) for batch in batches for recipient in batch.recipients]
    pairs.sort(key=lambda pair: pair[1].id)
    endings = [
        outcome.Ending(
            batch=batch,
            recipient=recipient,
            attempt_id=None,
            result=result,
            host=host,
            ip="192.0.2.25",
            tls="TLSv1.3",
            dialogue=dialogue,
            duration_ms=240,
        )
        for (batch, recipient), result in zip(pairs, results, strict=True)
    ]
    outcome.finish(endings, now=at, report=bounce.report)


def sent_copy(who: Person) -> Message:
    """Return the newest message in Sent."""
    rows = Message.objects.filter(mailbox=who.mailbox, folder__role="sent")
    return rows.select_related("thread").latest("pk")
