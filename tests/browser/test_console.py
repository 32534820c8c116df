"""The console in Chromium: by keyboard alone, without JavaScript, in Spanish on a phone."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailcore import trace
from mailcore.models.directory import Domain, Mailbox
from mailcore.models.queue import QueuedRecipient
from mailcore.models.trace import TraceEvent
from tests.support.people import PASSWORD, make_operator
from tests.support.queued import make_attempt, make_queued

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def flow(alice):
    """Mail in every state, an operator, and a trace."""
    make_operator("admin")
    (waiting,) = make_queued("a@far.test", last_reply="451 4.2.2 mailbox full")
    make_attempt(waiting)
    kept = make_queued("b@far.test", state="captured")[0]
    trace.record(
        trace.Entry(waiting.message.trace_id, timezone.now(), kind, forward_path="a@far.test")
        for kind in ("queued", "deferred")
    )
    return waiting, kept


def _enter(page: Page) -> None:
    page.goto("/login/?next=/console/")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".stats")


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")


def test_a_domain_and_a_mailbox_are_made_by_keyboard_alone(context, flow):
    page = context().new_page()
    _enter(page)
    _tab_to(page, "a[href='/console/domains/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/domains/")
    _tab_to(page, "a[href='/console/domains/new/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/new/")
    _tab_to(page, "#id_name")
    page.keyboard.type("nuevo.test")
    page.keyboard.press("Enter")
    expect(page.locator(".banner--ok")).to_contain_text("nuevo.test was made.")
    _tab_to(page, "a[href^='/console/mailboxes/new/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mailboxes/new/**")
    _tab_to(page, "#id_address")
    page.keyboard.press("Home")
    page.keyboard.type("eva")
    page.keyboard.press("Enter")
    expect(page.locator("output")).to_be_visible()
    assert Domain.objects.filter(name="nuevo.test").exists()
    assert Mailbox.objects.filter(addresses__local_part="eva").exists()


def test_captured_mail_is_opened_and_sent_without_javascript(context, flow):
    _, kept = flow
    page = context(java_script_enabled=False).new_page()
    _enter(page)
    page.click("a[href='/console/captured/']")
    page.click(".console__name")
    expect(page.frame_locator("iframe").locator("casilla-mail")).to_contain_text("Hi")
    page.click("button[value=send]")
    expect(page.locator(".banner--ok")).to_contain_text("1 is on its way")
    assert QueuedRecipient.objects.get(pk=kept.pk).state == "queued"


def test_a_selection_of_the_queue_is_cancelled_after_a_question(context, flow):
    waiting, _ = flow
    page = context().new_page()
    _enter(page)
    page.goto("/console/queue/")
    page.check("[data-select-all]")
    expect(page.locator("[data-selected-count]")).to_have_text("1 selected")
    page.click(".console__confirm > summary")
    page.click("button[value=cancel]")
    expect(page.locator(".banner--ok")).to_contain_text("1 was cancelled")
    assert QueuedRecipient.objects.get(pk=waiting.pk).state == "cancelled"
    assert TraceEvent.objects.filter(kind="cancelled", detail={"by": "admin"}).exists()


def test_the_trace_is_read_in_spanish_on_a_phone(context, flow):
    page = context(locale="es-ES", viewport={"width": 390, "height": 844}).new_page()
    _enter(page)
    page.click(".opens-rail")
    page.click("a[href='/console/trace/']")
    page.fill("#q", "a@far.test")
    page.keyboard.press("Enter")
    page.click(".event__link >> nth=0")
    expect(page.locator("h1")).to_have_text("La vida de un mensaje")
    expect(page.locator(".event")).to_have_count(2)
