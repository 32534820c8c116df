"""Delivery into mailboxes: the same promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import Future
from datetime import timedelta

import pytest
from django.db import connection, transaction

from mailcore import rawmail
from mailcore.models.blob import Blob, Content
from mailcore.models.directory import Mailbox
from mailcore.models.folder import Folder
from mailcore.models.message import DeliveryKey, Message, Thread
from mailcore.models.trace import TraceEvent
from mailcore.store import events
from mailcore.store.deliver import MailboxGone, Stored, deliver_batch
from tests.support.deliveries import NOW, make_delivery, make_mailbox, make_message

pytestmark = pytest.mark.django_db(transaction=True)


def inbox(mailbox: Mailbox) -> Folder:
    return Folder.objects.get(mailbox=mailbox, role="inbox")


def test_a_message_is_stored_with_uid_modseq_counters_and_quota():
    box = make_mailbox()
    delivery = make_delivery(make_message(message_id="a@x", subject="Re: Lunch"), box)
    [stored] = deliver_batch([delivery], now=NOW)
    message = Message.objects.get()
    assert stored == Stored(delivery.trace_id, (message.public_id,))
    assert (message.uid, message.modseq, message.created_modseq) == (1, 2, 2)
    assert message.size == len(bytes(message.prefix)) + delivery.blob.size
    assert message.email_id == message.public_id
    assert message.received_at == NOW
    assert message.content.subject == "Re: Lunch"
    assert message.content.parsed_at is None
    folder = inbox(box)
    assert (folder.uidnext, folder.highest_modseq) == (2, 2)
    assert (folder.total_count, folder.unseen_count, folder.size_bytes) == (1, 1, message.size)
    box.refresh_from_db()
    assert (box.modseq, box.used_bytes, box.used_count) == (2, message.size, 1)
    assert rawmail.read(message.content.blob) == make_message(message_id="a@x", subject="Re: Lunch")


def test_a_batch_takes_one_modseq_and_consecutive_uids():
    box = make_mailbox()
    deliver_batch(
        [make_delivery(make_message(message_id=f"{n}@x"), box) for n in range(5)], now=NOW
    )
    assert list(Message.objects.order_by("uid").values_list("uid", "modseq")) == [
        (uid, 2) for uid in range(1, 6)
    ]
    box.refresh_from_db()
    assert box.modseq == 2


def test_recipients_share_one_blob_and_have_their_own_prefix():
    ana, bob = make_mailbox(name="ana"), make_mailbox(name="bob")
    deliver_batch([make_delivery(make_message(message_id="a@x"), ana, bob)], now=NOW)
    assert Blob.objects.count() == Content.objects.count() == 1
    prefixes = {bytes(message.prefix) for message in Message.objects.all()}
    assert len(prefixes) == 2


def test_a_repeat_is_answered_but_not_stored_again():
    box = make_mailbox()
    raw = make_message(message_id="a@x")
    first = make_delivery(raw, box)
    deliver_batch([first], now=NOW)
    again = make_delivery(raw, box)
    [answer] = deliver_batch([again], now=NOW)
    assert answer == Stored(again.trace_id, ())
    assert Message.objects.count() == 1
    duplicate = TraceEvent.objects.get(kind="duplicate")
    assert duplicate.trace_id == again.trace_id
    assert duplicate.detail == {"first": str(first.trace_id)}


def test_a_repeat_within_one_batch_is_recognised():
    box = make_mailbox()
    raw = make_message(message_id="a@x")
    deliver_batch([make_delivery(raw, box), make_delivery(raw, box)], now=NOW)
    assert Message.objects.count() == DeliveryKey.objects.count() == 1


def test_identical_mail_without_message_id_is_new_mail():
    box = make_mailbox()
    for _ in range(2):
        deliver_batch([make_delivery(make_message(), box)], now=NOW)
    assert Message.objects.count() == 2


@pytest.mark.parametrize("message_id", ["", "a@x"])
def test_two_paths_that_meet_in_a_mailbox_store_one_copy(message_id):
    box = make_mailbox()
    deliver_batch([make_delivery(make_message(message_id=message_id), box, box)], now=NOW)
    assert Message.objects.count() == 1
    assert TraceEvent.objects.filter(kind="duplicate").count() == 1


def test_a_reply_joins_the_thread_of_its_parent_in_the_same_mailbox_only():
    ana, bob = make_mailbox(name="ana"), make_mailbox(name="bob")
    deliver_batch([make_delivery(make_message(message_id="a@x"), ana)], now=NOW)
    reply = make_message(message_id="b@x", headers=["In-Reply-To: <a@x>"])
    later = NOW + timedelta(hours=1)
    deliver_batch([make_delivery(reply, ana, bob, at=later)], now=later)
    assert Thread.objects.filter(mailbox=ana).count() == 1
    assert Thread.objects.filter(mailbox=bob).count() == 1
    thread = Thread.objects.get(mailbox=ana)
    assert thread.messages.count() == 2
    assert thread.last_message_at == later


def test_a_reply_that_arrives_before_its_parent_is_joined_by_it():
    box = make_mailbox()
    reply = make_message(message_id="b@x", headers=["References: <a@x>"])
    parent = make_message(message_id="a@x")
    deliver_batch([make_delivery(reply, box), make_delivery(parent, box)], now=NOW)
    assert Thread.objects.get().messages.count() == 2


def test_a_reply_without_references_joins_by_subject_and_participant():
    box = make_mailbox()
    deliver_batch([make_delivery(make_message(message_id="a@x", subject="Lunch"), box)], now=NOW)
    answer = make_message(message_id="b@x", subject="Re: Lunch")
    stranger = make_message(
        message_id="c@x", subject="Re: Lunch", sender="z@z.example", to="y@y.example"
    )
    deliver_batch([make_delivery(answer, box), make_delivery(stranger, box)], now=NOW)
    assert sorted(thread.messages.count() for thread in Thread.objects.all()) == [1, 2]


def test_a_bad_message_fails_alone():
    box = make_mailbox()
    good = [make_delivery(make_message(message_id=f"{n}@x"), box) for n in range(3)]
    breaking = dataclasses.replace(
        make_delivery(make_message(message_id="bad@x"), box),
        reverse_path=None,  # type: ignore[arg-type]  # what a fault of ours would look like
    )
    results = deliver_batch([good[0], breaking, *good[1:]], now=NOW)
    assert [isinstance(result, Stored) for result in results] == [True, False, True, True]
    assert isinstance(results[1], Exception)
    assert Message.objects.count() == 3


def test_a_message_for_a_mailbox_that_is_gone_is_kept_for_nobody():
    box = make_mailbox()
    gone = make_mailbox(name="gone")
    delivery = make_delivery(make_message(message_id="a@x"), box, gone)
    Folder.objects.filter(mailbox=gone).delete()
    gone.delete()
    [result] = deliver_batch([delivery], now=NOW)
    outcome = result.result(30) if isinstance(result, Future) else result
    assert isinstance(outcome, MailboxGone)
    assert not Message.objects.exists()
    # Nor is the repeat of it, once there is a mailbox again, taken for one.
    assert not DeliveryKey.objects.exists()


def test_inside_a_transaction_the_callers_commit_decides():
    box = make_mailbox()
    with transaction.atomic():
        deliver_batch([make_delivery(make_message(message_id="a@x"), box)], now=NOW)
        assert Message.objects.count() == 1
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_listeners_hear_of_a_change_after_commit():
    box = make_mailbox()
    heard: list[tuple[int, int]] = []

    def listener(mailbox_id: int, modseq: int) -> None:
        heard.append((mailbox_id, modseq))

    events.subscribe(listener)
    try:
        deliver_batch([make_delivery(make_message(message_id="a@x"), box)], now=NOW)
    finally:
        events.unsubscribe(listener)
    assert heard == [(box.pk, 2)]


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_a_busy_mailbox_stalls_nobody_else():
    busy, free = make_mailbox(name="busy"), make_mailbox(name="free")
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Mailbox.objects.select_for_update(no_key=True).get(pk=busy.pk)
            locked.set()
            release.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    waiting, done = deliver_batch(
        [
            make_delivery(make_message(message_id="a@x"), busy, free),
            make_delivery(make_message(message_id="b@x"), free),
        ],
        now=NOW,
    )
    assert isinstance(done, Stored)
    assert isinstance(waiting, Future)
    assert not waiting.done()
    release.set()
    assert isinstance(waiting.result(20), Stored)
    holder.join(20)
    assert Message.objects.filter(mailbox=busy).count() == 1
    assert Message.objects.filter(mailbox=free).count() == 2
