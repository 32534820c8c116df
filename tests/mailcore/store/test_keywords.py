"""store.keywords: the mark of what was forwarded, and finding it."""

from uuid import UUID

import pytest

from mailcore.models.directory import Mailbox
from mailcore.models.message import Keyword
from mailcore.search.query import parse
from mailcore.store import keywords, labels, search
from tests.support.deliveries import NOW, make_mailbox
from tests.support.mail_builders import rows, store_small

pytestmark = pytest.mark.django_db


def forwarded(mailbox) -> set[UUID]:
    query = parse("es:reenviado", language="es", today=NOW.date())
    return {
        row.public_id for row in search.search(mailbox=mailbox, query=query, me=[], now=NOW).rows
    }


def test_what_was_forwarded_is_found():
    mailbox = make_mailbox()
    other = make_mailbox(name="other")
    first, second = store_small(mailbox=mailbox, count=2)
    label = labels.create(mailbox=mailbox, name="Work")
    labels.set_label(mailbox=mailbox, message_ids=[second], label_id=label.public_id, value=True)
    assert forwarded(mailbox) == set()
    keywords.set_forwarded(mailbox=mailbox, message_ids=[first])
    assert forwarded(mailbox) == {first}
    assert forwarded(other) == set()


def test_a_second_time_changes_nothing():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    keywords.set_forwarded(mailbox=mailbox, message_ids=ids)
    (before,) = rows(ids)
    keywords.set_forwarded(mailbox=mailbox, message_ids=ids)
    (after,) = rows(ids)
    assert (after.keywords, after.modseq) == (before.keywords, before.modseq)
    assert Keyword.objects.filter(mailbox=mailbox).count() == 1


def test_a_mailbox_full_of_labels_keeps_no_mark_and_loses_none():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    for number in range(labels.BITS):
        labels.create(mailbox=mailbox, name=f"Label {number}")
    keywords.set_forwarded(mailbox=mailbox, message_ids=ids)
    assert [row.keywords for row in rows(ids)] == [0]
    assert len(labels.list_labels(mailbox=Mailbox.objects.get(pk=mailbox.pk))) == labels.BITS
