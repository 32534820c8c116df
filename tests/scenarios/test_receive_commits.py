"""What a 250 promises when the database fails, is shared or is busy (guarantees G1 to G3).

Faults are real: a table renamed, a lock held by another connection. Nothing is patched.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from mailcore.directory import resolve
from mailcore.directory.aliases import create_alias
from mailcore.models.blob import Blob
from mailcore.models.directory import Mailbox
from mailcore.models.message import Message
from mailcore.models.queue import QueuedMessage
from mailcore.models.trace import TraceEvent
from mailcore.store import verify
from tests.support.deliveries import make_message
from tests.support.people import MADE_AT
from tests.support.receiving import (
    LIMITS,
    GatedBackend,
    mailbox_locked,
    open_data,
    send,
    stored,
    stuffed,
    table_taken_away,
    wait_until,
)

RAW = make_message(message_id="letter@outside.example")
OUR_FAULT = b"451 4.3.0 Something went wrong here, try again later\r\n"


def letters(count: int) -> list[bytes]:
    return [
        make_message(message_id=f"{n}@outside.example", subject=f"No. {n}") for n in range(count)
    ]


@pytest.mark.parametrize(
    "table", ["blob", "deliverykey", "message", "traceevent", "folder", "queuedrecipient"]
)
def test_fault_of_ours_keeps_nothing_and_the_repeat_is_taken(
    start_mx, alice, bob, lock_timeout, table
):
    create_alias(
        address="team@hamburger.test",
        targets=[alice.address, bob.address, "carl@elsewhere.test"],
        now=MADE_AT,
    )
    mx = start_mx()
    with mx.greet() as client:
        open_data(client, "team@hamburger.test")
        with table_taken_away(f"mailcore_{table}"):
            client.send(stuffed(RAW))
            assert client.reply() == OUR_FAULT
        kept = (Message.objects, QueuedMessage.objects, TraceEvent.objects, Blob.objects)
        assert [rows.count() for rows in kept] == [0, 0, 0, 0]
        rows = stored(send(client, RAW, "team@hamburger.test"))
    assert [row.mailbox for row in rows] == [alice.mailbox, bob.mailbox]
    assert QueuedMessage.objects.count() == 1
    assert not TraceEvent.objects.filter(kind="duplicate").exists()
    assert verify.verify() == []


def test_fault_at_rcpt_is_451_and_passes(postgresql, mx, bob):
    with table_taken_away("mailcore_address"):
        assert mx.rcpt(bob.address) == OUR_FAULT
    assert mx.rcpt(bob.address) == b"250 2.1.5 Ok\r\n"


def test_blob_that_cannot_be_written_is_451_and_keeps_nothing(mx, bob, settings, tmp_path):
    large = make_message(message_id="large@x", body="x" * 100_000)
    (tmp_path / "blobs").write_text("a file where the directory of the blobs should be")
    assert mx.deliver(large) == OUR_FAULT
    assert not Blob.objects.exists()
    (tmp_path / "blobs").unlink()
    assert len(stored(mx.deliver(large))) == 1


def test_sessions_share_a_commit(start_mx, alice, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend)
    clients = [mx.greet() for _ in range(5)]
    for client, raw in zip(clients, letters(5), strict=True):
        open_data(client, bob.address)
        client.send(stuffed(raw))
        wait_until(lambda: backend.batches)
    wait_until(lambda: len(mx.server.context.collector._waiting) == 4)
    before = Mailbox.objects.get(pk=bob.mailbox.pk).modseq
    backend.gate.set()
    modseqs = [stored(client.reply())[0].modseq for client in clients]
    assert backend.batches == [1, 4]
    assert modseqs == [before + 1, *[before + 2] * 4]
    uids = Message.objects.order_by("trace_id").values_list("uid", flat=True)
    assert sorted(uids) == [1, 2, 3, 4, 5]
    assert verify.verify() == []


def test_identical_messages_in_one_batch_are_stored_once(start_mx, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend)
    clients = [mx.greet() for _ in range(3)]
    for client in clients:
        open_data(client, bob.address)
        client.send(stuffed(RAW))
        wait_until(lambda: backend.batches)
    wait_until(lambda: len(mx.server.context.collector._waiting) == 2)
    backend.gate.set()
    assert sorted(len(stored(client.reply())) for client in clients) == [0, 0, 1]


def test_bad_neighbour_in_a_batch_fails_alone(start_mx, alice, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend)
    clients = [mx.greet() for _ in range(4)]
    for client, raw, person in zip(clients, letters(4), (bob, bob, alice, bob), strict=True):
        open_data(client, person.address)
        client.send(stuffed(raw))
        wait_until(lambda: backend.batches)
    # Alice's mailbox goes while her message waits, and the cached answer still names it.
    alice.folder().delete()
    wait_until(lambda: len(mx.server.context.collector._waiting) == 3)
    backend.gate.set()
    replies = [client.reply() for client in clients]
    assert [reply[:9] for reply in replies] == [
        b"250 2.0.0",
        b"250 2.0.0",
        b"451 4.3.0",
        b"250 2.0.0",
    ]
    assert Message.objects.filter(mailbox=bob.mailbox).count() == 3
    assert not Message.objects.filter(mailbox=alice.mailbox).exists()


def test_busy_mailbox_stalls_nobody_else(postgresql, mx, alice, bob):
    with mx.greet() as waiting, mx.greet() as quick:
        open_data(waiting, bob.address)
        with mailbox_locked(bob.mailbox.pk):
            waiting.send(stuffed(letters(1)[0]))
            begun = time.monotonic()
            for raw in letters(5)[1:]:
                assert len(stored(send(quick, raw, alice.address))) == 1
            assert time.monotonic() - begun < 5
            assert not Message.objects.filter(mailbox=bob.mailbox).exists()
        assert [row.mailbox for row in stored(waiting.reply())] == [bob.mailbox]
    assert verify.verify() == []


def test_message_to_a_busy_and_a_free_mailbox_is_stored_for_both_or_none(
    postgresql, mx, alice, bob
):
    with mx.greet() as client:
        open_data(client, alice.address, bob.address)
        with mailbox_locked(bob.mailbox.pk):
            client.send(stuffed(RAW))
            time.sleep(0.3)
            assert not Message.objects.exists()
        assert len(stored(client.reply())) == 2


def test_answer_that_comes_too_late_is_451_and_the_repeat_is_recognised(start_mx, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend, limits=replace(LIMITS, answer_timeout_s=0.2))
    with mx.greet() as client:
        open_data(client)
        client.send(stuffed(RAW))
        assert client.reply() == OUR_FAULT
    backend.gate.set()
    wait_until(Message.objects.exists)
    resolve.forget()
    assert stored(mx.deliver(RAW)) == []
    assert Message.objects.count() == 1


def test_messages_in_progress_at_a_stop_are_committed_and_answered(start_mx, bob):
    backend = GatedBackend()
    mx = start_mx(backend=backend)
    client = mx.greet()
    open_data(client)
    client.send(stuffed(RAW))
    wait_until(lambda: backend.batches)
    mx.begin_stop()
    backend.gate.set()
    assert len(stored(client.reply())) == 1
