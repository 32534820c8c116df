"""A conversation: what opening shows, marks and costs."""

from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from mailcore.models.message import Message
from mailcore.store import flags, labels
from tests.support.mail_builders import derive_all
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, thread_url

THREAD_QUERIES = 15


def _unseen(person) -> int:
    return Message.objects.filter(mailbox=person.mailbox, is_seen=False).count()


def test_opening_shows_every_message_and_marks_them_seen(web, alice):
    ids = deliver(alice, 3, thread=True)
    page = web.get(thread_url(alice, ids[0])).content.decode()
    assert page.count("<iframe") == 3
    assert "Person 2" in page
    assert _unseen(alice) == 0
    assert alice.folder().unseen_count == 0


def test_frames_never_share_our_origin(web, alice):
    page = web.get(thread_url(alice, deliver(alice)[0])).content.decode()
    assert 'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"' in page
    assert "allow-same-origin" not in page


def test_a_conversation_says_its_labels_and_offers_all(web, alice):
    on, off = (labels.create(mailbox=alice.mailbox, name=name) for name in ("Work", "Home"))
    ids = deliver(alice, 2, thread=True)
    labels.set_label(mailbox=alice.mailbox, message_ids=ids[:1], label_id=on.public_id, value=True)
    page = web.get(thread_url(alice, ids[0])).content.decode()
    _, _, head = page.partition('class="thread__labels"')
    assert "Work" in head.partition("</ul>")[0]
    assert "Home" not in head.partition("</ul>")[0]
    assert f'name="unlabel" value="{on.public_id}" aria-pressed="true"' in page
    assert f'name="label" value="{off.public_id}" aria-pressed="false"' in page


def test_a_prefetch_marks_nothing(web, alice):
    url = thread_url(alice, deliver(alice)[0])
    web.get(url, headers={"Sec-Purpose": "prefetch;prerender"})
    assert _unseen(alice) == 1
    web.head(url)
    assert _unseen(alice) == 1


def test_a_reader_marks_nothing(reader, alice):
    response = reader.get(thread_url(alice, deliver(alice)[0]))
    assert response.status_code == 200
    assert _unseen(alice) == 1
    assert 'name="trash"' not in response.content.decode()


def test_a_script_gets_the_reading_sheet_without_the_list(web, alice):
    url = thread_url(alice, deliver(alice)[0])
    part = web.get(url, headers={"HX-Request": "true", "HX-Target": "section#reading"})
    page = part.content.decode()
    assert 'id="reading"' in page
    assert 'id="rail"' in page
    assert 'id="list"' not in page
    assert "<html" not in page


def test_nobody_is_sent_to_sign_in(client, alice):
    response = client.get(thread_url(alice, deliver(alice)[0]))
    assert response.status_code == 302


def test_a_stranger_gets_404_by_either_way(client_of, alice, mallory):
    url = thread_url(alice, deliver(alice)[0])
    stranger = client_of(mallory)
    assert stranger.get(url).status_code == 404
    own_box = url.replace(str(alice.box), str(mallory.box)).partition("?")[0]
    assert stranger.get(own_box).status_code == 404
    assert _unseen(alice) == 1


def test_an_unknown_conversation_is_404(web, alice):
    assert web.get(reverse("mail:thread", args=[alice.box, uuid4()])).status_code == 404


def test_a_folder_that_is_none_counts_as_absent(web, alice):
    url = thread_url(alice, deliver(alice)[0]).partition("?")[0]
    assert web.get(url + "?in=nonsense").status_code == 200


def test_posting_is_405(web, alice):
    assert web.post(thread_url(alice, deliver(alice)[0])).status_code == 405


def _queries(web, url) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert web.get(url).status_code == 200
    return len(captured)


def test_ten_and_two_hundred_messages_cost_the_same_queries(web, alice):
    ids = deliver(alice, 10, thread=True)
    more = deliver(alice, 190, thread=True, role="archive")
    derive_all()
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids + more, value=True)
    web.get(thread_url(alice, ids[0]))
    few = _queries(web, thread_url(alice, ids[0]))
    many = _queries(web, thread_url(alice, more[0], role="archive"))
    assert few == many
    assert many <= THREAD_QUERIES


def test_the_list_stands_beside_with_the_row_marked(web, alice):
    page = web.get(thread_url(alice, deliver(alice, 2)[0])).content.decode()
    assert page.count("row--current") == 1
    assert folder_url(alice) in page


def test_read_messages_before_the_open_one_are_folded(web, alice):
    ids = deliver(alice, 8, thread=True)
    flags.set_seen(mailbox=alice.mailbox, message_ids=ids, value=True)
    page = web.get(thread_url(alice, ids[0]))
    assert [len(page.context[part]) for part in ("beginning", "folded", "rest")] == [1, 5, 2]
    assert page.content.decode().count("data-message>") == 8
