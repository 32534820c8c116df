"""Doubles in the browser: shown side by side, merged by a plain form; one's own only."""

from uuid import uuid4

import pytest

from mailcore.cards.card import LIST_MAX, Card
from mailcore.personal import address_book

PAGE = "/contacts/duplicates/"
MERGE = "/contacts/merge/"


def _add(person, name, *addresses, **more):
    card = Card(name=name, addresses=addresses, **more)
    return address_book.save(user=person.user, contact_id=None, card=card)


def _rows(person):
    return address_book.list_contacts(user=person.user).rows


def _text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_doubles_are_shown_with_all_they_have_and_merged(web, alice):
    ids = [_add(alice, "Dora", "dora@x.test", phones=("+34 1",))]
    ids.append(_add(alice, "dora", "<b>@y.test", organisation="<i>ACME"))
    page = _text(web.get(PAGE))
    for shown in ("dora@x.test", "&lt;b&gt;@y.test", "+34 1", "&lt;i&gt;ACME", str(ids[0])):
        assert shown in page
    done = web.post(MERGE, {"contact": ids})
    assert (done.status_code, done["Location"]) == (303, f"/contacts/{ids[0]}/")
    assert _rows(alice)[0].addresses == ("dora@x.test", "<b>@y.test")
    assert "Nobody is in your contacts twice" in _text(web.get(PAGE))


def test_the_page_of_a_contact_offers_to_merge_its_double(web, alice):
    made, other = _add(alice, "Dora", "dora@x.test"), _add(alice, "Dora", "d@y.test")
    page = _text(web.get(f"/contacts/{made}/"))
    assert "Perhaps the same person" in page
    assert f'value="{other}" checked' in page
    web.post(MERGE, {"contact": [made, other], "next": f"/contacts/{made}/"})
    page = _text(web.get(f"/contacts/{made}/"))
    assert "Perhaps the same person" not in page
    assert "from%3Adora%40x.test%20OR%20to%3Adora%40x.test%20OR%20from%3Ad%40y.test" in page


def test_fewer_than_two_or_too_much_is_told_and_changes_nothing(web, alice):
    many = [
        _add(alice, "Ana", *(f"{n}@{part}.test" for n in range(LIST_MAX - 1)))
        for part in ("a", "b")
    ]
    for chosen, said in ((many[:1], "Choose at least two"), (many, "too much for one contact")):
        done = web.post(MERGE, {"contact": chosen}, follow=True)
        assert said in _text(done)
    assert len(_rows(alice)) == 2


@pytest.mark.parametrize("path", ["//evil.example/", "https://evil.example/"])
def test_going_back_never_leads_elsewhere(web, path):
    assert web.post(MERGE, {"next": path})["Location"] == "/"


def test_contacts_of_others_cannot_be_merged(client_of, alice, bob):
    ids = [_add(alice, "Dora", "dora@x.test"), _add(alice, "Dora", "d@y.test")]
    stranger = client_of(bob)
    assert stranger.post(MERGE, {"contact": ids}).status_code == 404
    assert stranger.post(MERGE, {"contact": [uuid4(), "no id", ids[0]]}).status_code == 404
    assert stranger.get(MERGE).status_code == 405
    assert "Dora" not in _text(stranger.get(PAGE))
    assert len(_rows(alice)) == 2


def test_other_addresses_are_filled_in_and_checked(web, alice):
    _add(alice, "Ana", "ana@x.test", "ana@y.test")
    made = _add(alice, "Dora", "dora@x.test")
    url = f"/contacts/{made}/"
    fields = {"name": "Dora", "address": "dora@x.test"}
    for more, said in (
        ("nobody", "This is not a mail address: nobody"),
        ("ana@y.test", "Another contact has ana@y.test."),
        (",".join(f"{n}@x.test" for n in range(LIST_MAX)), "at most 20 addresses"),
    ):
        refused = web.post(url, {**fields, "more": more})
        assert refused.status_code == 422
        assert said in refused.content.decode()
    assert web.post(url, {**fields, "more": "D@z.test, dora@x.test,"}).status_code == 303
    assert _rows(alice)[1].addresses == ("dora@x.test", "d@z.test")
