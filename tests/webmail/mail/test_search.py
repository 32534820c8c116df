"""The search pages: results with marks, chips, the form, ways to widen, offers, kept searches."""

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.personal import contacts, saved_searches
from mailcore.store import derive, flags
from tests.support.deliveries import make_message
from tests.support.mail_builders import rows, store
from tests.support.people import MADE_AT, give_access
from tests.webmail.conftest import deliver

HOSTILE = '"><script>alert(1)</script>'


def _url(person, name="search", **query):
    return reverse(f"mail:{name}", args=[person.box], query=query or None)


def _mail(person, subject="Plan", *, body="Hi", sender="Dora <dora@x.test>", role="inbox"):
    raw = make_message(subject=subject, body=body, sender=sender)
    (message_id,) = store(raw, mailbox=person.mailbox, role=role)
    assert derive.on_demand(content_ids=[row.content_id for row in rows([message_id])])
    return message_id


def _page(web, url):
    response = web.get(url)
    assert response.status_code == 200
    return response.content.decode()


# --- Results ---


def test_what_is_found_is_listed_with_its_folder_and_marked(web, alice):
    _mail(alice, "Der Plan für Crêpes")
    _mail(alice, "Something else")
    page = _page(web, _url(alice, q="crepes"))
    assert "Der Plan für <mark>Crêpes</mark>" in page
    assert "1 message<" in page
    assert "Something else" not in page
    assert '<span class="row__folder"><bdi>Inbox</bdi>' in page


def test_a_result_opens_its_conversation_at_that_message(web, alice):
    message_id = _mail(alice)
    thread_id = Message.objects.get(public_id=message_id).thread.public_id
    page = _page(web, _url(alice, q="plan"))
    assert reverse("mail:thread", args=[alice.box, thread_id]) in page
    assert f"m={message_id}&amp;q=plan#m-{message_id}" in page


def test_a_conversation_that_was_found_leads_back_to_its_search(web, alice):
    message_id = _mail(alice)
    web.get(_url(alice, q="plan"))
    thread_id = Message.objects.get(public_id=message_id).thread.public_id
    query = {"in": str(alice.folder().public_id), "m": str(message_id), "q": "plan"}
    response = web.get(reverse("mail:thread", args=[alice.box, thread_id], query=query))
    page = response.content.decode()
    assert f'href="{_url(alice, q="plan")}" aria-label="Back to the list"' in page
    assert "<mark>Plan</mark>" in page
    assert f'data-found="{message_id}"' in page


def test_the_message_that_was_found_is_open_though_read(web, alice):
    ids = deliver(alice, 3, thread=True)
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids, value=True)
    thread_id = Message.objects.get(public_id=ids[0]).thread.public_id
    query = {"m": str(ids[0]), "q": "plan"}
    page = _page(web, reverse("mail:thread", args=[alice.box, thread_id], query=query))
    assert f'id="m-{ids[0]}" open' in page
    assert f'id="m-{ids[2]}" open' not in page


@pytest.mark.parametrize("query", ["", "   ", None])
def test_without_a_query_the_page_says_how_to_ask(web, alice, query):
    page = _page(web, _url(alice, q=query) if query is not None else _url(alice))
    assert "What are you looking for?" in page


def test_spam_and_trash_are_found_only_when_asked_for(web, alice):
    _mail(alice, role="junk")
    page = _page(web, _url(alice, q="plan"))
    assert "No mail matches" in page
    assert "Search spam and trash too" in page
    assert "q=plan+in%3Aanywhere" in page
    assert "<mark>Plan</mark>" in _page(web, _url(alice, q="plan in:anywhere"))


def test_each_clause_is_a_chip_and_a_link_to_the_search_without_it(web, alice):
    page = _page(web, _url(alice, q='plan from:dora -"old news"'))
    assert page.count('class="chip ') + page.count('class="chip"') == 3
    assert '?q=plan+from%3Adora"' in page
    assert 'aria-label="Without from:dora"' in page


def test_nothing_found_offers_the_search_without_a_clause(web, alice):
    page = _page(web, _url(alice, q="plan from:nobody"))
    assert "Without from:nobody" in page


def test_what_is_odd_about_a_query_is_said(web, alice):
    page = _page(web, _url(alice, q='colour:red "open'))
    assert "A quotation mark is missing" in page
    assert "A word before a colon is not known" in page


def test_fifty_results_a_page_and_a_link_to_more(web, alice):
    deliver(alice, 55)
    first = web.get(_url(alice, q="in:inbox"))
    more = first.context["more"].path
    assert first.content.decode().count("data-row") == 50
    second = _page(web, more)
    assert second.count("data-row") == 5
    assert "That is all." in second


