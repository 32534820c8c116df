"""The notifications page says what the browser allows, and asks it when a button is pressed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

PAGE = "/settings/notifications/"
ASK = "Ask the browser"
NOT_ASKED = "has not been asked yet"

# A stand-in for the browser's dialog, which headless Chromium answers with "denied" by itself.
ANSWER = """self.Notification = class { static permission = "default";
  static async requestPermission() { return (self.Notification.permission = "%s"); } };"""


@pytest.mark.parametrize(
    ("answer", "told"),
    [("granted", "shows notifications of this site"), ("denied", "You can allow them in")],
)
def test_a_button_asks_and_the_answer_is_told_in_words(context, alice, answer, told):
    page = context().new_page()
    page.add_init_script(ANSWER % answer)
    sign_in(page, alice)
    page.goto(PAGE)
    expect(page.get_by_text(NOT_ASKED)).to_be_visible()
    page.get_by_role("button", name=ASK).click()
    expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
    expect(page.get_by_role("button", name=ASK)).to_be_hidden()
    expect(page.get_by_text(NOT_ASKED)).to_be_hidden()


def test_without_notifications_or_script_there_is_nothing_to_ask(context, alice):
    page = context().new_page()
    page.add_init_script("delete self.Notification;")
    sign_in(page, alice)
    page.goto(PAGE)
    expect(page.get_by_role("button", name=ASK)).to_be_hidden()
    plain = context(java_script_enabled=False).new_page()
    sign_in(plain, alice)
    plain.goto(PAGE)
    expect(plain.get_by_role("button", name="Save")).to_be_visible()
    expect(plain.locator("[data-permission]")).to_be_hidden()
