"""From a draft to recipients and Sent, put off and taken back, once and only once."""

import email
from datetime import timedelta
from uuid import uuid4

import pytest

from mailcore import rawmail
from mailcore.delivery import submit, writing
from mailcore.delivery.writing import Sender, Unsendable
from mailcore.directory import own, resolve
from mailcore.directory.aliases import create_alias
from mailcore.models.message import Draft, Message
from mailcore.models.personal import Contact
from mailcore.models.queue import QueuedMessage, QueuedRecipient
from mailcore.personal import contacts
from mailcore.store import drafts, undo, verify
from mailcore.store.drafts import Changed
from tests.support.deliveries import NOW, make_message
from tests.support.mail_builders import derive_all, store
from tests.support.people import MADE_AT, give_access, make_alice, make_bob, make_mallory
from tests.support.writing import save, send

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _ground(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.OUTBOUND_MODE = "capture"
    resolve.forget()
    yield
    resolve.forget()


@pytest.fixture
def alice():
    return make_alice()


@pytest.fixture
def bob(alice):
    return make_bob()


def _in(person, role: str = "inbox") -> list[Message]:
    return list(Message.objects.filter(mailbox=person.mailbox, folder__role=role).order_by("pk"))


def _raw(message: Message) -> email.message.Message:
    return email.message_from_bytes(bytes(message.prefix) + rawmail.read(message.content.blob))


def test_a_draft_reaches_its_recipients_and_sent(alice, bob):
    draft = save(alice, cc="dora@outside.example", bcc="Eve <eve@outside.example>")
    assert send(alice, draft)
    (received,), (sent,) = _in(bob), _in(alice, "sent")
    assert _raw(received)["From"] == "=?utf-8?b?QWxpY2UgTGVmw6h2cmU=?= <alice@hamburger.test>"
    assert (_raw(received)["Bcc"], _raw(sent)["Bcc"]) == (None, "Eve <eve@outside.example>")
    assert _raw(sent)["Date"] == _raw(received)["Date"] != None  # noqa: E711
    paths = dict(QueuedRecipient.objects.values_list("forward_path", "state"))
    assert paths == {
        "bob@hamburger.test": "delivered",
        "dora@outside.example": "captured",
        "eve@outside.example": "captured",
    }
    assert not verify.verify()


def test_a_double_click_sends_once(alice, bob):
    draft, token = save(alice), uuid4()
    assert send(alice, draft, token=token)
    assert not send(alice, draft, token=token)
    assert len(_in(bob)) == len(_in(alice, "sent")) == 1


def test_a_draft_that_was_saved_elsewhere_is_not_sent(alice, bob):
    draft = save(alice)
    save(alice, draft_id=draft.id, version=1, subject="Newer")
    with pytest.raises(Changed):
        send(alice, draft)
    assert _in(bob) == []


def test_what_is_put_off_can_be_taken_back_and_is_a_draft_again(alice, bob):
    draft = save(alice)
    assert send(alice, draft, not_before=LATER)
    assert (_in(bob), _in(alice, "sent"), _in(alice, "drafts")) == ([], [], [])
    waiting = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert waiting is not None
    assert waiting.not_before == LATER
    sender = Sender(alice.address, "")
    take = {"mailbox": alice.mailbox, "draft": waiting, "sender": sender, "by": "alice"}
    assert writing.take_back(**take, now=NOW)
    assert [row.state for row in QueuedRecipient.objects.all()] == ["cancelled"]
    (twin,) = _in(alice, "drafts")
    assert (twin.is_draft, twin.is_seen, twin.content.subject) == (True, True, "Plan")
    again = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert again is not None
    assert send(alice, again)
    assert (len(_in(bob)), _in(alice, "drafts")) == (1, [])
    assert not verify.verify()


def test_nothing_is_taken_back_once_it_has_left(alice, bob):
    draft = save(alice)
    send(alice, draft, not_before=LATER)
    submit.release(message_id=QueuedMessage.objects.get().pk, now=LATER)
    waiting = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert waiting is not None
    sender = Sender(alice.address, "")
    assert not writing.take_back(
        mailbox=alice.mailbox, draft=waiting, sender=sender, now=LATER, by="alice"
    )
    assert len(_in(bob)) == 1


def test_the_twin_in_drafts_is_replaced_and_survives_unfit_words(alice):
    draft = save(alice, to="not an address", subject="=?utf-8?q?a=0D=0ABcc:_x@y?=")
    sender = Sender(alice.address, "Alice\nBcc: x@y.test")
    writing.keep_twin(mailbox=alice.mailbox, draft=draft, sender=sender, now=NOW)
    (first,) = _in(alice, "drafts")
    assert "Bcc" not in _raw(first)
    newer = save(alice, draft_id=draft.id, version=1, subject="Newer")
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    assert current.message_id == first.pk
    writing.keep_twin(mailbox=alice.mailbox, draft=current, sender=sender, now=LATER)
    (second,) = _in(alice, "drafts")
    assert (second.content.subject, newer.written.subject) == ("Newer", "Newer")
    assert drafts.of_message(mailbox=alice.mailbox, message_id=second.pk) == draft.id
    assert not verify.verify()


def test_what_waits_for_another_host_goes_back_to_drafts_with_its_sent_copy(alice, settings):
    settings.OUTBOUND_MODE = "direct"
    draft = save(alice, to="dora@outside.example")
    send(alice, draft)
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    assert len(_in(alice, "sent")) == 1
    sender = Sender(alice.address, "")
    assert writing.take_back(mailbox=alice.mailbox, draft=current, sender=sender, now=NOW, by="a")
    assert (len(_in(alice, "sent")), len(_in(alice, "drafts"))) == (0, 1)
    assert QueuedRecipient.objects.get().state == "cancelled"
    assert not verify.verify()


def test_a_discarded_draft_lies_in_trash_and_can_be_brought_back(alice):
    draft, sender = save(alice), Sender(alice.address, "")
    writing.keep_twin(mailbox=alice.mailbox, draft=draft, sender=sender, now=NOW)
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    done = writing.discard(mailbox=alice.mailbox, draft=current, sender=sender, now=NOW)
    assert (_in(alice, "drafts"), len(_in(alice, "trash"))) == ([], 1)
    assert done.operation_id is not None
    undo.undo(mailbox=alice.mailbox, operation_id=done.operation_id, now=NOW)
    (twin,) = _in(alice, "drafts")
    assert drafts.of_message(mailbox=alice.mailbox, message_id=twin.pk) == draft.id


def test_an_empty_draft_just_goes(alice):
    draft = save(alice, to="", subject="", text=" \n")
    sender = Sender(alice.address, "")
    done = writing.discard(mailbox=alice.mailbox, draft=draft, sender=sender, now=NOW)
    assert (done.operation_id, Draft.objects.count(), _in(alice, "trash")) == (None, 0, [])


def test_an_answer_joins_the_conversation_and_marks_what_it_answers(alice, bob):
    raw = make_message(
        message_id="q@x.test", headers=["References: <a@x.test> <b@x.test>"], subject="Plan"
    )
    (question,) = store(raw, mailbox=alice.mailbox)
    draft = save(alice, kind="reply", answers=question, subject="Re: Plan")
    send(alice, draft)
    (sent,) = _in(alice, "sent")
    header = _raw(sent)
    assert header["In-Reply-To"] == "<q@x.test>"
    assert header["References"].split() == ["<a@x.test>", "<b@x.test>", "<q@x.test>"]
    asked = Message.objects.get(public_id=question)
    assert (asked.is_answered, asked.thread_id) == (True, sent.thread_id)
    assert not verify.verify()


def test_files_and_html_leave_with_a_text_twin(alice, bob):
    draft = save(alice, html="<p>Hello <strong>Bob</strong></p>", text="")
    drafts.add_file(draft=draft, name="ñ.txt", content_type="text/plain", content=b"x", now=NOW)
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    send(alice, current)
    derive_all()
    kinds = [part.get_content_type() for part in _raw(_in(bob)[0]).walk()]
    assert kinds[0] == "multipart/mixed"
    assert kinds[1:] == ["multipart/alternative", "text/plain", "text/html", "text/plain"]
    assert _in(bob)[0].has_attachment


def test_pictures_of_the_text_travel_beside_it_and_others_stay_behind(alice, bob):
    draft = save(alice, html='<p>Look:</p><img src="cid:a@casilla" alt="a.png">', text="")
    for name in ("a", "removed"):
        drafts.add_file(
            draft=draft,
            name=f"{name}.png",
            content_type="image/png",
            content=b"\x89PNG\r\n\x1a\n" + name.encode(),
            content_id=f"{name}@casilla",
            now=NOW,
        )
    drafts.add_file(draft=draft, name="b.txt", content_type="text/plain", content=b"x", now=NOW)
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    send(alice, current)
    parts = list(_raw(_in(bob)[0]).walk())
    assert [part.get_content_type() for part in parts] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/plain",
    ]
    assert b'src="cid:a@casilla"' in (parts[4].get_payload(decode=True) or b"")
    assert (parts[5]["Content-ID"], parts[5].get_content_disposition()) == (
        "<a@casilla>",
        "inline",
    )
    assert parts[5].get_payload(decode=True) == b"\x89PNG\r\n\x1a\na"
    assert parts[2].get_payload(decode=True) == b"Look:\r\n\r\n[a.png]\r\n"


