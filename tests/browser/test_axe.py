"""axe-core finds nothing on any page and nothing scrolls sideways: themes, languages, widths.

Pages come from the access matrix, with long and hostile words in them (`everywhere`); what opens
on a page by hand has a test of its own. Frames are left out: axe cannot enter an opaque origin,
and their content is the sender's.
"""

import os
from collections.abc import Iterator
from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from mailcore.directory import resolve
from tests.browser.everywhere import ROLES, Everywhere, crowd
from tests.webmail.access_world import make_world
from tests.webmail.mail.pages import folder_url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
OPTIONS = {"iframes": False, "resultTypes": ["violations"]}
DESK, ZOOMED, PHONE = 1280, 640, 390
# In CI every page in both languages, both themes and both widths, two looks; all eight together
# differ in colours and words alone and take many minutes: TEST_ALL_LOOKS=1.
LOOKS = [("en-GB", "light", DESK), ("es-ES", "dark", PHONE)]
if os.environ.get("TEST_ALL_LOOKS"):
    LOOKS = list(product(("en-GB", "es-ES"), ("light", "dark"), (DESK, PHONE)))
NARROW = 320  # WCAG 1.4.10, and 1280 at 400 %
# Scrolled by hand and said so: code, and tables or frames that are wider than a phone.
SIDEWAYS = """width => [document.scrollingElement, ...document.querySelectorAll("body *")]
  .filter((one) => one.scrollWidth > (one === document.scrollingElement ? width : one.clientWidth)
    && (one === document.scrollingElement || /auto|scroll/.test(getComputedStyle(one).overflowX))
    && !one.matches("pre, textarea, .message__stage--wide") && one.checkVisibility())
  .map((one) => `${one.tagName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""


@pytest.fixture
def everywhere(transactional_db, settings) -> Everywhere:
    settings.STYLEGUIDE = True
    settings.OUTBOUND_MODE = "direct"
    resolve.forget()
    found = crowd(make_world())
    assert min(map(len, found.pages.values())) > 3  # a walk past nothing finds nothing
    return found


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['any'][:1]}"
        for one in found
    ]


def sideways(page: Page, width: int) -> list[str]:
    """Return what scrolls sideways at a width."""
    page.set_viewport_size({"width": width, "height": 800})
    return [f"{page.url} at {width}: {one}" for one in page.evaluate(SIDEWAYS, width)]


@pytest.mark.parametrize("part", ROLES)
def test_no_page_has_a_violation(context, everywhere, live_server, part):
    found: list[str] = []
    for language, theme, width in LOOKS:
        still = {"reduced_motion": "reduce"}  # no colour is in mid-fade
        browser = context(locale=language, color_scheme=theme, **still)
        everywhere.enter(browser, part, url=live_server.url)
        page = browser.new_page()
        for url in everywhere.pages[part]:
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(url)
            assert page.locator("html").get_attribute("lang") == language[:2]
            found += violations(page)
            found += sideways(page, ZOOMED) + sideways(page, NARROW)
    assert not found, "\n".join(found)


def opened(page: Page, box: str) -> Iterator[str]:
    """Open what a hand or a key opens, one after the other."""
    page.locator(".row__check").first.check()
    yield "selection"
    page.locator(".bulk details > summary").first.click()
    yield "bulk menu"
    page.keyboard.press("Escape")
    page.locator(".account__button").click()
    yield "account"
    for key, dialog in (("?", "#keys"), ("Control+k", "#palette")):
        page.reload()
        page.wait_for_load_state()
        page.keyboard.press(key)
        page.wait_for_selector(f"{dialog}[open]")
        yield dialog
    page.reload()
    page.click("[data-search-more]")
    page.wait_for_selector("#search-panel:not([hidden])")
    yield "search form"
    page.fill("#q", "sec")
    page.wait_for_selector("#search-offers [role=option]")
    yield "offers"
    page.goto(page.locator("[data-row] [data-open]").first.get_attribute("href") or "")
    page.locator(".message[open] [data-details]").last.click()
    yield "details"
    page.locator(".message[open] .menu summary.icon-button").last.click()
    yield "more"
    page.goto(box)
    page.wait_for_selector("[data-zone]:not([value=''])", state="attached")
    page.click("[data-send]")  # to nobody
    page.wait_for_selector("[data-fault]:not([hidden])")
    yield "fault"
    page.wait_for_selector("[data-zone]:not([value=''])", state="attached")
    page.click(".compose__later")
    yield "later"
    page.keyboard.press("Escape")
    page.click("[data-rich]")
    page.wait_for_selector(".compose__editor")
    page.fill("[name=to]", "Bob <bob@crepes.test>, nobody, ")
    yield "rich"
    page.click("[data-format=link]")
    page.wait_for_selector("#link[open]")
    yield "link"
    page.goto("about:blank")  # leaving saves, while the database still knows the draft


@pytest.mark.parametrize(("language", "theme"), sorted({look[:2] for look in LOOKS}))
def test_what_is_opened_has_no_violation(context, everywhere, live_server, language, theme):
    browser = context(locale=language, color_scheme=theme, reduced_motion="reduce")
    everywhere.enter(browser, "mail", url=live_server.url)
    page = browser.new_page()
    alice = everywhere.world.alice
    page.goto(folder_url(alice))
    write = reverse("mail:compose", args=[alice.box])
    found = [f"{name}: {one}" for name in opened(page, write) for one in violations(page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["en-GB", "es-ES"])
def test_what_the_console_refuses_or_asks_has_no_violation(
    context, everywhere, live_server, language
):
    browser = context(locale=language, reduced_motion="reduce")
    everywhere.enter(browser, "console", url=live_server.url)
    page = browser.new_page()
    found: list[str] = []
    for url, press in (
        ("/console/domains/new/", ".console__form button"),
        ("/console/queue/", ".console__confirm > summary"),
    ):
        page.goto(url)
        page.locator(press).first.click()
        page.wait_for_load_state()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            found += violations(page)
    assert not found, "\n".join(found)
