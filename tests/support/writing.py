"""A draft as the compose page makes it, for tests."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from mailcore.delivery import writing
from mailcore.store import drafts
from mailcore.store.drafts import DraftRow, Written
from tests.support.deliveries import NOW
from tests.support.people import Person


def written(**values: str) -> Written:
    """Return what somebody typed, for Bob unless told otherwise."""
    base = {"to": "bob@hamburger.test", "subject": "Plan", "text": "See you at noon.\n"}
    return Written(**{**base, **values})


def save(
    person: Person,
    *,
    draft_id: UUID | None = None,
    version: int = 0,
    kind: str = "",
    answers: UUID | None = None,
    now: datetime = NOW,
    **values: str,
) -> DraftRow:
    """Save a draft of this person's."""
    return drafts.save(
        mailbox=person.mailbox,
        author_id=person.user.pk,
        draft_id=draft_id or uuid4(),
        version=version,
        written=written(sender=person.address, **values),
        kind=kind,
        answers=answers,
        now=now,
    )


def send(
    person: Person,
    draft: DraftRow,
    *,
    token: UUID | None = None,
    not_before: datetime | None = None,
    sender: str = "",
    now: datetime = NOW,
) -> bool:
    """Send a draft of this person's."""
    return writing.send(
        mailbox=person.mailbox,
        user=person.user,
        draft=draft,
        sender=writing.Sender(sender or person.address, "Alice Lefèvre"),
        token=token or uuid4(),
        not_before=not_before,
        now=now,
    )
