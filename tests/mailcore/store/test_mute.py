"""store.mute: what comes to a muted conversation, how it is taken back, and for which mailbox."""

from uuid import UUID

import pytest

from mailcore.models.message import Message, Thread
from mailcore.models.trace import TraceEvent
from mailcore.search.query import parse
from mailcore.store import conversations, jobs, mute, search, undo, verify
from mailcore.store.deliver import deliver_batch
from mailcore.store.matching import View
from tests.support.deliveries import NOW, make_delivery, make_message
from tests.support.mail_builders import derive_all, store
from tests.support.many import store_many
from tests.support.people import make_alice, make_bob

pytestmark = pytest.mark.django_db


def _start(person, name: str = "a") -> list[UUID]:
    return store(make_message(message_id=f"{name}@m", subject=name), mailbox=person.mailbox)


def _reply(name: str = "a", number: int = 1) -> bytes:
    return make_message(
        message_id=f"{name}{number}@m", subject=f"Re: {name}", headers=[f"In-Reply-To: <{name}@m>"]
    )


def _mute(person, ids, value: bool = True):
    return mute.set_muted(mailbox=person.mailbox, message_ids=ids, value=value, now=NOW)


def _roles(person) -> list[str]:
    rows = Message.objects.filter(mailbox=person.mailbox).order_by("id")
    return list(rows.values_list("folder__role", flat=True))


def _found(person, text: str) -> list[search.SearchRow]:
    query = parse(text, language="en", today=NOW.date())
    return search.search(mailbox=person.mailbox, query=query, me=[], now=NOW).rows


def test_a_reply_to_a_muted_conversation_goes_to_the_archive_unread():
    alice, bob = make_alice(), make_bob()
    ids = _start(alice)
    _start(bob)
    assert _mute(alice, ids).count == 1
    deliver_batch([make_delivery(_reply(), alice.mailbox, bob.mailbox)], now=NOW)
    assert (_roles(alice), _roles(bob)) == (["archive", "archive"], ["inbox", "inbox"])
    assert (alice.folder("archive").unseen_count, alice.folder().total_count) == (2, 0)
    told = TraceEvent.objects.filter(kind="stored", mailbox_id=alice.mailbox.pk).last()
    assert told is not None
    assert told.detail == {"folder": "archive", "uid": 2, "muted": True}


def test_a_reply_found_by_its_subject_is_muted_too():
    alice = make_alice()
    raw = make_message(message_id="p@m", subject="Plan", sender="Eve <eve@other.example>")
    _mute(alice, store(raw, mailbox=alice.mailbox))
    reply = make_message(message_id="q@m", subject="Re: Plan", sender="eve@other.example")
    store(reply, mailbox=alice.mailbox)
    assert _roles(alice) == ["archive", "archive"]


def test_two_replies_in_one_batch_and_other_mail_beside():
    alice = make_alice()
    _mute(alice, _start(alice))
    store(_reply(number=1), _reply(number=2), make_message(message_id="x@m"), mailbox=alice.mailbox)
    assert _roles(alice) == ["archive", "archive", "archive", "inbox"]


def test_sent_copies_bounces_and_blocked_mail_go_where_they_went():
    alice = make_alice()
    _mute(alice, _start(alice))
    store(_reply(number=1), mailbox=alice.mailbox, role="sent")
    deliver_batch([make_delivery(_reply(number=2), alice.mailbox, reverse_path="")], now=NOW)
    assert _roles(alice) == ["archive", "sent", "inbox"]


def test_without_an_archive_the_reply_stays_in_the_inbox():
    alice = make_alice()
    _start(alice)
    Thread.objects.update(is_muted=True)
    alice.folder("archive").delete()
    store(_reply(), mailbox=alice.mailbox)
    assert _roles(alice) == ["inbox", "inbox"]


def test_unmuted_mail_comes_to_the_inbox_again_and_moves_nothing_back():
    alice = make_alice()
    ids = _start(alice)
    _mute(alice, ids)
    assert _mute(alice, ids, False).count == 1
    store(_reply(), mailbox=alice.mailbox)
    assert _roles(alice) == ["archive", "inbox"]


def test_undo_ends_the_mute_and_brings_back_what_it_archived():
    alice = make_alice()
    ids = [*_start(alice), *store(_reply(), mailbox=alice.mailbox)]
    elsewhere = store(_reply(number=2), mailbox=alice.mailbox, role="sent")
    done = _mute(alice, ids)
    assert (done.count, _roles(alice)) == (1, ["archive", "archive", "sent"])
    assert done.operation_id is not None
    undo.undo(mailbox=alice.mailbox, operation_id=done.operation_id, now=NOW)
    assert _roles(alice) == ["inbox", "inbox", "sent"]
    assert not Thread.objects.filter(is_muted=True).exists()
    again = _mute(alice, elsewhere, False)
    assert (again.count, again.operation_id) == (0, None)
    assert verify.verify() == []


def test_messages_of_another_mailbox_are_passed_over():
    alice, bob = make_alice(), make_bob()
    theirs = _start(bob)
    assert _mute(alice, theirs).count == 0
    assert not Thread.objects.filter(is_muted=True).exists()
    assert _roles(bob) == ["inbox"]


def test_a_job_mutes_all_of_a_list_and_is_taken_back():
    alice = make_alice()
    store_many(mailbox=alice.mailbox, count=1100)
    job_id = jobs.accept(
        mailbox=alice.mailbox,
        view=View(folder_id=alice.folder().pk),
        kind="mute",
        verb="mute",
        folder_id=mute.archive(alice.mailbox),
    )
    jobs.work()
    row = jobs.find(mailbox=alice.mailbox, job_id=job_id)
    muted = Thread.objects.filter(mailbox=alice.mailbox, is_muted=True).count()
    assert row is not None
    assert (row.state, row.done_count) == ("done", muted)
    assert alice.folder().total_count == 0
    assert jobs.take_back(mailbox=alice.mailbox, job_id=job_id) != 0
    jobs.work()
    assert alice.folder().total_count == 1100
    assert not Thread.objects.filter(is_muted=True).exists()


def test_lists_tell_and_search_finds_what_is_muted():
    alice, bob = make_alice(), make_bob()
    _start(alice, "other")
    _mute(bob, _start(bob))
    ids = [*_start(alice), *store(_reply(), mailbox=alice.mailbox)]
    _mute(alice, ids)
    page = conversations.list_page(mailbox=alice.mailbox, view=View())
    assert [(row.subject, row.is_muted) for row in page.rows] == [("Re: a", True), ("other", False)]
    derive_all()
    assert {row.public_id for row in _found(alice, "is:muted")} == set(ids)
    assert [row.subject for row in _found(alice, "-es:silenciado")] == ["other"]