@pytest.mark.parametrize(
    ("values", "problem", "field", "text"),
    [
        ({"to": ""}, "nobody", "to", ""),
        ({"to": "bob"}, "address", "to", "bob"),
        ({"cc": "x@y.test, a@@b"}, "address", "cc", "a@@b"),
        ({"to": "nobody@hamburger.test"}, "refused", "to", "nobody@hamburger.test"),
        ({"subject": "a\u2028b"}, "field", "subject", ""),
        ({"subject": "=?utf-8?q?a=0D=0ABcc:_x@y?="}, "field", "subject", ""),
        ({"bcc": ",".join(f"p{n}@x.test" for n in range(1001))}, "many", "to", ""),
    ],
)
def test_what_cannot_go_says_where_and_changes_nothing(alice, bob, values, problem, field, text):
    draft = save(alice, **values)
    with pytest.raises(Unsendable) as caught:
        send(alice, draft)
    error = caught.value
    assert (error.problem, error.field, error.text) == (problem, field, text)
    assert not QueuedMessage.objects.exists()
    current = drafts.find(mailbox=alice.mailbox, draft_id=draft.id)
    assert current is not None
    assert (current.send_token, current.version) == (None, 1)


def test_nobody_writes_in_anothers_name(alice, bob):
    with pytest.raises(Unsendable) as caught:
        send(alice, save(alice), sender=bob.address)
    assert caught.value.problem == "refused"
    assert not QueuedMessage.objects.exists()


