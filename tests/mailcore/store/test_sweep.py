"""store.sweep: what goes, what stays, and what must never go too early."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mailcore.models.blob import Blob, Content, RenderedBody
from mailcore.models.directory import Mailbox
from mailcore.models.message import DeliveryKey, Message, Tombstone
from mailcore.models.personal import Job
from mailcore.models.trace import TraceEvent
from mailcore.store import expunge, move, sweep, verify
from mailcore.store.deliver import deliver_batch
from tests.support.deliveries import NOW, make_delivery, make_mailbox, make_message
from tests.support.mail_builders import derive_all, folder, rows, store, store_small

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=31)


def test_delivery_keys_go_after_seven_days():
    mailbox = make_mailbox()
    deliver_batch([make_delivery(make_message(message_id="k@m.test"), mailbox)], now=NOW)
    assert sweep.forget_delivery_keys(now=NOW + timedelta(days=6)) == 0
    assert sweep.forget_delivery_keys(now=NOW + timedelta(days=8)) == 1
    assert not DeliveryKey.objects.exists()


def test_trace_jobs_and_bodies_go_in_time():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=1)
    derive_all()
    move.to_role(mailbox=mailbox, message_ids=ids, role="archive")
    counts = sweep.run_all(now=LATER + timedelta(days=3650))
    assert (counts["trace"] > 0, counts["jobs"], counts["bodies"]) == (True, 1, 1)
    assert not TraceEvent.objects.exists()
    assert not Job.objects.exists()
    assert not RenderedBody.objects.exists()
    assert Message.objects.count() == 1


def test_trash_is_emptied_30_days_after_a_message_came_there():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="trash", now=NOW)
    move.to_role(mailbox=mailbox, message_ids=ids[1:], role="trash", now=NOW + timedelta(days=20))
    assert sweep.empty_trash(now=LATER) == 1
    assert rows(ids[1:])[0].folder.role == "trash"
    assert not verify.verify()


def test_junk_that_was_delivered_there_goes_30_days_after_it_came():
    mailbox = make_mailbox()
    store_small(mailbox=mailbox, count=1, role="junk")
    store_small(mailbox=mailbox, count=1)
    assert sweep.empty_trash(now=NOW + timedelta(days=29)) == 0
    assert sweep.empty_trash(now=LATER) == 1
    assert folder(mailbox).total_count == 1


def test_tombstones_go_after_90_days_and_raise_the_purged_modseq():
    mailbox = make_mailbox()
    ids = store_small(mailbox=mailbox, count=2)
    move.to_role(mailbox=mailbox, message_ids=ids[:1], role="archive", now=NOW)
    move.to_role(mailbox=mailbox, message_ids=ids[1:], role="archive", now=LATER)
    oldest = Tombstone.objects.earliest("at").modseq
    assert sweep.purge_tombstones(now=NOW + timedelta(days=91)) == 1
    assert Tombstone.objects.count() == 1
    assert Mailbox.objects.get(pk=mailbox.pk).purged_modseq == oldest


def test_octets_go_a_day_after_the_last_message_that_needs_them(settings):
    settings.BLOB_INLINE_MAX = 10
    mailbox = make_mailbox()
    ids = store(make_message(message_id="x@m.test"), mailbox=mailbox, role="trash")
    store(make_message(message_id="y@m.test"), mailbox=mailbox)
    derive_all()
    expunge.destroy(mailbox=mailbox, message_ids=ids)
    sweep.run_all(now=NOW + timedelta(hours=1))
    assert Content.objects.count() == 2
    written_by = max(NOW, timezone.now())  # a file's time is the machine's
    counts = sweep.run_all(now=written_by + timedelta(hours=25))
    assert (counts["contents"], counts["blobs"]) == (1, 2)  # row and file
    assert Blob.objects.count() == Content.objects.count() == 1
