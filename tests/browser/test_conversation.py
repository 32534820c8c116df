"""An open conversation in Chromium: remote images on request, all messages at once, attachments."""

import hashlib
import time
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Route, expect

from mailcore.models.remote import RemoteImage
from tests.browser.conftest import sign_in
from tests.support.canary import picture as make_picture
from tests.support.mail_builders import derive_all, store
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import thread_url
from tests.webmail.mail.test_files import mixed, part
from tests.webmail.mail.test_remote import html_mail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BOXES = """(all) => all.map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return { x, y, width, height };
})"""
URL = "https://shop.example/a.png"


@pytest.fixture
def shop(alice):
    octets = make_picture("PNG", (40, 30))
    RemoteImage.objects.create(
        key=hashlib.sha256(URL.encode()).digest(),
        content_type="image/png",
        size=len(octets),
        data=octets,
        fetched_at=timezone.now(),
    )
    raw = html_mail(f"<p>Sale</p><img src='{URL}' alt=Lamp>")
    public_id = store(raw, mailbox=alice.mailbox)[0]
    derive_all()
    return public_id


def test_a_key_pressed_in_the_mail_shows_its_images(page, alice, shop):
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(thread_url(alice, shop))
    page.frame_locator("iframe").locator("p").click()
    page.keyboard.press("i")
    expect(page.locator("[data-blocked]")).to_have_count(0)
    picture = page.frame_locator("iframe").locator("img")
    expect(picture).to_have_js_property("naturalWidth", 40)
    assert not [url for url in asked if "shop.example" in url]


def test_images_are_shown_once_without_script(context, page, alice, shop):
    cookies = page.context.cookies()
    plain = context(java_script_enabled=False)
    plain.add_cookies(cookies)
    opened = plain.new_page()
    opened.goto(thread_url(alice, shop))
    opened.click("[data-images]")
    expect(opened.locator("[data-blocked]")).to_have_count(0)
    expect(opened.frame_locator("iframe").locator("img")).to_have_attribute("alt", "Lamp")


def test_all_messages_unfold_and_fold_by_key(page, alice):
    ids = deliver(alice, 3, thread=True)
    page.goto(thread_url(alice, ids[0]))
    page.keyboard.press(":")
    expect(page.locator("[data-message][open]")).to_have_count(1)
    page.keyboard.press(";")
    expect(page.locator("[data-message][open]")).to_have_count(3)


def test_a_picture_is_previewed_and_a_message_in_a_message_framed(page, alice):
    inner = b"Subject: Inner\r\nContent-Type: text/html\r\n\r\n<p>Deep</p>"
    mail = mixed(
        alice,
        part("image/png", make_picture("PNG", (900, 600)), "a.png"),
        part("message/rfc822", inner, "b.eml", plain=True),
    )
    page.goto(thread_url(alice, mail))
    preview = page.locator(".file__preview")
    preview.scroll_into_view_if_needed()
    assert preview.evaluate("async (i) => { await i.decode(); return i.naturalWidth; }") == 480
    page.click("a.attachment:has-text('b.eml')")
    expect(page.frame_locator("iframe").locator("p")).to_have_text("Deep")


def _after(late_s: float) -> Callable[[Route], None]:
    def let(route: Route) -> None:
        time.sleep(late_s)
        route.continue_()

    return let


@pytest.mark.parametrize("late_s", [0, 1.5], ids=["", "scripts come after the frame"])
def test_wide_mail_fits_a_phone_and_can_be_seen_in_its_size(context, page, alice, late_s):
    wide = html_mail("<table width=900><tr><td>Wide</td><td align=right>End</td></tr></table>")
    mail = store(wide, mailbox=alice.mailbox)[0]
    derive_all()
    cookies = page.context.cookies()
    phone = context(viewport={"width": 390, "height": 800})
    phone.add_cookies(cookies)
    opened = phone.new_page()
    opened.route("**/js/frames*", _after(late_s))
    opened.goto(thread_url(alice, mail))
    zoom, frame = opened.locator("[data-zoom]"), opened.locator("iframe")
    expect(zoom).to_be_visible()
    fitted = frame.bounding_box()["width"]
    zoom.click()
    assert frame.bounding_box()["width"] > 1.9 * fitted
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_three_answers_stand_in_one_row_on_a_narrow_phone(context, alice):
    (letter,) = deliver(alice)
    phone = {"width": 320, "height": 640}
    page = context(locale="es-ES", viewport=phone, is_mobile=True, has_touch=True).new_page()
    sign_in(page, alice)
    page.goto(thread_url(alice, letter))
    boxes = page.locator(".answers .button").evaluate_all(BOXES)  # at one moment
    assert len(boxes) == 3
    assert len({box["y"] for box in boxes}) == 1
    assert max(box["x"] + box["width"] for box in boxes) <= 320 - 16
    assert min(box["height"] for box in boxes) >= 44