def test_the_oldest_may_come_first(web, alice):
    deliver(alice, 3)
    page = _page(web, _url(alice, q="in:inbox", order="oldest"))
    assert page.index("Number 0") < page.index("Number 2")


def test_all_mailboxes_of_a_person_are_searched_and_no_other(web, alice, bob, mallory):
    give_access(user=alice.user, mailbox=bob.mailbox, role="read")
    for person, subject in ((alice, "Plan A"), (bob, "Plan B"), (mallory, "Plan M")):
        _mail(person, subject)
    page = _page(web, _url(alice, q="plan", all="1"))
    assert ("> A<" in page, "> B<" in page, "> M<" in page) == (True, True, False)
    assert bob.address in page


def test_selected_results_are_changed_by_the_route_of_all_actions(web, alice):
    message_id = _mail(alice)
    page = _page(web, _url(alice, q="plan"))
    assert f'name="message" value="{message_id}"' in page
    done = web.post(
        reverse("mail:act", args=[alice.box]),
        {"archive": "", "message": str(message_id), "next": _url(alice, q="plan")},
    )
    assert done["Location"] == _url(alice, q="plan")
    assert Message.objects.get(public_id=message_id).folder.role == "archive"


def test_a_button_of_a_result_changes_that_message_alone(web, alice):
    first, second = _mail(alice), _mail(alice)
    assert f'name="trash" value="m.{first}"' in _page(web, _url(alice, q="plan"))
    web.post(reverse("mail:act", args=[alice.box]), {"trash": f"m.{first}", "message": str(second)})
    assert [row.folder.role for row in rows([first, second])] == ["trash", "inbox"]


def test_a_reader_finds_and_changes_nothing(reader, alice):
    _mail(alice)
    page = _page(reader, _url(alice, q="plan"))
    assert "<mark>Plan</mark>" in page
    assert 'name="archive"' not in page
    assert 'name="message"' not in page


def test_ten_and_a_hundred_results_cost_the_same_queries(web, alice):
    counts = []
    _page(web, _url(alice, q="in:inbox"))  # what is kept is remembered
    for more in (10, 90):
        deliver(alice, more)
        with CaptureQueriesContext(connection) as captured:
            _page(web, _url(alice, q="in:inbox"))
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", ["search", "search_form", "saved", "suggest"])
def test_a_stranger_gets_404_and_nobody_the_sign_in_page(client, client_of, alice, mallory, name):
    assert client_of(mallory).get(_url(alice, name, q="plan")).status_code == 404
    assert client.get(_url(alice, name, q="plan")).status_code == 302


@pytest.mark.parametrize("name", ["search", "search_form", "suggest"])
def test_looking_is_not_posting(web, alice, name):
    assert web.post(_url(alice, name)).status_code == 405


@pytest.mark.parametrize(
    "query", [HOSTILE, "\x00", "%", "(((((((((", '"', "a" * 5000, "header:X:<b>", "\u202e"]
)
def test_hostile_queries_are_text_and_never_fail(web, alice, query):
    _mail(alice, subject=HOSTILE, sender='"<img src=x>" <x@y.test>', body=HOSTILE)
    for name in ("search", "search_form"):
        page = _page(web, _url(alice, name, q=query, after="zz'--", saved="x"))
        assert "<script>alert" not in page
        assert "<img src=x>" not in page
        assert " style=" not in page


# --- The form ---


def test_the_form_shows_a_query_and_keeps_what_it_has_no_field_for(web, alice):
    text = 'from:dora plan -old in:sent after:2026-11-01 larger:5M has:attachment list:"news"'
    fields = web.get(_url(alice, "search_form", q=text)).context["fields"]
    assert (fields.sender, fields.words, fields.without) == ("dora", "plan", "old")
    assert (fields.folder, fields.after, fields.size) == ("sent", "2026-11-01", "larger:5M")
    assert fields.has_attachment
    assert fields.rest == 'list:"news"'


def test_the_filled_form_leads_to_its_query(web, alice):
    filled = {
        "go": "1",
        "from": "dora ruiz",
        "words": "plan",
        "without": 'old "very old"',
        "in": "sent",
        "before": "2026-11-21",
        "size": "larger:5M",
        "attachment": "1",
        "rest": "list:news",
    }
    response = web.get(_url(alice, "search_form"), filled)
    expected = (
        'from:"dora ruiz" plan -old -"very old" in:sent before:2026-11-21 larger:5M '
        "has:attachment list:news"
    )
    assert response["Location"] == _url(alice, q=expected)


def test_the_form_speaks_the_words_of_the_reader(web, alice):
    web.cookies["language"] = "es"
    response = web.get(_url(alice, "search_form"), {"go": "1", "from": "dora", "in": "trash"})
    assert response["Location"] == _url(alice, q="de:dora en:papelera")


