"""The list in Chromium: keys, palette, select-all, drag."""

import pytest
from playwright.sync_api import expect

from mailcore.models.message import Message
from mailcore.personal import preferences
from mailcore.store import folders, jobs, labels
from tests.browser.conftest import sign_in
from tests.support.many import store_many
from tests.webmail.conftest import deliver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_keys_select_a_range_and_by_state_and_go_places(page, alice):
    deliver(alice, 5)
    page.reload()
    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator(".row__check:checked")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".row__check:checked")).to_have_count(0)
    page.keyboard.type("*u")
    expect(page.locator(".row__check:checked")).to_have_count(5)
    page.keyboard.type("*n")
    page.keyboard.type("gs")
    page.wait_for_url("**/starred/")
    page.keyboard.type("ga")
    page.wait_for_url("**/all/")


def test_the_palette_finds_places_without_accents_and_actions(page, alice):
    folders.create(mailbox=alice.mailbox, name="Año nuevo")
    deliver(alice, 1)
    page.reload()
    page.keyboard.press("Control+k")
    page.keyboard.type("ano nu")
    expect(page.get_by_role("option")).to_have_text(["Año nuevo"])
    page.keyboard.press("Enter")
    expect(page.locator(".list h1")).to_have_text("Año nuevo")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzz")
    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_all_messages_are_archived_with_progress_and_undone(page, alice):
    store_many(mailbox=alice.mailbox, count=600)
    page.reload()
    page.keyboard.type("*m")
    expect(page.locator("[data-selected-count]")).to_have_text("600 selected")
    page.keyboard.press("e")
    expect(page.get_by_text("Working on 600 messages")).to_be_visible()
    jobs.work()
    expect(page.locator("[data-toast]")).to_contain_text("600 messages archived")
    page.keyboard.press("z")
    expect(page.locator("[data-toast]")).to_contain_text("Undone")
    assert alice.folder().total_count == 600


def test_deleting_for_good_asks_in_a_dialog(page, alice):
    deliver(alice, 2, role="trash")
    page.locator("[data-role=trash]").click()
    expect(page.locator("[data-row]")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("Shift+Delete")
    expect(page.locator("#sure")).to_be_visible()
    page.locator("#sure").get_by_role("button", name="Cancel").click()
    assert alice.folder("trash").total_count == 2
    page.locator("[data-row]").first.locator("[data-open]").focus()
    page.keyboard.press("Shift+Delete")
    page.locator("#sure").get_by_role("button", name="Delete for good").click()
    expect(page.locator("[data-toast]")).to_contain_text("1 message deleted for good")
    assert alice.folder("trash").total_count == 1


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("menu", ["[data-move]", "[data-label]", "[aria-label=More]"])
def test_no_menu_of_a_selection_is_cut_off(context, alice, menu, width):
    labels.create(mailbox=alice.mailbox, name="Work")
    deliver(alice, 1)
    page = context(viewport={"width": width, "height": 700}).new_page()
    sign_in(page, alice)
    page.locator(".row__check").check()
    page.locator(f".bulk {menu}").click()
    panel = page.locator(".bulk details[open] .menu__panel").bounding_box()
    pane = page.locator(".list").bounding_box()
    assert panel["x"] >= pane["x"]
    assert panel["x"] + panel["width"] <= pane["x"] + pane["width"]


def test_a_label_is_put_on_an_open_conversation_by_key(page, alice):
    labels.create(mailbox=alice.mailbox, name="Work")
    deliver(alice, 1)
    page.reload()
    page.locator("[data-row] [data-open]").click()
    expect(page.locator("#reading h1")).to_have_text("Number 0")
    page.keyboard.press("l")
    page.keyboard.press("Enter")
    expect(page.locator(".thread__labels")).to_have_text("Work")
    expect(page.locator("#reading h1")).to_have_text("Number 0")
    page.keyboard.press("s")
    expect(page.locator(".thread__bar [name=unstar]")).to_be_visible()


def test_a_row_is_dragged_to_a_folder(page, alice):
    deliver(alice, 2)
    page.reload()
    page.wait_for_timeout(300)
    page.locator("[data-row]").first.drag_to(page.locator("[data-role=archive]"))
    expect(page.locator("[data-toast]")).to_contain_text("1 message moved")
    assert alice.folder("archive").total_count == 1


def test_after_archiving_the_next_one_opens_for_whoever_wants_that(page, alice):
    preferences.save(alice.user, after_action="next", mark_read="after_2s")
    ids = deliver(alice, 3)
    page.reload()
    page.locator("[data-row]").first.locator("[data-open]").click()
    expect(page.locator("#reading h1")).to_have_text("Number 2")
    expect(page.locator("[data-row]").first).to_have_class("row row--unread row--current")
    page.wait_for_timeout(2600)
    assert Message.objects.get(public_id=ids[2]).is_seen
    page.keyboard.press("e")
    expect(page.locator("#reading h1")).to_have_text("Number 1")
    expect(page.locator("[data-row]")).to_have_count(2)
