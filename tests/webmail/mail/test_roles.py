"""Whoever may only read a mailbox is offered no change of it on any page."""

import re

import pytest
from django.urls import reverse

from mailcore.store import labels
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, message_url, thread_url

_OWN = ("logout", "preferences", "search", "sender", "saved")  # what is the person's alone
_FORM = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]+)".*?</form>', re.S)
_ASKED = re.compile(r'<button(?![^>]*\sform=)[^>]*\sname="|type="checkbox"')  # of this form


def _pages(person) -> list[str]:
    ids = deliver(person, 2, thread=True)
    labels.create(mailbox=person.mailbox, name="Work")
    spam = store(make_message(message_id="j@m"), mailbox=person.mailbox, role="junk")
    names = ("starred", "all", "inboxes", "outbox")
    searched = reverse("mail:search", args=[person.box])
    return [
        *(folder_url(person, role) for role in ("inbox", "junk", "trash", "drafts", "sent")),
        *(reverse(f"mail:{name}", args=[person.box]) for name in names),
        *(f"{searched}?q={query}" for query in ("in:anywhere", "in:anywhere&all=1")),
        thread_url(person, ids[0]),
        thread_url(person, spam[0], role="junk"),
        message_url(person, ids[0], "headers"),
        message_url(person, ids[0], "source"),
    ]


def _offers(client, person, where: str) -> list[str]:
    """Return addresses of forms and links of a page that would change this mailbox."""
    page = client.get(where)
    assert page.status_code == 200
    html = page.content.decode()
    box = f"/mail/{person.box}/"
    asks = [form for form in _FORM.finditer(html) if _ASKED.search(form[0])]
    forms = [form[1] for form in asks if form[1].startswith(box)]
    links = re.findall(rf'(?:href|formaction)="({box}compose/[^"]*)"', html)
    return [*(p for p in forms if p.strip("/").split("/")[-1] not in _OWN), *links]


def test_who_may_change_a_mailbox_is_offered_it(web, alice):
    found = {where: _offers(web, alice, where) for where in _pages(alice)}
    assert all(found.values()), found


def test_who_may_only_read_is_offered_nothing(reader, alice):
    found = {where: _offers(reader, alice, where) for where in _pages(alice)}
    assert not any(found.values()), found


@pytest.mark.parametrize("name", ["folders", "labels"])
def test_settings_of_a_mailbox_are_its_owners(reader, alice, name):
    assert f"/settings/{name}/{alice.box}/" not in reader.get(folder_url(alice)).content.decode()
