"""Operators that look further: who wrote for the first time, what became of sent mail."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.models.message import Message
from mailcore.queue.fates import fates
from tests.support.deliveries import make_message
from tests.support.mail_builders import derive_all, store
from tests.support.parcels import BUSY, NOBODY, OK, answer, send
from tests.webmail.mail.pages import act_url


def _mail(person, subject, *, sender="Dora <dora@x.test>", days=0, role="inbox"):
    raw = make_message(message_id=f"{subject}@m.test", subject=subject, sender=sender)
    at = timezone.now() - timedelta(days=days)
    return store(raw, mailbox=person.mailbox, at=at, role=role)[0]


def _sent(person, subject, *results):
    """Send to as many people as there are answers, and let hosts answer so."""
    at = timezone.now()
    hosts = [f"{subject}{n}.example" for n in range(len(results))]
    send(person, *(f"dora@{host}" for host in hosts), subject=subject, at=at)
    answer(*results, at=at)


def _found(web, person, query):
    """Return the subjects that a search finds, and what the page says about the query."""
    context = web.get(reverse("mail:search", args=[person.box], query={"q": query})).context
    return [row.subject for row in context["found"].rows], context["problems"]


# --- is:first ---


def test_the_first_message_of_each_sender_is_found(web, alice):
    _mail(alice, "one", days=9)
    _mail(alice, "two", days=2)
    _mail(alice, "other", sender="Eve <eve@x.test>", days=1)
    assert _found(web, alice, "is:first") == (["other", "one"], [])
    assert _found(web, alice, "-is:first") == (["two"], [])
    assert _found(web, alice, "es:primero newer_than:3d")[0] == ["other"]


def test_words_and_first_senders_go_together(web, alice):
    _mail(alice, "plan old", days=9)
    _mail(alice, "plan new", days=2)
    derive_all()
    assert _found(web, alice, "plan is:first")[0] == ["plan old"]
    assert _found(web, alice, "new OR is:first")[0] == ["plan new", "plan old"]


def test_mail_in_trash_counts_as_earlier_and_that_of_others_does_not(web, alice, bob):
    _mail(alice, "gone", days=9, role="trash")
    _mail(alice, "here", days=2)
    _mail(bob, "theirs", sender="Eve <eve@x.test>", days=9)
    _mail(alice, "mine", sender="Eve <eve@x.test>", days=1)
    assert _found(web, alice, "is:first")[0] == ["mine"]


def test_own_mail_and_mail_of_nobody_is_not_from_a_first_sender(web, alice):
    _mail(alice, "out", sender=f"Alice <{alice.address}>", role="sent")
    _mail(alice, "bare", sender="nobody at all")
    assert _found(web, alice, "is:first")[0] == []


def test_two_messages_of_one_moment_have_one_first(web, alice):
    at = timezone.now()
    for n in (1, 2):
        store(make_message(message_id=f"{n}@m.test", subject=f"{n}"), mailbox=alice.mailbox, at=at)
    assert _found(web, alice, "is:first")[0] == ["1"]


# --- delivery: ---


@pytest.fixture
def posted(alice, settings):
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()
    _sent(alice, "reached", OK, OK)
    _sent(alice, "lost", OK, NOBODY)
    _sent(alice, "late", BUSY, OK)
    send(alice, "x@begun.example", subject="begun", at=timezone.now())


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("delivery:failed", ["lost"]),
        ("delivery:delayed", ["late"]),
        ("entrega:entregada", ["reached"]),
        ("-delivery:delivered in:sent", ["begun", "late", "lost"]),
        ("delivery:failed OR delivery:delayed", ["late", "lost"]),
    ],
)
def test_what_became_of_sent_mail_is_found_and_its_limit_told(web, alice, posted, query, subjects):
    found, problems = _found(web, alice, query)
    assert sorted(found) == subjects
    assert any("30 days" in text for text in problems)


def test_only_a_search_for_deliveries_asks_the_queue(web, alice, posted):
    counts = []
    for query in ("is:read", "delivery:failed"):
        with CaptureQueriesContext(connection) as captured:
            _found(web, alice, query)
        counts.append(sum("queuedrecipient" in one["sql"] for one in captured))
    assert counts[1] == counts[0] + 3


def test_the_fate_of_a_message_is_of_its_own_mailbox(web, client_of, alice, mallory, posted):
    assert _found(client_of(mallory), mallory, "delivery:failed")[0] == []
    assert not any(fates(mailbox_id=mallory.mailbox.pk).values())


def test_all_that_failed_is_changed_together(web, alice, posted):
    web.post(act_url(alice), {"star": "", "all": "1", "list": "q=delivery:failed"})
    starred = Message.objects.filter(is_flagged=True)
    assert [row.content.subject for row in starred] == ["lost"]


# --- header: ---


def test_headers_that_are_indexed_are_found_and_others_only_beside_the_rest(web, alice):
    _mail(alice, "plan")
    derive_all()
    assert _found(web, alice, "header:Subject:plan") == (["plan"], [])
    assert _found(web, alice, "header:Message-ID:plan@m.test")[0] == ["plan"]
    found, problems = _found(web, alice, "plan header:X-Spam:yes")
    assert (found, problems) == ([], [])
    found, problems = _found(web, alice, "nothing OR header:Date")
    assert found == []
    assert problems == ["This part finds nothing in this version."]


def test_what_can_be_asked_is_offered(web, alice):
    url = reverse("mail:suggest", args=[alice.box])
    offered = {
        typed: [offer[0] for offer in web.get(url, {"q": typed}).json()["offers"]]
        for typed in ("delivery:", "is:fi", "is:forw", "auth:")
    }
    assert "delivery:failed " in offered["delivery:"]
    assert offered["is:fi"] == ["is:first "]
    assert offered["is:forw"] == ["is:forwarded "]
    assert offered["auth:"] == []
