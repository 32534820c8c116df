"""The conversation list: who sees it, what it costs, when it is the same page again."""

from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.store import flags
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url


def test_home_leads_to_the_inbox(web, alice):
    response = web.get(reverse("mail:home"), follow=True)
    assert response.status_code == 200
    assert response.request["PATH_INFO"] == folder_url(alice)


def test_the_list_shows_senders_and_subjects(web, alice):
    deliver(alice, 2)
    page = web.get(folder_url(alice)).content.decode()
    assert "Number 1" in page
    assert "Person 0" in page
    assert page.index("Number 1") < page.index("Number 0")


def test_nobody_is_sent_to_sign_in(client, alice):
    response = client.get(folder_url(alice))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=/mail/")


def test_a_script_without_a_session_gets_401_and_no_redirect(client, alice):
    response = client.get(folder_url(alice), headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.content == b""


def test_a_stranger_gets_404(client_of, alice, mallory):
    assert client_of(mallory).get(folder_url(alice)).status_code == 404


def test_a_folder_of_another_mailbox_is_404(client_of, alice, mallory):
    url = reverse("mail:folder", args=[mallory.box, alice.folder().public_id])
    assert client_of(mallory).get(url).status_code == 404


def test_an_unknown_folder_is_404(web, alice):
    assert web.get(reverse("mail:folder", args=[alice.box, uuid4()])).status_code == 404


def test_posting_to_a_list_is_405(web, alice):
    assert web.post(folder_url(alice)).status_code == 405


def test_a_cursor_that_cannot_be_read_is_the_first_page(web, alice):
    deliver(alice, 1)
    response = web.get(folder_url(alice) + "?after=%00%27--&only=nonsense")
    assert response.status_code == 200
    assert b"Number 0" in response.content


def test_the_next_page_is_a_url(web, alice):
    deliver(alice, 55)
    first = web.get(folder_url(alice))
    cursor = first.context["page"].next_cursor
    second = web.get(folder_url(alice) + f"?after={cursor}").content.decode()
    assert "Number 4<" in second
    assert "Number 5<" not in second


def test_unread_and_starred_narrow_the_list(web, alice):
    ids = deliver(alice, 3)
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids[:2], value=True)
    flags.set_flagged(mailbox=alice.mailbox, message_ids=ids[:1], value=True)
    unread = web.get(folder_url(alice) + "?only=unread").content.decode()
    starred = web.get(folder_url(alice) + "?only=starred").content.decode()
    assert ("Number 2" in unread, "Number 0" in unread) == (True, False)
    assert ("Number 0" in starred, "Number 2" in starred) == (True, False)


def _queries(web, url):
    with CaptureQueriesContext(connection) as captured:
        assert web.get(url).status_code == 200
    return len(captured)


def test_ten_and_two_hundred_messages_cost_the_same_queries(web, alice):
    deliver(alice, 10)
    web.get(folder_url(alice))
    few = _queries(web, folder_url(alice))
    deliver(alice, 190)
    assert _queries(web, folder_url(alice)) == few


def test_the_same_page_again_is_304_until_something_changes(web, alice):
    ids = deliver(alice, 1)
    web.get(folder_url(alice))  # brings the CSRF cookie, which is part of the tag
    tag = web.get(folder_url(alice))["ETag"]
    again = web.get(folder_url(alice), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids, value=True)
    assert web.get(folder_url(alice), headers={"If-None-Match": tag}).status_code == 200


def test_the_etag_follows_language_and_theme(web, alice):
    tag = web.get(folder_url(alice))["ETag"]
    web.cookies["language"] = "es"
    spanish = web.get(folder_url(alice), headers={"If-None-Match": tag})
    assert spanish.status_code == 200
    assert "Recibidos" in spanish.content.decode()
    web.cookies["theme"] = "dark"
    dark = web.get(folder_url(alice), headers={"If-None-Match": spanish["ETag"]})
    assert 'data-theme="dark"' in dark.content.decode()


def test_a_reader_sees_the_list_without_buttons(reader, alice):
    deliver(alice, 1)
    page = reader.get(folder_url(alice)).content.decode()
    assert "Number 0" in page
    assert 'name="archive"' not in page


def test_hostile_subjects_and_names_are_text(web, alice):

    raw = make_message(subject="<script>alert(1)</script>", sender='"<img src=x>" <x@y.test>')
    store(raw, mailbox=alice.mailbox)
    page = web.get(folder_url(alice)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<img src=x>" not in page


def test_no_page_carries_a_style_attribute(web, alice):
    deliver(alice, 2)
    assert " style=" not in web.get(folder_url(alice)).content.decode()
