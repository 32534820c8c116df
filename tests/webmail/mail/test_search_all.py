"""Everything that a search finds, selected at once: only that, only here, and undone again."""

import pytest
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.models.personal import Job
from mailcore.store import folders, labels
from tests.support.mail_builders import derive_all
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import act_url

EVERYTHING = 'name="all"'


def _url(person, **query):
    return reverse("mail:search", args=[person.box], query=query)


def _page(web, url):
    response = web.get(url)
    assert response.status_code == 200
    return response.content.decode()


def _ask(web, person, query, verb="archive", **more):
    data = {verb: "", "all": "1", "list": f"q={query}", "next": _url(person, q=query), **more}
    return web.post(act_url(person), data, follow=True)


def _count(person, role):
    return person.folder(role).total_count


def test_a_search_of_more_than_a_page_offers_all_of_it(web, reader, alice):
    deliver(alice, 55)
    page = _page(web, _url(alice, q="in:inbox"))
    assert "Select all 55 messages found" in page
    assert 'name="list" value="q=in%3Ainbox"' in page
    assert EVERYTHING not in _page(reader, _url(alice, q="in:inbox"))
    assert EVERYTHING not in _page(web, _url(alice, q="in:inbox", all="1"))
    deliver(alice, 1, role="sent")
    assert EVERYTHING not in _page(web, _url(alice, q="in:sent"))


def test_all_that_is_found_is_changed_and_undone_from_the_toast(web, alice):
    deliver(alice, 55)
    derive_all()
    done = _ask(web, alice, "number in:inbox")
    assert "55 messages archived" in done.content.decode()
    assert (_count(alice, "inbox"), _count(alice, "archive")) == (0, 55)
    undo = reverse("mail:undo", args=[alice.box])
    web.post(undo, {"operation": str(Job.objects.get().public_id)})
    assert _count(alice, "inbox") == 55


def test_what_is_found_moves_to_a_folder_and_gets_a_label(web, alice):
    deliver(alice, 55)
    derive_all()
    label = labels.create(mailbox=alice.mailbox, name="Travel", hue=3)
    target = folders.create(mailbox=alice.mailbox, name="Travel")
    page = _page(web, _url(alice, q="in:inbox"))
    assert f'name="move" value="{target}"' in page
    assert f'name="label" value="{label.public_id}"' in page
    _ask(web, alice, "number in:inbox", verb="label", label=str(label.public_id))
    assert "Select all 55 messages found" in _page(web, _url(alice, q="label:travel"))
    _ask(web, alice, "label:travel", verb="move", move=str(target))
    assert _count(alice, "inbox") == 0
    assert Message.objects.filter(folder__public_id=target).count() == 55


@pytest.mark.parametrize("query", ["from:p1@outside.example", "de:p1@outside.example"])
def test_what_is_not_found_stays(web, alice, query):
    deliver(alice, 9)
    derive_all()
    _ask(web, alice, query, verb="star")
    starred = Message.objects.filter(is_flagged=True)
    assert set(starred.values_list("content__from_name", flat=True)) == {"Person 1"}
    assert starred.count() == 3


@pytest.mark.parametrize(
    ("query", "verb", "left"),
    [
        ("number", "trash", 2),
        ("number in:anywhere", "trash", 2),
        ("number -in:inbox", "trash", 2),
        ("number in:sent", "trash", 0),
    ],
)
def test_sent_mail_moves_only_when_the_search_names_its_folder(web, alice, query, verb, left):
    deliver(alice, 2, role="sent")
    derive_all()
    _ask(web, alice, query, verb=verb)
    assert _count(alice, "sent") == left


def test_flags_change_in_sent_too(web, alice):
    deliver(alice, 2, role="sent")
    derive_all()
    _ask(web, alice, "number", verb="star")
    assert Message.objects.filter(is_flagged=True).count() == 2


@pytest.mark.parametrize("query", ["", "%20", "header:X:y", "x" * 3000])
def test_a_search_for_nothing_changes_nothing(web, alice, query):
    deliver(alice, 2)
    assert _ask(web, alice, query, verb="trash").status_code == 200
    assert _count(alice, "inbox") == 2


def test_deleting_for_good_asks_first_and_spares_what_is_not_in_trash(web, alice):
    deliver(alice, 2)
    assert "sure" in _ask(web, alice, "in:inbox", verb="destroy").content.decode()
    _ask(web, alice, "in:inbox", verb="destroy", sure="1")
    assert _count(alice, "inbox") == 2


def test_neither_readers_nor_strangers_change_anything(client, client_of, reader, alice, mallory):
    deliver(alice, 2)
    assert _ask(reader, alice, "in:inbox").status_code == 403
    assert _ask(client_of(mallory), alice, "in:inbox").status_code == 404
    client.post(act_url(alice), {"archive": "", "all": "1", "list": "q=in:inbox"})
    assert _count(alice, "inbox") == 2


def test_a_search_in_one_mailbox_changes_no_other(web, client_of, alice, mallory):
    for person in (alice, mallory):
        deliver(person, 2)
    derive_all()
    _ask(web, alice, "number")
    assert (_count(alice, "archive"), _count(mallory, "archive")) == (2, 0)
