"""The outbox: its lists, its pages, and whose it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from mailcore.directory import resolve
from mailcore.models.queue import QueuedMessage
from tests.support.parcels import BUSY, NOBODY, OK, answer, send
from tests.support.people import Person
from tests.support.writing import save
from tests.webmail.mail.pages import folder_url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _direct(settings):
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()


def url(who: Person, query: str = "") -> str:
    return reverse("mail:outbox", args=[who.box]) + query


def page(web, address: str) -> str:
    response = web.get(address)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


@pytest.fixture
def posts(alice: Person) -> Person:
    """Alice, with one letter in each list and one that has arrived."""
    now = timezone.now()
    send(alice, "dora@a.example", subject="Refused", at=now)
    answer(NOBODY, at=now)
    send(alice, "dora@b.example", subject="Arrived", at=now)
    answer(OK, at=now)
    send(alice, "dora@c.example", subject="Late", at=now)
    answer(BUSY, at=now)
    send(alice, "dora@d.example", subject="Tomorrow", at=now, not_before=now + timedelta(days=1))
    return alice


def test_an_empty_outbox_says_so(web, alice):
    assert "Nothing waiting" in page(web, url(alice))
    assert "Everything was delivered" in page(web, url(alice, "?show=failed"))


def test_what_went_wrong_comes_first(web, posts):
    text = page(web, url(posts))
    order = [text.index(f">{name}</bdi>") for name in ("Refused", "Tomorrow", "Late")]
    assert order == sorted(order)
    assert "Arrived" not in text
    assert "That address does not exist there." in text


@pytest.mark.parametrize(
    ("show", "subject"), [("failed", "Refused"), ("scheduled", "Tomorrow"), ("sending", "Late")]
)
def test_each_list_shows_its_own(web, posts, show, subject):
    text = page(web, url(posts, f"?show={show}"))
    found = [name for name in ("Refused", "Tomorrow", "Late") if f">{name}</bdi>" in text]
    assert found == [subject]


def test_a_list_that_is_unknown_shows_all(web, posts):
    text = page(web, url(posts, "?show=nonsense&before=abc"))
    assert text.count('<li class="posted ') == 3


def test_older_ones_are_a_page_on(web, alice):
    for number in range(52):
        send(alice, "dora@a.example", subject=f"Number {number}", at=timezone.now())
    first = page(web, url(alice))
    assert "Number 51<" in first
    assert "Number 1<" not in first
    middle = QueuedMessage.objects.order_by("-pk")[49].pk
    assert f"before={middle}" in first
    second = page(web, url(alice, f"?before={middle}"))
    assert "Number 1<" in second
    assert "Show older" not in second


def test_a_full_page_costs_the_queries_of_one_letter(web, alice):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(web, url(alice))
        return len(captured)

    send(alice, "dora@a.example", at=timezone.now())
    page(web, url(alice))  # from here on the kept searches are remembered
    few = queries()
    for number in range(20):
        send(alice, f"d{number}@a.example", "emil@b.example", at=timezone.now())
    assert queries() == few
    assert few <= 8


def test_a_full_page_stays_small(web, alice):
    for number in range(50):
        send(alice, f"d{number}@a.example", at=timezone.now())
    answer(*[NOBODY] * 50, at=timezone.now())
    response = web.get(url(alice), headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 14_000


def test_a_read_delegate_sees_it_without_buttons(reader, posts):
    text = page(reader, url(posts))
    assert ">Late</bdi>" in text
    assert 'name="cancel"' not in text
    assert 'name="retry"' not in text


def test_it_is_nobody_elses(posts, bob, mallory, client, client_of):
    for stranger in (bob, mallory):
        assert client_of(stranger).get(url(posts)).status_code == 404
        assert "Late" not in page(client_of(stranger), url(stranger))
    assert client.get(url(posts)).status_code == 302
    assert client_of(posts).post(url(posts)).status_code == 405


def test_what_waits_as_a_draft_is_taken_back_and_not_cancelled(web, alice):
    now = timezone.now()
    draft = save(alice, subject="Tomorrow")
    send(alice, "dora@d.example", subject="Tomorrow", at=now, not_before=now + timedelta(days=1))
    message = QueuedMessage.objects.get()
    message.draft_id = draft.pk
    message.save()
    text = page(web, url(alice))
    assert reverse("mail:unsend", args=[alice.box, draft.id]) in text
    assert 'name="cancel"' not in text
    web.post(reverse("mail:parcel_act", args=[alice.box, message.public_id]), {"cancel": ""})
    assert message.recipients.get().state == "queued"


def test_what_waits_without_a_draft_can_be_dropped(web, posts):
    text = page(web, url(posts, "?show=scheduled"))
    assert "Do not send" in text
    message = QueuedMessage.objects.latest("pk")
    web.post(reverse("mail:parcel_act", args=[posts.box, message.public_id]), {"cancel": ""})
    assert message.recipients.get().state == "cancelled"


def test_what_has_not_begun_can_be_edited_and_what_has_not(web, alice):
    for address in ("dora@a.example", "emil@b.example"):
        send(alice, address, at=timezone.now())
        draft = save(alice, subject=address)
        QueuedMessage.objects.filter(draft=None).update(draft_id=draft.pk)
        if address.startswith("dora"):
            answer(BUSY, at=timezone.now())
    text = page(web, url(alice))
    assert text.count("Take back and edit") == 1
    assert reverse("mail:unsend", args=[alice.box, draft.id]) in text


def test_what_was_lost_is_dismissed_and_stays_in_sent(web, posts):
    message = QueuedMessage.objects.order_by("pk")[0]
    act = reverse("mail:parcel_act", args=[posts.box, message.public_id])
    assert page(web, url(posts)).count('name="dismiss"') == 1
    assert web.post(act, {"dismiss": "", "next": url(posts)}).status_code == 303
    text = page(web, url(posts))
    assert ">Refused</bdi>" not in text
    assert "Taken off the outbox." in text
    assert message.recipients.get().state == "failed"


def test_every_page_says_how_many_wait_or_failed(web, posts):
    web.get(folder_url(posts))  # brings the CSRF cookie, which is part of the tag
    folder = web.get(folder_url(posts))
    assert re.search(r'Outbox</span><span class="rail__count">3</span>', folder.content.decode())
    message = QueuedMessage.objects.order_by("pk")[0]
    web.post(reverse("mail:parcel_act", args=[posts.box, message.public_id]), {"dismiss": ""})
    web.get(folder_url(posts))  # says that it was dismissed
    again = web.get(folder_url(posts), headers={"If-None-Match": folder["ETag"]})
    assert re.search(r'Outbox</span><span class="rail__count">2</span>', again.content.decode())


def test_in_spanish(web, posts):
    web.cookies["language"] = "es"
    text = page(web, url(posts))
    assert "Bandeja de salida" in text
    assert "Aún no entregado" in text
