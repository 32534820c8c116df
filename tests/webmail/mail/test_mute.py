"""Muting in the browser: who may, what the pages say, and what comes afterwards."""

import re

import pytest

from mailcore.models.message import Message, Thread
from mailcore.store import jobs
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.many import store_many
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import act_url, folder_url, thread_url


def _act(client, person, ids, verb, **more):
    data = {"list": f"in={person.folder().public_id}", "next": folder_url(person), verb: ""}
    chosen = Message.objects.filter(public_id__in=ids).values_list("thread__public_id", flat=True)
    return client.post(act_url(person), {**data, "thread": [*map(str, chosen)], **more})


def _answer(person) -> Message:
    raw = make_message(
        message_id="late@m.test", subject="Re: Plan", headers=["In-Reply-To: <inbox0@m.test>"]
    )
    return Message.objects.get(public_id=store(raw, mailbox=person.mailbox)[0])


def _undo(client, person) -> None:
    page = client.get(folder_url(person)).content.decode()
    operation = re.search(
        r'action="([^"]+)"[^>]*>(?:(?!</form>).)*name="operation" value="([^"]+)"', page, re.S
    )
    assert operation is not None
    client.post(operation[1], {"operation": operation[2], "next": folder_url(person)})


def test_a_muted_conversation_leaves_the_inbox_and_its_mail_stays_out(web, alice):
    ids = deliver(alice, 2, thread=True)
    _act(web, alice, ids, "mute")
    page = web.get(folder_url(alice)).content.decode()
    assert "1 conversation muted" in page
    assert _answer(alice).folder.role == "archive"
    assert "Muted" in web.get(folder_url(alice, "archive")).content.decode()
    assert web.get(folder_url(alice)).context["page"].rows == []


def test_undo_brings_the_conversation_back(web, alice):
    ids = deliver(alice, 2, thread=True)
    _act(web, alice, ids, "mute")
    _undo(web, alice)
    assert _answer(alice).folder.role == "inbox"
    assert alice.folder().total_count == 3


def test_the_open_conversation_says_so_and_offers_the_end(web, alice):
    ids = deliver(alice)
    page = web.get(thread_url(alice, ids[0])).content.decode()
    assert 'name="mute" aria-label="Mute"' in page
    _act(web, alice, ids, "mute")
    page = web.get(thread_url(alice, ids[0], role="archive")).content.decode()
    assert "Muted: what comes" in page
    assert 'name="unmute" aria-label="End the mute"' in page
    _act(web, alice, ids, "unmute", list="view=all")
    assert not Thread.objects.filter(is_muted=True).exists()


def test_whoever_may_only_read_is_offered_nothing_and_may_not(reader, alice):
    ids = deliver(alice)
    assert _act(reader, alice, ids, "mute").status_code == 403
    assert not Thread.objects.filter(is_muted=True).exists()
    assert 'name="mute"' not in reader.get(folder_url(alice)).content.decode()
    assert 'name="mute"' not in reader.get(thread_url(alice, ids[0])).content.decode()


def test_a_conversation_of_somebody_else_is_not_muted(web, alice, bob):
    ids = deliver(bob)
    _act(web, alice, ids, "mute")
    assert not Thread.objects.filter(is_muted=True).exists()


@pytest.mark.parametrize(("verb", "count"), [("mute", 600), ("unmute", 0)])
def test_all_of_a_list_is_muted_by_a_job(web, alice, verb, count):
    store_many(mailbox=alice.mailbox, count=600)
    Thread.objects.update(is_muted=verb == "unmute")
    _act(web, alice, (), verb, all="1")
    jobs.work()
    assert Thread.objects.filter(is_muted=True).count() == count
    assert alice.folder().total_count == 600 - count


def test_muted_is_searched_for(web, alice):
    ids = deliver(alice, 2)
    _act(web, alice, ids[:1], "mute")
    page = web.get(f"/mail/{alice.box}/search/?q=is:muted").content.decode()
    assert "Number 0" in page
    assert "Number 1" not in page
    assert "finds nothing in this version" not in page
