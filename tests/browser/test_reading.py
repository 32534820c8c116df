"""Reading in Chromium: open, act, undo, keys; with and without scripts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.support.mail_builders import store
from tests.webmail.conftest import deliver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _row(page, subject):
    return page.locator("[data-row]", has_text=subject)


def test_a_conversation_opens_beside_the_list_without_a_new_page(page, alice):
    deliver(alice, 3)
    page.reload()
    page.evaluate("window.same = true")
    _row(page, "Number 2").locator("a").click()
    expect(page.locator("#reading h1")).to_have_text("Number 2")
    assert "/t/" in page.url
    assert page.evaluate("window.same")
    expect(_row(page, "Number 2")).to_have_class("row row--current")
    expect(page.frame_locator("iframe").locator("casilla-mail")).to_contain_text("Hi")
    expect(page.locator("[data-role=inbox] .rail__count")).to_contain_text("2")


def test_back_shows_the_list_again_without_a_request(page, alice):
    deliver(alice, 2)
    page.reload()
    _row(page, "Number 1").locator("a").click()
    page.wait_for_selector("#reading h1")
    requests = []
    page.on("request", lambda one: requests.append(one.url) if "/mail/" in one.url else 0)
    page.go_back()
    expect(page.locator("[data-nothing]")).to_be_visible()
    assert requests == []
    page.go_forward()
    expect(page.locator("#reading h1")).to_have_text("Number 1")


def test_archive_takes_the_row_away_and_undo_brings_it_back(page, alice):
    deliver(alice, 2)
    page.reload()
    _row(page, "Number 1").hover()
    _row(page, "Number 1").locator("button[name=archive]").click()
    expect(page.locator("[data-toast]")).to_contain_text("1 message archived")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("[data-toast]")).to_contain_text("Undone")


def test_selected_conversations_are_changed_together(page, alice):
    deliver(alice, 4)
    page.reload()
    page.locator("[data-select-all]").check()
    expect(page.locator("[data-selected-count]")).to_have_text("4 selected")
    page.locator(".bulk button[name=trash]").click()
    expect(page.locator("[data-toast]")).to_contain_text("4 messages moved to Trash")
    expect(page.locator("[data-row]")).to_have_count(0)


def test_keys_move_open_and_archive(page, alice):
    deliver(alice, 3)
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("#reading h1")).to_have_text("Number 1")
    page.keyboard.press("e")
    expect(page.locator("[data-toast]")).to_contain_text("1 message archived")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_a_key_pressed_in_the_mail_reaches_the_page(page, alice):
    deliver(alice, 2)
    page.reload()
    _row(page, "Number 1").locator("a").click()
    page.frame_locator("iframe").locator("casilla-mail").click()
    page.keyboard.press("u")
    expect(page.locator("[data-nothing]")).to_be_visible()


def test_a_forged_message_is_ignored(page, alice):
    deliver(alice, 1)
    page.reload()
    _row(page, "Number 0").locator("a").click()
    frame = page.locator("iframe")
    expect(page.frame_locator("iframe").locator("casilla-mail")).to_contain_text("Hi")
    expect(frame).to_have_attribute("style", re.compile("height"))
    before = frame.evaluate("frame => frame.style.height")
    page.evaluate("postMessage({kind: 'size', height: 9999, width: 9999}, '*')")
    page.evaluate("postMessage({kind: 'key', key: 'e'}, '*')")
    page.wait_for_timeout(300)
    assert frame.evaluate("frame => frame.style.height") == before
    expect(page.locator("#reading h1")).to_have_text("Number 0")


def test_without_scripts_everything_is_reached_by_links_and_buttons(context, alice):
    deliver(alice, 2)
    page = context(java_script_enabled=False).new_page()
    sign_in(page, alice)
    _row(page, "Number 1").locator("a").click()
    expect(page.locator("#reading h1")).to_have_text("Number 1")
    expect(page.frame_locator("iframe").locator("casilla-mail")).to_contain_text("Hi")
    page.locator("[data-thread-form] button[name=archive]").click()
    expect(page.locator("[data-toast]")).to_contain_text("1 message archived")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("[data-undo]").click()
    expect(page.locator("[data-row]")).to_have_count(2)
    page.locator(".account summary").click()
    page.locator("[name=theme][value=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".account summary").click()
    page.locator("text=Sign out").click()
    expect(page.locator("[name=password]")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_never_scrolls_sideways(context, alice, width):
    deliver(alice, 3)
    page = context(viewport={"width": width, "height": 700}).new_page()
    sign_in(page, alice)
    wide = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wide)
    page.locator(".opens-rail").click()
    expect(page.locator("#rail")).to_be_visible()
    page.keyboard.press("Escape")
    _row(page, "Number 1").locator("a").click()
    page.wait_for_selector("#reading h1")
    expect(page.locator("#list")).to_be_hidden()
    assert not page.evaluate(wide)
    page.locator("[data-back]").click()
    expect(page.locator("#list")).to_be_visible()


def test_show_more_appends_the_next_page(page, alice):
    deliver(alice, 55)
    page.reload()
    page.locator("#more a").click()
    expect(page.locator("[data-row]")).to_have_count(55)
    expect(page.locator("#more")).to_have_count(0)


WIDE = (
    b"From: News <n@x.test>\r\nTo: a@y.test\r\nSubject: Wide\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b'<table width="620"><tr><td bgcolor="#ffcc00">A newsletter of 620 pixels</td></tr></table>'
)


def test_a_wide_newsletter_is_scaled_to_a_phone(context, alice):
    store(WIDE, mailbox=alice.mailbox)
    page = context(viewport={"width": 390, "height": 800}).new_page()
    sign_in(page, alice)
    _row(page, "Wide").locator("a").click()
    expect(page.locator("iframe")).to_have_attribute("style", re.compile("scale"))
    edge = page.locator("iframe").evaluate("frame => frame.getBoundingClientRect().right")
    assert edge <= 390
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_frame_has_the_theme_of_the_page(context, alice):
    deliver(alice, 1)
    page = context(color_scheme="dark").new_page()
    sign_in(page, alice)
    _row(page, "Number 0").locator("a").click()
    body = page.frame_locator("iframe").locator("html[data-theme=dark]")
    expect(body).to_have_count(1)


def test_the_account_menu_opens_within_the_window(page):
    page.locator(".account summary").click()
    panel = page.locator(".account .menu__panel")
    expect(panel).to_be_in_viewport(ratio=1)
    page.locator(".list h1").click()
    expect(panel).to_be_hidden()
