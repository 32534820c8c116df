"""store.flags: seen and flagged, their counters and modseqs."""

from uuid import uuid4

import pytest

from mailcore.models.directory import Mailbox
from mailcore.store import flags
from tests.support.deliveries import make_mailbox
from tests.support.mail_builders import folder, rows, store_small

pytestmark = pytest.mark.django_db


def test_reading_lowers_the_unseen_counter_and_takes_one_modseq():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=3)
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    done = flags.set_seen(mailbox=mailbox, message_ids=ids[:2], value=True)
    inbox = folder(mailbox)
    assert (done.count, inbox.unseen_count, inbox.total_count) == (2, 1, 3)
    assert inbox.highest_modseq == before + 1 == Mailbox.objects.get(pk=mailbox.pk).modseq
    assert [row.modseq == before + 1 for row in rows(ids)] == [True, True, False]


def test_what_is_set_already_does_not_count():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    flags.set_flagged(mailbox=mailbox, message_ids=ids[:1], value=True)
    done = flags.set_flagged(mailbox=mailbox, message_ids=ids, value=True)
    assert done.count == 1
    assert [row.is_flagged for row in rows(ids)] == [True, True]
    assert folder(mailbox).unseen_count == 2


def test_nothing_to_do_has_no_operation():
    mailbox = make_mailbox()
    done = flags.set_seen(mailbox=mailbox, message_ids=[uuid4()], value=True)
    assert (done.operation_id, done.count) == (None, 0)


def test_a_message_of_another_mailbox_is_passed_over():
    alice, mallory = make_mailbox(name="alice"), make_mailbox(name="mallory")
    ids = store_small(mailbox=alice, count=1)
    done = flags.set_seen(mailbox=mallory, message_ids=ids, value=True)
    assert done.count == 0
    assert [row.is_seen for row in rows(ids)] == [False]


def test_many_messages_go_in_chunks_of_500_with_a_modseq_each():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=501)
    before = Mailbox.objects.get(pk=mailbox.pk).modseq
    done = flags.set_seen(mailbox=mailbox, message_ids=[*ids, *ids], value=True)
    assert (done.count, folder(mailbox).unseen_count) == (501, 0)
    assert sorted({row.modseq for row in rows(ids)}) == [before + 1, before + 2]
