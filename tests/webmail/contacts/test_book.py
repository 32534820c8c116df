"""The address book: listed, found, changed, taken in after a preview, given out; one's own only."""

from base64 import b64encode
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.cards.card import BYTES_MAX, Card
from mailcore.personal import address_book, contacts
from tests.support.people import MADE_AT

HOSTILE = "<script>alert(1)</script>"
BOOK = "/contacts/"


def _add(person, name="Dora Ruiz", address="dora@x.test", **more):
    card = Card(name=name, addresses=(address,), **more)
    return address_book.save(user=person.user, contact_id=None, card=card)


def _rows(person, **narrow):
    return address_book.list_contacts(user=person.user, **narrow).rows


def _page(web, url=BOOK):
    response = web.get(url)
    assert response.status_code == 200
    return response.content.decode()


def _url(contact_id, name="contact"):
    return reverse(f"contacts:{name}", args=[contact_id])


# --- The list ---


def test_contacts_are_listed_by_name_and_collected_people_apart(web, alice):
    contacts.remember(user=alice.user, people=[contacts.Person("Cleo", "c@x.test")], now=MADE_AT)
    _add(alice, "zoe", "z@x.test")
    _add(alice, "Ana", "a@x.test")
    page = _page(web)
    assert page.index("Ana") < page.index("zoe")
    assert "Cleo" not in page
    assert "Cleo" in _page(web, f"{BOOK}?show=collected")


def test_the_book_is_searched_by_name_and_address(web, alice):
    _add(alice)
    assert "Dora Ruiz" in _page(web, f"{BOOK}?q=DORA")
    assert "Dora Ruiz" in _page(web, f"{BOOK}?q=x.test")
    assert "Nobody matches" in _page(web, f"{BOOK}?q=%00<b>")


def test_a_hundred_a_page_and_a_link_to_more_at_the_same_cost(web, alice):
    counts = []
    for at in (range(90), range(90, 130)):
        address_book.take_in(
            user=alice.user, cards=[Card(f"N{n:03}", (f"{n}@x.test",)) for n in at]
        )
        with CaptureQueriesContext(connection) as captured:
            page = web.get(BOOK).context["page"]
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert len(page.rows) == 100
    assert "N129" in _page(web, f"{BOOK}?after={page.next_after}")
    assert "N050<" not in _page(web, f"{BOOK}?after={page.next_after}")


def test_a_group_shows_who_is_in_it_and_goes_with_the_last(web, alice):
    made = _add(alice, groups=("Friends", "Work"))
    _add(alice, "Ana", "a@x.test")
    page = _page(web, f"{BOOK}?group=Friends")
    assert ("Dora Ruiz" in page, ">Ana<" in page) == (True, False)
    web.post(_url(made), {"name": "Dora", "address": "dora@x.test", "groups": "Work"})
    assert [g.name for g in address_book.list_groups(user=alice.user)] == ["Work"]


# --- A person ---


def test_a_contact_is_made_changed_and_deleted(web, alice):
    response = web.post(f"{BOOK}new/", {"name": "Dora", "address": " Dora@X.test "})
    (row,) = _rows(alice)
    assert (response.status_code, response["Location"]) == (303, _url(row.id))
    assert row.address == "dora@x.test"
    web.post(_url(row.id), {"name": "Dora R", "address": "d@x.test", "phones": "1, 2", "note": "N"})
    (changed,) = _rows(alice)
    assert (changed.name, changed.address, changed.phones) == ("Dora R", "d@x.test", ("1", "2"))
    assert web.post(_url(row.id, "delete")).status_code == 303
    assert _rows(alice) == []


def test_a_collected_person_becomes_a_contact_when_saved(web, alice):
    contacts.remember(user=alice.user, people=[contacts.Person("", "c@x.test")], now=MADE_AT)
    web.post(f"{BOOK}new/", {"name": "Cleo", "address": "c@x.test"})
    assert [row.name for row in _rows(alice)] == ["Cleo"]
    assert _rows(alice, is_collected=True) == []


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c", HOSTILE])
def test_what_is_no_address_is_told_beside_the_field(web, alice, address):
    response = web.post(f"{BOOK}new/", {"name": HOSTILE, "address": address})
    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()
    assert _rows(alice) == []


