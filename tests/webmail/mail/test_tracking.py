"""Parcel tracking with sent mail: in words, with what hosts said, and who may act on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.models.message import Message
from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Failed
from tests.support.mail_builders import derive_all
from tests.support.parcels import BUSY, NOBODY, OK, answer, send, sent_copy
from tests.support.people import Person, give_access
from tests.support.queued import make_attempt
from tests.webmail.mail.pages import message_url, thread_url

pytestmark = pytest.mark.django_db

HOSTILE = "</q><script>alert(1)</script>\u202e\x1b[31m"


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()


def row(path: str = "dora@outside.example") -> QueuedRecipient:
    return QueuedRecipient.objects.get(forward_path=path)


def parcel_url(who: Person, path: str = "dora@outside.example") -> str:
    return reverse("mail:parcel", args=[who.box, row(path).public_id])


def act_url(who: Person, path: str = "dora@outside.example") -> str:
    return reverse("mail:parcel_act", args=[who.box, row(path).public_id])


def conversation(who: Person) -> str:
    return thread_url(who, sent_copy(who).public_id, role="sent")


def page(web, url: str) -> str:
    response = web.get(url)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


@pytest.fixture
def refused(alice: Person) -> Person:
    """Alice, whose letter to Dora was refused."""
    now = timezone.now()
    send(alice, "dora@outside.example", at=now)
    answer(NOBODY, at=now)
    return alice


@pytest.fixture
def late(alice: Person) -> Person:
    """Alice, whose letter to Dora was put off by its host."""
    now = timezone.now()
    send(alice, "dora@outside.example", at=now)
    answer(BUSY, at=now)
    return alice


def test_a_letter_to_ourselves_is_delivered(web, alice, bob):
    send(alice, bob.address, at=timezone.now())
    text = page(web, conversation(alice))
    assert "In the mailbox since" in text
    assert "tracking--ok" in text


def test_what_stayed_here_is_not_told_as_a_dialogue_with_a_host(web, alice, bob):
    send(alice, bob.address, at=timezone.now())
    make_attempt(QueuedRecipient.objects.get(), code=250, text="Stored")
    text = page(web, conversation(alice))
    for words in ("mx.outside.example", "word for word"):
        assert words not in text


def test_a_letter_that_a_host_took_says_which_host_and_how(web, alice):
    send(alice, "dora@outside.example", at=timezone.now())
    answer(OK, at=timezone.now())
    text = page(web, conversation(alice))
    assert "Handed over" in text
    assert "The server mx.outside.example took it on" in text
    assert "TLSv1.3" in text
    assert "250 2.0.0 Ok: queued as 4F2A" in text


def test_a_refused_letter_says_what_it_means_and_what_to_do(web, refused):
    text = page(web, conversation(refused))
    assert "Not delivered" in text
    assert "That address does not exist there." in text
    assert "Look for a typing error in the address" in text
    assert "550 5.1.1 No such user" in text
    assert 'class="tracking tracking--bad" id="tracking-' in text
    assert " open data-live" in text


def test_a_letter_that_waits_says_until_when(web, late):
    text = page(web, conversation(late))
    assert "Not delivered yet" in text
    assert "The next try is on" in text
    assert "451 4.3.2 Come back later" in text


def test_one_sentence_sums_up_many_recipients(web, alice, bob):
    send(alice, bob.address, "dora@a.example", "emil@b.example", at=timezone.now())
    assert "On its way to 2 of 3" in page(web, conversation(alice))
    answer(OK, NOBODY, at=timezone.now())
    assert "Not delivered to 1 of 3" in page(web, conversation(alice))


def test_the_page_of_a_recipient_has_every_word(web, late):
    text = page(web, parcel_url(late))
    assert "What the servers said to each other" in text
    assert "S: 220 mx.outside.example" in text
    assert "192.0.2.25" in text


def test_a_letter_that_was_only_received_has_no_tracking(web, alice, bob, client_of):
    send(bob, alice.address, at=timezone.now())
    received = Message.objects.get(mailbox=alice.mailbox)
    assert "data-live-url" not in page(web, thread_url(alice, received.public_id)).split("#main")[1]
    assert web.get(message_url(alice, received.public_id, "tracking")).status_code == 404


def test_what_hosts_say_is_shown_escaped(web, alice):
    now = timezone.now()
    send(alice, "dora@outside.example", at=now)
    answer(Failed(Reply(550, "5.1.1", HOSTILE)), at=now, host=HOSTILE[:60], dialogue=HOSTILE)
    for url in (
        conversation(alice),
        parcel_url(alice),
        message_url(alice, sent_copy(alice).public_id, "tracking"),
        reverse("mail:outbox", args=[alice.box]),
    ):
        text = page(web, url)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_report_and_its_message_point_at_each_other(web, refused):
    derive_all()
    copy = sent_copy(refused)
    report = Message.objects.get(mailbox=refused.mailbox, folder__role="inbox")
    there = page(web, conversation(refused))
    assert f"#m-{report.public_id}" in there
    assert "Report: not delivered" in there
    back = page(web, thread_url(refused, report.public_id))
    assert "This report is about your message" in back
    assert f"#m-{copy.public_id}" in back


def test_a_conversation_shows_at_once_what_failed_until_its_sender_puts_it_aside(web, refused):
    """The report came last and is read: the message that failed is open all the same."""
    derive_all()
    report = Message.objects.get(mailbox=refused.mailbox, folder__role="inbox")
    url = thread_url(refused, report.public_id)
    page(web, url)
    opened = f'id="m-{sent_copy(refused).public_id}" open'
    assert opened in page(web, url)
    assert f'id="m-{report.public_id}" open' in page(web, url)
    web.post(act_url(refused), {"dismiss": "", "next": url})
    text = page(web, url)
    assert opened not in text
    assert "message__trouble--bad" in text


def test_trying_again_makes_it_due_now(web, late):
    response = web.post(act_url(late), {"retry": "", "next": conversation(late)})
    assert response.status_code == 303
    assert response["Location"] == conversation(late)
    due_at = row().next_attempt_at
    assert due_at is not None
    assert due_at <= timezone.now()
    event = TraceEvent.objects.filter(kind="queued").latest("pk")
    assert event.detail == {"by": late.address}
    assert "We try again now." in page(web, conversation(late))


def test_cancelling_ends_it(web, late):
    web.post(act_url(late), {"cancel": "", "next": conversation(late)})
    assert row().state == "cancelled"
    text = page(web, conversation(late))
    assert "Cancelled for 1 recipient" in text
    assert "Try again now" not in text


def test_all_that_wait_are_cancelled_at_once(web, alice, bob):
    send(alice, bob.address, "dora@a.example", "emil@b.example", at=timezone.now())
    message = row("dora@a.example").message.public_id
    web.post(reverse("mail:parcel_act", args=[alice.box, message]), {"cancel": ""})
    states = dict(QueuedRecipient.objects.values_list("forward_path", "state"))
    assert states == {
        bob.address: "delivered",
        "dora@a.example": "cancelled",
        "emil@b.example": "cancelled",
    }


def test_what_is_being_sent_is_left_alone(web, late):
    until = timezone.now() + timedelta(seconds=30)
    QueuedRecipient.objects.update(lease_until=until, lease_token="0" * 32)
    assert "Being sent now" in page(web, conversation(late))
    web.post(act_url(late), {"cancel": ""})
    assert row().state == "queued"


def test_only_the_two_actions_are_known(web, late):
    assert web.post(act_url(late), {"explode": ""}).status_code == 400
    assert web.get(act_url(late)).status_code == 405
    assert web.post(parcel_url(late)).status_code == 405


def test_a_read_delegate_sees_it_and_cannot_act(reader, late):
    text = page(reader, conversation(late))
    assert "Not delivered yet" in text
    assert "Try again now" not in text
    assert 'name="cancel"' not in text
    assert page(reader, parcel_url(late))
    for verb in ("retry", "cancel"):
        assert reader.post(act_url(late), {verb: ""}).status_code == 403
    assert row().state == "queued"


def test_a_send_delegate_may_act(late, bob, client_of):
    give_access(user=bob.user, mailbox=late.mailbox, role="send")
    assert client_of(bob).post(act_url(late), {"cancel": ""}).status_code == 303
    assert row().state == "cancelled"


def test_strangers_find_nothing(late, bob, mallory, client, client_of):
    fragment = message_url(late, sent_copy(late).public_id, "tracking")
    for stranger in (bob, mallory):
        theirs = client_of(stranger)
        for url in (parcel_url(late), fragment):
            assert theirs.get(url).status_code == 404
        assert theirs.post(act_url(late), {"cancel": ""}).status_code == 404
        # Their own mailbox does not open it either.
        own = reverse("mail:parcel", args=[stranger.box, row().public_id])
        assert theirs.get(own).status_code == 404
        own_act = reverse("mail:parcel_act", args=[stranger.box, row().public_id])
        assert theirs.post(own_act, {"cancel": ""}).status_code == 404
    assert client.get(parcel_url(late)).status_code == 302
    assert client.post(act_url(late), {"cancel": ""}).status_code == 302
    assert row().state == "queued"


def test_the_fragment_leads_back_to_the_conversation(web, late):
    text = page(web, message_url(late, sent_copy(late).public_id, "tracking"))
    assert text.startswith("<details")
    assert f'name="next" value="{conversation(late)}"' in text


def test_many_recipients_cost_the_queries_of_one(web, alice):
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(web, url)
        return len(captured)

    send(alice, "dora@a.example", at=timezone.now())
    few = queries(conversation(alice))
    send(alice, *[f"d{n}@a.example" for n in range(30)], subject="Many", at=timezone.now())
    derive_all()
    assert queries(conversation(alice)) <= few


def test_a_crowd_is_cut_off_and_said_so(web, alice):
    send(alice, *[f"d{n}@a.example" for n in range(60)], at=timezone.now())
    assert "And 10 more recipients." in page(web, conversation(alice))


def test_in_spanish(web, refused):
    web.cookies["language"] = "es"
    text = page(web, conversation(refused))
    assert "No entregado" in text
    assert "Qué puedes hacer:" in text
