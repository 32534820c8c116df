"""store.deliver: mail of a sender whom an owner blocks goes to Junk, and the trace says why."""

import pytest

from mailcore.models.message import Message
from mailcore.models.trace import TraceEvent
from mailcore.personal import senders
from mailcore.store.deliver import deliver_batch
from tests.support.deliveries import NOW, make_delivery, make_message
from tests.support.mail_builders import store
from tests.support.people import give_access, make_alice, make_bob

pytestmark = pytest.mark.django_db


def _folders(person) -> list[str]:
    rows = Message.objects.filter(mailbox=person.mailbox).order_by("id")
    return list(rows.values_list("folder__role", flat=True))


def _receive(person, sender: str, **more) -> None:
    store(make_message(sender=sender, message_id=f"{sender}@m"), mailbox=person.mailbox, **more)


def test_an_address_and_a_domain_are_blocked_however_they_are_written():
    alice = make_alice()
    senders.block(alice.user, "Eve@other.example")
    senders.block(alice.user, "@spam.example")
    for sender in (
        "EVE@Other.Example",
        '"Eve" <eve@other.example>',
        "x@SPAM.example",
        "x@sub.spam.example",
        "bob@other.example",
    ):
        _receive(alice, sender)
    assert _folders(alice) == ["junk", "junk", "junk", "inbox", "inbox"]
    told = TraceEvent.objects.filter(kind="stored").order_by("pk")
    assert [(event.detail or {}).get("blocked") for event in told] == [
        "eve@other.example",
        "eve@other.example",
        "@spam.example",
        None,
        None,
    ]


def test_counters_and_junk_agree_and_the_inbox_of_others_is_not_touched():
    alice, bob = make_alice(), make_bob()
    senders.block(alice.user, "eve@other.example")
    raw = make_message(sender="eve@other.example", message_id="1@m")
    deliver_batch([make_delivery(raw, alice.mailbox, bob.mailbox)], now=NOW)
    assert (_folders(alice), _folders(bob)) == (["junk"], ["inbox"])
    assert (alice.folder("junk").unseen_count, alice.folder().total_count) == (1, 0)


def test_in_a_shared_mailbox_the_lists_of_its_owners_count():
    alice, bob = make_alice(), make_bob()
    give_access(user=bob.user, mailbox=alice.mailbox, role="send")
    senders.block(bob.user, "eve@other.example")
    _receive(alice, "eve@other.example")
    bob.user.accesses.filter(mailbox=alice.mailbox).update(role="owner")
    _receive(alice, "Eve@other.example")
    assert _folders(alice) == ["inbox", "junk"]


def test_sent_copies_and_bounces_are_never_blocked():
    alice = make_alice()
    senders.block(alice.user, "eve@other.example")
    raw = make_message(sender="eve@other.example")
    _receive(alice, "eve@other.example", role="sent")
    deliver_batch([make_delivery(raw, alice.mailbox, reverse_path="")], now=NOW)
    assert _folders(alice) == ["sent", "inbox"]


def test_without_a_junk_folder_blocked_mail_stays_in_the_inbox():
    alice = make_alice()
    senders.block(alice.user, "eve@other.example")
    alice.folder("junk").delete()
    _receive(alice, "eve@other.example")
    assert _folders(alice) == ["inbox"]
