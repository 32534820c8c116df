"""The card of a sender in a conversation: added to the contacts by a button, led to after that."""

import pytest

from mailcore.cards.card import Card
from mailcore.personal import address_book, contacts
from tests.support.mail_builders import derive_all, store
from tests.support.people import MADE_AT
from tests.webmail.mail.pages import message_url, thread_url
from tests.webmail.mail.test_remote import html_mail

ADD = 'name="add"'


def _arrived(alice, sender="Eve Novak <Eve@far.example>", role="inbox"):
    public_id = store(html_mail("one", sender=sender), mailbox=alice.mailbox, role=role)[0]
    derive_all()
    return public_id


def _book(person, **narrow):
    return address_book.list_contacts(user=person.user, **narrow).rows


def test_a_sender_is_added_and_then_the_card_leads_to_the_contact(web, alice):
    public_id = _arrived(alice)
    url = thread_url(alice, public_id)
    assert ADD in web.get(url).content.decode()
    done = web.post(message_url(alice, public_id, "sender"), {"add": "", "next": url}, follow=True)
    page = done.content.decode()
    (row,) = _book(alice)
    assert (row.name, row.address) == ("Eve Novak", "eve@far.example")
    assert f"/contacts/{row.id}/" in page
    assert ADD not in page
    assert "Eve@far.example is in your contacts" in page


def test_who_was_only_written_to_becomes_a_contact(web, alice):
    people = [contacts.Person("", "eve@far.example")]
    contacts.remember(user=alice.user, people=people, now=MADE_AT)
    public_id = _arrived(alice)
    assert ADD in web.get(thread_url(alice, public_id)).content.decode()
    web.post(message_url(alice, public_id, "sender"), {"add": ""})
    assert [row.name for row in _book(alice)] == ["Eve Novak"]
    assert _book(alice, is_collected=True) == []


def test_a_further_address_of_a_contact_leads_to_them_and_changes_nothing(web, alice):
    card = Card(name="Eve", addresses=("eve@home.example", "eve@far.example"))
    made = address_book.save(user=alice.user, contact_id=None, card=card)
    public_id = _arrived(alice)
    assert f"/contacts/{made}/" in web.get(thread_url(alice, public_id)).content.decode()
    web.post(message_url(alice, public_id, "sender"), {"add": ""})
    assert [(row.name, row.addresses) for row in _book(alice)] == [("Eve", card.addresses)]


@pytest.mark.parametrize("sender", ["<not an address>", "Eve <eve@>"])
def test_a_sender_without_an_address_is_not_added(web, alice, sender):
    public_id = _arrived(alice, sender=sender)
    done = web.post(message_url(alice, public_id, "sender"), {"add": "", "next": "/contacts/"})
    assert done.status_code == 303
    assert "names no sender" in web.get("/contacts/").content.decode()
    assert _book(alice) == []


def test_one_is_not_offered_oneself(web, alice):
    public_id = _arrived(alice, sender=f"Alice <{alice.address}>", role="sent")
    assert ADD not in web.get(thread_url(alice, public_id)).content.decode()


def test_a_reader_of_the_mailbox_adds_to_their_own_book(reader, alice, bob):
    public_id = _arrived(alice)
    reader.post(message_url(alice, public_id, "sender"), {"add": ""})
    assert [row.address for row in _book(bob)] == ["eve@far.example"]
    assert _book(alice) == []


def test_a_full_book_is_told(web, alice, monkeypatch):
    monkeypatch.setattr(address_book, "CONTACTS_MAX", 0)
    public_id = _arrived(alice)
    web.post(message_url(alice, public_id, "sender"), {"add": ""})
    assert "The address book is full." in web.get("/contacts/").content.decode()