def test_one_chooses_among_addresses_of_mailboxes_one_may_send_from(alice, bob):
    mallory = make_mallory()
    create_alias(address="sales@hamburger.test", targets=[alice.address], now=MADE_AT)
    give_access(user=alice.user, mailbox=bob.mailbox, role="send")
    give_access(user=alice.user, mailbox=mallory.mailbox, role="read")
    found = own.addresses(user=alice.user, first=alice.mailbox)
    assert [(row.address, row.name) for row in found] == [
        ("alice@hamburger.test", "Alice"),
        ("sales@hamburger.test", "Alice"),
        ("bob@hamburger.test", "Bob"),
    ]
    assert own.addresses(user=alice.user, first=bob.mailbox)[0].address == bob.address


def test_people_written_to_are_offered_to_the_one_who_wrote(alice, bob):
    send(alice, save(alice, to="Dora Ruiz <dora@outside.example>, bob@hamburger.test"))
    send(alice, save(alice, to="bob@hamburger.test"))
    assert Contact.objects.get(address="bob@hamburger.test").used_count == 2
    for query in ("dor", "RUI", "outside", "example"):
        offered = contacts.suggest(user=alice.user, query=query)
        assert offered == [contacts.Person("Dora Ruiz", "dora@outside.example")], query
    assert contacts.suggest(user=alice.user, query="hamburger")[0].address == "bob@hamburger.test"
    assert contacts.suggest(user=bob.user, query="dor") == []
    assert contacts.suggest(user=alice.user, query="  ") == []
