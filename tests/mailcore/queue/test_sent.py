"""The outbox of a mailbox and the tracking of its mail: only its own, and what counts first."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailcore.directory import resolve
from mailcore.models.blob import Content
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.queue import control, notices, sent
from mailcore.store import tracking
from tests.support.deliveries import NOW
from tests.support.parcels import BUSY, DIALOGUE, NOBODY, OK, answer, send, sent_copy
from tests.support.people import Person, make_alice, make_bob

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()


@pytest.fixture
def alice() -> Person:
    return make_alice()


@pytest.fixture
def bob(alice) -> Person:
    return make_bob()


def outbox(who: Person, show: sent.Show = "", **options) -> list[str]:
    page = sent.outbox(mailbox_id=who.mailbox.pk, now=NOW, show=show, **options)
    return [message.subject for message in page.messages]


def tracked(who: Person) -> sent.Sent:
    copy = sent_copy(who)
    return sent.of_messages(mailbox_id=who.mailbox.pk, message_ids=[copy.pk])[copy.pk]


def count(who: Person, **options) -> int:
    return sent.count(mailbox_id=who.mailbox.pk, **options)


def test_what_waits_or_was_lost_is_counted_until_it_is_dismissed(alice, bob):
    send(alice, "dora@a.example")
    answer(NOBODY)
    send(alice, "dora@b.example")
    answer(OK)
    queued = send(alice, "emil@c.example", "fay@d.example")
    assert (count(alice), count(alice, limit=1), count(bob)) == (2, 1, 0)
    answer(NOBODY, BUSY)
    which = control.Which(message=QueuedMessage.objects.get(trace_id=queued.trace_id).public_id)
    assert control.dismiss(which=which, now=NOW) == 1
    assert control.dismiss(which=which, now=NOW) == 0
    assert (count(alice), len(outbox(alice, "failed"))) == (2, 1)  # Fay's still waits
    control.cancel(which=which, now=LATER)
    assert (count(alice), len(outbox(alice))) == (1, 1)
    assert {one.state for one in tracked(alice).parcels} == {"failed", "cancelled"}


def test_each_list_of_the_outbox_shows_its_own(alice):
    send(alice, "dora@a.example", subject="Fails")
    answer(NOBODY)
    send(alice, "dora@b.example", subject="Arrives")
    answer(OK)
    send(alice, "dora@c.example", subject="Waits")
    send(alice, "dora@d.example", subject="Tomorrow", not_before=LATER)
    assert outbox(alice) == ["Tomorrow", "Waits", "Fails"]
    assert outbox(alice, "scheduled") == ["Tomorrow"]
    assert outbox(alice, "sending") == ["Waits"]
    assert outbox(alice, "failed") == ["Fails"]


def test_an_outbox_is_that_of_its_mailbox(alice, bob):
    send(alice, "dora@a.example")
    assert outbox(bob) == []
    row = QueuedRecipient.objects.get()
    assert sent.parcel(mailbox_id=bob.mailbox.pk, recipient_id=row.public_id) is None
    assert sent.which(mailbox_id=bob.mailbox.pk, public_id=row.public_id) is None
    assert sent.which(mailbox_id=bob.mailbox.pk, public_id=row.message.public_id) is None
    copy = sent_copy(alice)
    assert sent.of_messages(mailbox_id=bob.mailbox.pk, message_ids=[copy.pk]) == {}


def test_both_ids_of_an_own_message_can_be_acted_on(alice):
    send(alice, "dora@a.example")
    row = QueuedRecipient.objects.get()
    for public_id in (row.public_id, row.message.public_id):
        found = sent.which(mailbox_id=alice.mailbox.pk, public_id=public_id)
        assert found is not None
        assert control.hold(which=found, now=NOW) == 1
        control.release(which=found, now=NOW)
    assert sent.which(mailbox_id=alice.mailbox.pk, public_id=uuid.uuid4()) is None


def test_pages_follow_each_other(alice):
    for number in range(5):
        send(alice, "dora@a.example", subject=str(number))
    first = sent.outbox(mailbox_id=alice.mailbox.pk, now=NOW, limit=2)
    second = sent.outbox(mailbox_id=alice.mailbox.pk, now=NOW, limit=2, before=first.before)
    last = sent.outbox(mailbox_id=alice.mailbox.pk, now=NOW, limit=2, before=second.before)
    subjects = [[message.subject for message in page.messages] for page in (first, second, last)]
    assert subjects == [["4", "3"], ["2", "1"], ["0"]]
    assert last.before is None


def test_fifty_messages_cost_what_one_does(alice):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            outbox(alice)
        return len(captured)

    send(alice, "dora@a.example")
    few = queries()
    for number in range(20):
        send(alice, f"dora{number}@a.example", "emil@b.example", subject=str(number))
    assert queries() == few


def test_the_subject_of_what_was_never_stored_comes_from_its_octets(alice):
    send(alice, "dora@a.example", subject="Tomorrow", not_before=LATER)
    assert not Content.objects.exists()
    assert outbox(alice) == ["Tomorrow"]


def test_each_recipient_has_its_story_newest_first_and_trouble_first(alice, bob):
    send(alice, bob.address, "dora@a.example", "emil@b.example")
    answer(BUSY, NOBODY)
    late = NOW + timedelta(hours=1)
    answer(BUSY, at=late)
    message = tracked(alice)
    assert [parcel.forward_path for parcel in message.parcels] == [
        "emil@b.example",
        "dora@a.example",
        bob.address,
    ]
    lost, waiting, arrived = message.parcels
    assert lost.is_lost
    assert lost.reply.enhanced == "5.1.1"
    assert waiting.is_open
    assert [each.started_at for each in waiting.attempts] == sorted(
        (each.started_at for each in waiting.attempts), reverse=True
    )
    assert waiting.attempts[0].reply == "451 4.3.2 Come back later"
    assert arrived.state == "delivered"
    assert arrived.attempts == ()
    assert waiting.attempts[0].dialogue == ""


def test_the_dialogue_comes_with_the_one_recipient_that_is_asked_for(alice):
    send(alice, "dora@a.example", "emil@b.example")
    answer(BUSY, OK)
    row = QueuedRecipient.objects.get(forward_path="dora@a.example")
    found = sent.parcel(mailbox_id=alice.mailbox.pk, recipient_id=row.public_id)
    assert found is not None
    message, parcel = found
    assert (message.subject, message.total) == ("Lunch", 2)
    assert parcel.attempts[0].dialogue == DIALOGUE


def test_a_report_and_the_message_it_tells_of_find_each_other(alice, bob):
    send(alice, "dora@a.example")
    answer(NOBODY, at=LATER)
    message = tracked(alice)
    [notice] = notices.of(traces=[message.trace_id])
    assert (notice.forward_path, notice.action) == ("dora@a.example", "failed")
    place = tracking.by_trace(mailbox=alice.mailbox, traces=[notice.trace_id])[notice.trace_id]
    assert place.folder_id == alice.folder().public_id
    assert tracking.by_trace(mailbox=bob.mailbox, traces=[notice.trace_id]) == {}
    original = notices.originals(mailbox_id=alice.mailbox.pk, traces=[notice.trace_id])
    assert original[notice.trace_id].message_id == message.message_id
    assert notices.originals(mailbox_id=bob.mailbox.pk, traces=[notice.trace_id]) == {}


def test_a_stored_reply_is_read_back():
    assert str(sent.read_reply("550 5.1.1 No such user")) == "550 5.1.1 No such user"
    assert sent.read_reply("451 later").is_temporary
    assert sent.read_reply("smtp; status 4.2.2").enhanced == "4.2.2"
    assert sent.read_reply("nobody").code == 550
    assert sent.read_reply("").code == 550


def test_the_sent_copy_may_go_without_its_tracking(alice):
    send(alice, "dora@a.example")
    QueuedMessage.objects.update(sent_message=None)
    assert outbox(alice) == ["Lunch"]