def test_an_address_is_in_the_book_once(web, alice):
    _add(alice)
    other = _add(alice, "Ana", "a@x.test")
    taken = web.post(_url(other), {"name": "Ana", "address": "dora@x.test"})
    assert taken.status_code == 422
    assert "Another contact has this address" in taken.content.decode()
    assert web.post(f"{BOOK}new/", {"address": "DORA@x.test"}).status_code == 422


def test_the_page_of_a_person_leads_to_their_mail_and_to_others_of_the_name(web, alice):
    made = _add(alice)
    _add(alice, "dora ruiz", "d@y.test")
    page = _page(web, _url(made))
    assert "q=from%3Adora%40x.test%20OR%20to%3Adora%40x.test" in page
    assert "Perhaps the same person" in page
    assert "d@y.test" in page


def test_nobody_sees_or_changes_the_book_of_another(client, client_of, alice, bob):
    made = _add(alice)
    stranger = client_of(bob)
    assert stranger.get(_url(made)).status_code == 404
    assert stranger.post(_url(made), {"address": "a@x.test"}).status_code == 404
    assert stranger.post(_url(made, "delete")).status_code == 404
    assert "Dora" not in _page(stranger)
    assert b"Dora" not in stranger.get(f"{BOOK}export/csv/").content
    assert client.get(BOOK).status_code == 302
    assert _rows(alice)[0].name == "Dora Ruiz"


def test_wrong_methods_and_made_up_ids_are_refused(web, alice):
    assert web.post(BOOK).status_code == 405
    assert web.get(_url(uuid4(), "delete")).status_code == 405
    assert web.get(_url(uuid4())).status_code == 404
    assert web.get(f"{BOOK}export/exe/").status_code == 404


# --- Files ---


def _send(web, text, **more):
    data = text if isinstance(text, bytes) else text.encode()
    return web.post(f"{BOOK}import/", {"file": SimpleUploadedFile("c.vcf", data), **more})


def test_a_file_is_shown_with_its_faults_and_stored_only_then(web, alice):
    text = f"Name,Email\nDora,dora@x.test\n{HOSTILE},broken\n=1+1,a@x.test\n"
    preview = _send(web, text)
    page = preview.content.decode()
    assert _rows(alice) == []
    assert "There is no mail address that can be used." in page
    assert "<script>alert" not in page
    content = preview.context["content"]
    done = web.post(f"{BOOK}import/", {"confirm": "", "content": content})
    assert done.status_code == 303
    assert sorted(row.name for row in _rows(alice)) == ["=1+1", "Dora"]


def test_who_is_there_already_is_completed_and_never_overwritten(web, alice):
    _add(alice, note="mine")
    content = b64encode(b"Name,Email,Phone,Note\nOther,dora@x.test,123,theirs\n").decode()
    web.post(f"{BOOK}import/", {"confirm": "", "content": content})
    (row,) = _rows(alice)
    assert (row.name, row.note, row.phones) == ("Dora Ruiz", "mine", ("123",))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Choose a file."),
        (b"x" * (BYTES_MAX + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_with_a_reason(web, alice, data, said):
    response = _send(web, data)
    assert response.status_code == 422
    assert said in response.content.decode()


@pytest.mark.parametrize("content", ["", "###", "AAAA"])
def test_what_comes_back_from_a_preview_is_trusted_in_nothing(web, alice, content):
    assert web.post(f"{BOOK}import/", {"confirm": "", "content": content}).status_code in {200, 422}
    assert _rows(alice) == []


@pytest.mark.parametrize("kind", ["vcf", "vcf3", "csv"])
def test_what_is_given_out_can_be_taken_in_again(web, client_of, alice, bob, kind):
    _add(alice, "=1+1", phones=("+34 1",), note="a\nb", groups=("Friends",))
    response = web.get(f"{BOOK}export/{kind}/")
    assert "attachment" in response["Content-Disposition"]
    assert b"\n=1+1" not in response.content
    content = b64encode(response.content).decode()
    client_of(bob).post(f"{BOOK}import/", {"confirm": "", "content": content})
    (row,) = _rows(bob)
    assert (row.name, row.phones, row.note) == ("=1+1", ("+34 1",), "a\nb")
    assert row.groups == ("Friends",)
