"""Contacts with further addresses, guesses at doubles, and what merging keeps."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mailcore.cards.card import LIST_MAX, NOTE_CHARS, Card
from mailcore.models.personal import Contact
from mailcore.personal import address_book, contacts, duplicates, likeness
from tests.support.people import MADE_AT, make_alice, make_bob

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_alice()


def _add(person, name, *addresses, **more):
    card = Card(name=name, addresses=addresses, **more)
    return address_book.save(user=person.user, contact_id=None, card=card)


def _wrote_to(person, name, address, times=1):
    for _time in range(times):
        contacts.remember(user=person.user, people=[contacts.Person(name, address)], now=MADE_AT)


def _book(person, **narrow):
    return address_book.list_contacts(user=person.user, **narrow).rows


def _suggested(person):
    return [{one.address for one in c} for c in duplicates.suggest(user=person.user)]


# --- Further addresses ---


def test_a_contact_with_two_addresses_is_one_row_found_by_both(alice):
    _add(alice, "Dora", "dora@x.test", "dora@y.test")
    assert [row.addresses for row in _book(alice)] == [("dora@x.test", "dora@y.test")]
    assert len(_book(alice, query="y.test")) == 1
    offered = contacts.suggest(user=alice.user, query="dor")
    assert {one.address for one in offered} == {"dora@x.test", "dora@y.test"}
    alike = likeness.likeness(user=alice.user, people=[("Dora", "dora@y.test")])
    assert alike.knows("dora@y.test")


def test_addresses_change_places_and_keep_how_often_they_were_used(alice):
    made = _add(alice, "Dora", "dora@x.test", "dora@y.test")
    _wrote_to(alice, "", "dora@y.test", times=3)
    card = Card(name="Dora R", addresses=("dora@y.test", "dora@x.test"))
    assert address_book.save(user=alice.user, contact_id=made, card=card) == made
    assert [(row.name, row.addresses) for row in _book(alice)] == [("Dora R", card.addresses)]
    assert Contact.objects.get(address="dora@y.test").used_count == 3
    assert set(Contact.objects.values_list("name", flat=True)) == {"Dora R"}


def test_an_address_taken_away_is_forgotten_and_one_of_another_contact_is_refused(alice):
    made = _add(alice, "Dora", "dora@x.test", "dora@y.test")
    _add(alice, "Ana", "ana@x.test", "ana@y.test")
    card = Card(name="Dora", addresses=("dora@x.test", "ana@y.test"))
    with pytest.raises(address_book.AddressTaken) as refused:
        address_book.save(user=alice.user, contact_id=made, card=card)
    assert refused.value.address == "ana@y.test"
    card = Card(name="Dora", addresses=("dora@x.test",))
    address_book.save(user=alice.user, contact_id=made, card=card)
    assert not Contact.objects.filter(address="dora@y.test").exists()


def test_a_person_only_written_to_joins_the_contact_that_gets_the_address(alice):
    made = _add(alice, "Dora", "dora@x.test")
    _wrote_to(alice, "D.", "dora@y.test", times=2)
    card = Card(name="Dora", addresses=("dora@x.test", "dora@y.test"))
    address_book.save(user=alice.user, contact_id=made, card=card)
    assert _book(alice, is_collected=True) == []
    assert Contact.objects.get(address="dora@y.test").used_count == 2


def test_deleting_a_contact_forgets_all_its_addresses(alice):
    made = _add(alice, "Dora", "dora@x.test", "dora@y.test", groups=("Friends",))
    assert address_book.delete(user=alice.user, contact_id=made)
    assert not Contact.objects.exists()
    assert address_book.list_groups(user=alice.user) == []


def test_a_card_of_two_addresses_is_taken_in_as_one_contact(alice):
    cards = [
        Card(name="Dora", addresses=("dora@x.test", "dora@y.test"), phones=("1",)),
        Card(name="Other", addresses=("dora@y.test", "dora@z.test"), note="late"),
    ]
    assert address_book.take_in(user=alice.user, cards=cards) == 2
    (row,) = _book(alice)
    assert (row.name, row.phones, row.note) == ("Dora", ("1",), "late")
    assert row.addresses == ("dora@x.test", "dora@y.test", "dora@z.test")
    assert address_book.give_out(user=alice.user) == [row.card]


# --- Guesses ---


def test_one_name_or_one_address_with_a_detail_is_suggested(alice):
    _add(alice, "Dora  Ruiz", "dora@x.test")
    _add(alice, "dora ruiz", "d@y.test")
    _add(alice, "Ana", "ana@x.test")
    _add(alice, "", "ana+shop@x.test")
    _add(alice, "Ana B", "ana@other.test")
    assert _suggested(alice) == [{"ana@x.test", "ana+shop@x.test"}, {"dora@x.test", "d@y.test"}]


def test_who_was_only_written_to_is_suggested_beside_a_contact_alone(alice):
    _wrote_to(alice, "News", "a@x.test")
    _wrote_to(alice, "News", "b@x.test")
    assert _suggested(alice) == []
    _add(alice, "News", "c@x.test")
    assert _suggested(alice) == [{"a@x.test", "b@x.test", "c@x.test"}]


def test_further_addresses_lead_to_their_contact_and_are_no_double_of_it(alice):
    made = _add(alice, "Dora", "dora@x.test", "dora+a@x.test")
    assert _suggested(alice) == []
    _add(alice, "Other", "dora+b@x.test")
    contact = address_book.find(user=alice.user, contact_id=made)
    assert contact
    found = duplicates.of_contact(user=alice.user, contact=contact)
    assert [row.address for row in found] == ["dora+b@x.test"]
    assert _suggested(alice) == [{"dora@x.test", "dora+b@x.test"}]


def test_nothing_of_another_person_is_suggested(alice):
    bob = make_bob()
    made = _add(alice, "Dora", "dora@x.test")
    _add(bob, "Dora", "dora@y.test")
    contact = address_book.find(user=alice.user, contact_id=made)
    assert contact
    assert duplicates.of_contact(user=alice.user, contact=contact) == []
    assert _suggested(alice) == []


def test_suggestions_cost_the_same_however_many_there_are(alice):
    counts = []
    for at in (range(2), range(2, 30)):
        for n in at:
            _add(alice, f"Name {n}", f"{n}@x.test")
            _add(alice, f"Name {n}", f"{n}@y.test")
        with CaptureQueriesContext(connection) as captured:
            found = duplicates.suggest(user=alice.user)
        counts.append(len(captured))
    assert counts == [4, 4]
    assert len(found) == duplicates.CLUSTERS_MAX


# --- Merging ---


def test_merging_keeps_every_address_and_field(alice):
    one = _add(
        alice, "Dora", "dora@x.test", phones=("1", "2"), organisation="ACME", groups=("Friends",)
    )
    other = _add(
        alice, "Dora Ruiz", "d@y.test", "d@z.test", phones=("2", "3"), organisation="Other Inc",
        note="met in Lyon", groups=("Friends", "Work"),
    )  # fmt: skip
    _wrote_to(alice, "", "d@z.test", times=4)
    assert duplicates.merge(user=alice.user, contact_ids=[other, one]) == one
    (row,) = _book(alice)
    assert row.addresses == ("dora@x.test", "d@y.test", "d@z.test")
    assert (row.name, row.organisation, row.phones) == ("Dora", "ACME", ("1", "2", "3"))
    assert row.note.splitlines() == ["met in Lyon", "Dora Ruiz", "Other Inc"]
    assert row.groups == ("Friends", "Work")
    assert Contact.objects.get(address="d@z.test").used_count == 4
    assert [group.count for group in address_book.list_groups(user=alice.user)] == [1, 1]


def test_the_contact_gives_the_name_not_who_was_only_written_to(alice):
    _wrote_to(alice, "dora ruiz", "d@y.test", times=9)
    made = _add(alice, "Dora Ruiz", "dora@x.test")
    collected = Contact.objects.get(address="d@y.test").public_id
    assert duplicates.merge(user=alice.user, contact_ids=[collected, made]) == made
    (row,) = _book(alice)
    assert (row.name, row.note, row.address) == ("Dora Ruiz", "", "dora@x.test")
    assert _book(alice, is_collected=True) == []


def test_what_is_too_much_for_one_contact_is_left_as_it_was(alice):
    long = [_add(alice, "Dora", f"{n}@x.test", note=str(n) * (NOTE_CHARS // 2)) for n in (1, 2)]
    many = [
        _add(alice, "Ana", *(f"{n}@{part}.test" for n in range(LIST_MAX - 1)))
        for part in ("a", "b")
    ]
    before = _book(alice)
    for ids in (long, many):
        with pytest.raises(duplicates.TooMuch):
            duplicates.merge(user=alice.user, contact_ids=ids)
    assert _book(alice) == before


def test_contacts_of_others_are_not_merged(alice):
    bob = make_bob()
    mine, theirs = _add(alice, "Dora", "dora@x.test"), _add(bob, "Dora", "dora@y.test")
    assert duplicates.merge(user=alice.user, contact_ids=[mine, theirs, uuid4()]) is None
    assert [row.addresses for row in _book(bob)] == [("dora@y.test",)]