@pytest.mark.parametrize("value", [HOSTILE, '" OR in:anywhere "', "x" * 3000])
def test_a_field_of_the_form_cannot_leave_its_field(web, alice, value):
    response = web.get(_url(alice, "search_form"), {"go": "1", "from": value, "size": value})
    page = web.get(response["Location"])
    assert len(page.context["chips"]) == 1


# --- Offers while one types ---


def _offers(web, person, text):
    response = web.get(_url(person, "suggest", q=text))
    assert len(response.content) <= 2048
    return json.loads(response.content)["offers"]


@pytest.fixture
def dora(alice):
    known = [contacts.Person("Dora Ruiz", "dora@x.test")]
    contacts.remember(user=alice.user, people=known, now=MADE_AT)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("plan do", "plan from:dora@x.test "),
        ("to:do", "to:dora@x.test "),
        ("-from:dor", "-from:dora@x.test "),
        ("fro", "from:"),
        ("is:un", "is:unread "),
        ("dra", "in:drafts "),
        ("in:dra", "in:drafts "),
        ("plan has:att", "plan has:attachment "),
    ],
)
def test_a_word_is_filled_in(web, alice, dora, typed, offered):
    assert offered in [offer[0] for offer in _offers(web, alice, typed)]


def test_offers_are_in_the_words_of_the_reader(web, alice, dora):
    web.cookies["language"] = "es"
    assert _offers(web, alice, "do")[0][0] == "de:dora@x.test "
    assert _offers(web, alice, "es:nole")[0][0] == "es:noleído "


def test_nobody_is_offered_the_people_of_another(client_of, alice, dora, bob):
    give_access(user=bob.user, mailbox=alice.mailbox, role="read")
    assert _offers(client_of(bob), alice, "dora") == []
    assert _offers(client_of(bob), alice, "") == []


def test_offers_stay_below_two_kilobytes(web, alice):
    people = [contacts.Person("ñ" * 300, f"long{n}@{'x' * 60}.test") for n in range(20)]
    contacts.remember(user=alice.user, people=people, now=MADE_AT)
    assert _offers(web, alice, f"{'á' * 800} from:long")


# --- Kept searches ---


def _keep(web, person, **data):
    return web.post(_url(person, "saved"), data)


def test_a_kept_search_stands_in_the_rail_of_every_page_and_is_run_from_there(web, alice):
    _mail(alice)
    _keep(web, alice, save="", name="Plans", query="subject:plan")
    (kept,) = saved_searches.list_saved(user=alice.user)
    assert "Plans" in _page(web, reverse("mail:outbox", args=[alice.box]))
    page = _page(web, _url(alice, saved=kept.id))
    assert "1 message<" in page
    assert 'value="subject:plan"' in page


def test_a_kept_search_is_read_in_another_language(web, alice):
    web.cookies["language"] = "es"
    _keep(web, alice, save="", name="Dora", query="de:dora es:noleído")
    (kept,) = saved_searches.list_saved(user=alice.user)
    assert kept.query == "from:dora is:unread"
    assert "de:dora es:noleído" in _page(web, _url(alice, "saved"))


def test_a_kept_search_is_renamed_moved_and_forgotten(web, alice):
    for name in ("a", "b"):
        _keep(web, alice, save="", name=name, query="plan")
    first, second = saved_searches.list_saved(user=alice.user)
    _keep(web, alice, up="", id=second.id)
    _keep(web, alice, rename="", id=first.id, name="c")
    assert [one.name for one in saved_searches.list_saved(user=alice.user)] == ["b", "c"]
    _keep(web, alice, delete="", id=second.id)
    assert [one.name for one in saved_searches.list_saved(user=alice.user)] == ["c"]


@pytest.mark.parametrize(
    "data",
    [{}, {"delete": "", "id": "x"}, {"up": "", "id": str(uuid4())}, {"save": "", "name": " "}],
)
def test_what_cannot_be_done_to_a_kept_search_changes_nothing(web, alice, data):
    _keep(web, alice, save="", name="a", query="plan")
    assert _keep(web, alice, **data).status_code == 303
    assert [one.name for one in saved_searches.list_saved(user=alice.user)] == ["a"]


def test_a_list_is_the_same_page_until_a_search_is_kept(web, alice):
    folder = reverse("mail:folder", args=[alice.box, alice.folder().public_id])
    web.get(folder)
    tag = web.get(folder)["ETag"]
    saved_searches.save(user=alice.user, name="a", query="plan")
    assert web.get(folder, headers={"If-None-Match": tag}).status_code == 200


def test_the_name_of_a_kept_search_is_text(web, alice):
    _keep(web, alice, save="", name=HOSTILE, query=HOSTILE)
    for url in (_url(alice, "saved"), _url(alice, q="x")):
        assert "<script>alert" not in _page(web, url)
