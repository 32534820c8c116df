"""Searching in Chromium by keyboard alone: the box, offers, the form, results and the way back."""

import pytest
from playwright.sync_api import expect

from mailcore.personal import contacts
from tests.support.mail_builders import derive_all
from tests.support.people import MADE_AT
from tests.webmail.conftest import deliver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_search_is_made_opened_and_left_by_keyboard(page, alice):
    deliver(alice, 3)
    derive_all()
    page.keyboard.press("/")
    page.keyboard.type("number 1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.wait_for_load_state()
    results = page.url
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("#reading h1")).to_have_text("Number 1")
    page.go_back()
    expect(page.locator("[data-nothing]")).to_be_visible()
    assert page.url == results


def test_offers_and_the_form_change_the_query(page, alice):
    known = [contacts.Person("Dora Ruiz", "dora@x.test")]
    contacts.remember(user=alice.user, people=known, now=MADE_AT)
    page.keyboard.press("/")
    page.keyboard.type("plan dor")
    expect(page.locator("#search-offers [role=option]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#q").get_attribute("aria-activedescendant")
    expect(page.locator(f"#{chosen}")).to_contain_text("Dora Ruiz")
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_have_value("plan from:dora@x.test ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#f-from")).to_have_value("dora@x.test")
    page.locator("#f-without").fill("old")
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_have_value("from:dora@x.test plan -old")
    expect(page.locator(".chip")).to_have_count(3)
