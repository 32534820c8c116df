"""What htmx must do for this application (docs/adr: htmx): frame, morph, replay, quick clicks."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from mailcore.models.message import Message
from tests.support.people import PASSWORD, make_person
from tests.webmail.conftest import deliver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _row(page, subject):
    return page.locator("[data-row]", has_text=subject)


def _open(page, subject):
    _row(page, subject).locator("a").click()
    expect(page.frame_locator("iframe").locator("casilla-mail")).to_contain_text("Hi")
    expect(page.locator("iframe")).to_have_attribute("style", re.compile("height"))


def test_a_morph_keeps_frame_height_and_scroll(page, alice):
    deliver(alice, 30)
    page.reload()
    _open(page, "Number 10")
    page.evaluate("window.frameBefore = document.querySelector('iframe')")
    page.evaluate("document.querySelector('#list').scrollTop = 400")
    height = page.evaluate("frameBefore.style.height")
    loads = []
    page.on("request", lambda request: loads.append(request.url) if "/body/" in request.url else 0)
    page.locator("[data-message] button[name=star]").click()
    expect(page.locator("[data-message] button[name=unstar]")).to_be_visible()
    assert page.evaluate("window.frameBefore === document.querySelector('iframe')")
    assert page.evaluate("frameBefore.isConnected && frameBefore.style.height") == height
    assert page.evaluate("document.querySelector('#list').scrollTop") == 400
    assert loads == []


def test_four_quick_clicks_are_four_changes(page, alice):
    ids = deliver(alice, 6)
    page.reload()
    stars = "[...document.querySelectorAll('.row button[name=star]')].slice(0, 4)"
    page.evaluate(f"for (const button of {stars}) button.click()")
    expect(page.locator(".row__star")).to_have_count(4)
    assert Message.objects.filter(public_id__in=ids, is_flagged=True).count() == 4


def test_a_request_refused_for_a_dead_session_is_sent_again_after_signing_in(page, alice):
    ids = deliver(alice, 2)
    page.reload()
    Session.objects.all().delete()
    _row(page, "Number 1").hover()
    _row(page, "Number 1").locator("button[name=archive]").click()
    expect(page.locator("#sign-in")).to_be_visible()
    page.fill("#sign-in [name=login]", alice.address)
    page.fill("#sign-in [name=password]", "wrong password")
    page.click("#sign-in button")
    expect(page.locator("#sign-in [role=alert]")).to_be_visible()
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button")
    expect(page.locator("[data-toast]")).to_contain_text("1 message archived")
    expect(page.locator("#sign-in")).to_be_hidden()
    assert Message.objects.get(public_id=ids[1]).folder.role == "archive"
    _row(page, "Number 0").hover()
    _row(page, "Number 0").locator("button[name=archive]").click()
    expect(page.locator("[data-row]")).to_have_count(0)


def test_giving_up_on_signing_in_changes_nothing_and_shows_the_row_again(page, alice):
    deliver(alice, 1)
    page.reload()
    Session.objects.all().delete()
    _row(page, "Number 0").hover()
    _row(page, "Number 0").locator("button[name=archive]").click()
    expect(page.locator("#sign-in")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-toast]")).to_contain_text("Your session has ended")
    expect(_row(page, "Number 0")).not_to_have_class("row--leaving")


def test_another_person_who_signs_in_gets_their_own_mail(page, alice):
    bob = make_person("bob@crepes.test", name="Bob")
    ids = deliver(alice, 1)
    page.reload()
    Session.objects.all().delete()
    _row(page, "Number 0").hover()
    _row(page, "Number 0").locator("button[name=archive]").click()
    page.fill("#sign-in [name=login]", bob.address)
    page.fill("#sign-in [name=password]", PASSWORD)
    page.click("#sign-in button")
    expect(page.locator(".account__address")).to_have_text(bob.address)
    assert Message.objects.get(public_id=ids[0]).folder.role == "inbox"


def test_a_server_error_is_said_and_never_shown_in_the_page(page, alice):
    deliver(alice, 1)
    page.reload()
    page.route("**/act/", lambda route: route.fulfill(status=500, body="<h1>boom</h1>"))
    _row(page, "Number 0").hover()
    _row(page, "Number 0").locator("button[name=archive]").click()
    expect(page.locator("[data-toast]")).to_contain_text("did not work")
    expect(page.locator("h1", has_text="boom")).to_have_count(0)
    expect(page.locator("[data-row]")).to_have_count(1)
