"""Several mailboxes in Chromium: unfolded in the rail, all inboxes in one list, axe on both."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from mailcore.models.message import Message
from tests.browser.conftest import sign_in
from tests.support.people import give_access, make_person
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OPTIONS = {"iframes": False, "resultTypes": ["violations"]}


@pytest.fixture
def shared(alice):
    """Two mailboxes with mail: one that Alice may send from, one that she may only read."""
    made = {role: make_person(f"{role}@crepes.test") for role in ("read", "send")}
    for role, person in made.items():
        give_access(user=alice.user, mailbox=person.mailbox, role=role)
        deliver(person, 2)
    deliver(alice, 2)
    return made


def _box(page, person):
    return page.locator(f'[data-box="{person.box}"]')


def test_a_mailbox_stays_unfolded_from_page_to_page(page, alice, shared):
    page.reload()
    box = _box(page, shared["send"])
    expect(box.get_by_role("link").first).to_be_hidden()
    box.locator("summary").press("Enter")
    expect(box.get_by_role("link").first).to_be_visible()
    page.click("[data-role=starred]")
    page.wait_for_url("**/starred/")
    expect(_box(page, shared["send"])).to_have_attribute("open", "")
    expect(_box(page, shared["read"])).not_to_have_attribute("open", "")


def test_without_scripts_the_folders_are_a_click_away(context, alice, shared):
    page = context(java_script_enabled=False).new_page()
    sign_in(page, alice)
    box = _box(page, shared["send"])
    box.locator("summary").click()
    box.get_by_role("link").first.click()
    page.wait_for_url(f"**{folder_url(shared['send'])}")
    expect(page.locator("[data-row]")).not_to_have_count(0)


def test_keys_work_in_the_list_of_all_inboxes(page, alice, shared):
    page.goto(reverse("mail:inboxes", args=[alice.box]))
    page.wait_for_load_state()
    expect(page.locator("[data-row]")).to_have_count(6)
    page.keyboard.type("*a")
    expect(page.locator(".row__check:checked")).to_have_count(4)
    page.keyboard.type("e")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator(".toast")).to_have_count(2)
    here = Message.objects.filter(folder__role="inbox").values_list("mailbox", flat=True)
    assert set(here) == {shared["read"].mailbox.pk}
    page.locator("[data-row] [data-open]").first.click()
    expect(page.locator("[data-thread]")).to_be_visible()
    expect(page.locator("#list h1")).to_have_text("All inboxes")
    page.keyboard.press("u")
    expect(page.locator("[data-thread]")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(context, live_server, alice, shared, theme, width):
    page = context(
        color_scheme=theme, reduced_motion="reduce", viewport={"width": width, "height": 800}
    ).new_page()
    sign_in(page, alice)
    page.context.add_cookies(
        [{"name": "boxes", "value": str(shared["read"].box), "url": live_server.url}]
    )
    page.goto(reverse("mail:inboxes", args=[alice.box]))
    page.wait_for_load_state()
    if width < 700:
        page.click("#list .opens-rail")
    expect(_box(page, shared["read"]).get_by_role("link").first).to_be_visible()
    assert Axe().run(page, options=OPTIONS).response["violations"] == []
