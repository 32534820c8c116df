"""New mail and tracking appear by themselves, within a second, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from mailcore.directory import resolve
from tests.browser.conftest import NewContext, sign_in
from tests.support.deliveries import make_message
from tests.support.mail_builders import store
from tests.support.parcels import BUSY, NOBODY, answer, send, sent_copy
from tests.support.people import Person
from tests.support.web import build, running_web
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, thread_url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLACK_MS = 15_000  # of a busy machine: it takes half a second for the look, and one request


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Build the static files of the real web process."""
    directory: Path = tmp_path_factory.mktemp("web")
    build(directory)
    return directory


@pytest.fixture
def url(built, alice) -> Iterator[str]:
    """Where the real web process listens."""
    resolve.forget()
    with running_web(built) as found:
        yield found


@pytest.fixture
def inbox(context: NewContext, url: str, alice: Person) -> Page:
    """Alice's inbox with thirty letters, and a stream that is open."""
    deliver(alice, 30)
    page = context(base_url=url).new_page()
    with page.expect_response("**/events/", timeout=30_000):
        sign_in(page, alice)
    page.wait_for_timeout(800)
    return page


def arrive(alice: Person, subject: str = "Fresh") -> None:
    store(
        make_message(message_id=f"{subject}@fresh.test", subject=subject),
        mailbox=alice.mailbox,
        at=timezone.now(),
    )


def test_new_mail_appears_by_itself(inbox, alice):
    row = inbox.locator("[data-row]").first
    arrive(alice)
    expect(row).to_contain_text("Fresh", timeout=SLACK_MS)
    expect(inbox.locator("[data-role=inbox] .rail__count")).to_contain_text("31")
    assert inbox.title().startswith("(31)")


def test_focus_stays_where_it_is(inbox, alice):
    third = inbox.locator("[data-row] [data-open]").nth(2)
    third.focus()
    href = third.get_attribute("href")
    arrive(alice)
    expect(inbox.locator("[data-row]").first).to_contain_text("Fresh", timeout=SLACK_MS)
    assert inbox.evaluate("document.activeElement.getAttribute('href')") == href


def test_whoever_has_scrolled_is_asked(inbox, alice):
    inbox.evaluate("document.getElementById('list').scrollTop = 400")
    arrive(alice)
    pill = inbox.get_by_role("button", name="New messages")
    expect(pill).to_be_visible(timeout=SLACK_MS)
    assert inbox.evaluate("document.getElementById('list').scrollTop") == 400
    assert inbox.get_by_text("Fresh").count() == 0
    pill.click()
    expect(inbox.locator("[data-row]").first).to_contain_text("Fresh")
    assert inbox.evaluate("document.getElementById('list').scrollTop") == 0
    expect(pill).to_have_count(0)


def test_a_selection_is_not_lost(inbox, alice):
    inbox.locator(".row__check").nth(1).check()
    arrive(alice)
    expect(inbox.get_by_role("button", name="New messages")).to_be_visible(timeout=SLACK_MS)
    expect(inbox.locator(".row__check:checked")).to_have_count(1)


def test_all_tabs_share_one_stream(inbox, alice):
    asked: list[str] = []
    second = inbox.context.new_page()
    second.on("request", lambda request: asked.append(request.url))
    second.goto(inbox.url)
    second.wait_for_timeout(1800)
    arrive(alice)
    for page in (inbox, second):
        expect(page.locator("[data-row]").first).to_contain_text("Fresh", timeout=SLACK_MS)
    assert not [one for one in asked if one.endswith("/events/")]
    with second.expect_request("**/events/"):
        inbox.close()  # the other one takes over
    second.wait_for_timeout(800)
    arrive(alice, "Later")
    expect(second.locator("[data-row]").first).to_contain_text("Later", timeout=SLACK_MS)


def test_tracking_goes_on_by_itself(inbox, alice, settings):
    settings.OUTBOUND_MODE = "direct"
    now = timezone.now()
    send(alice, "dora@outside.example", at=now)
    inbox.goto(thread_url(alice, sent_copy(alice).public_id, role="sent"))
    inbox.wait_for_timeout(1200)
    tracking = inbox.locator(".tracking")
    expect(tracking).to_contain_text("On its way")
    answer(BUSY, at=now)
    expect(tracking).to_contain_text("Not delivered yet", timeout=SLACK_MS)
    tracking.locator("summary").focus()
    later = timezone.now()
    inbox.get_by_role("button", name="Try again now").click()
    expect(inbox.get_by_text("We try again now.")).to_be_visible()
    answer(NOBODY, at=timezone.now() + (timezone.now() - later))
    expect(tracking).to_contain_text("That address does not exist there.", timeout=SLACK_MS)


def test_the_outbox_follows(inbox, alice, settings):
    settings.OUTBOUND_MODE = "direct"
    inbox.goto(folder_url(alice).rsplit("/", 2)[0] + "/outbox/")
    inbox.wait_for_timeout(1200)
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()
    send(alice, "dora@outside.example", subject="Lunch", at=timezone.now())
    expect(inbox.get_by_text("Lunch")).to_be_visible(timeout=SLACK_MS)


def test_an_open_conversation_says_that_it_has_grown(inbox, alice):
    inbox.locator("[data-row] [data-open]").first.click()
    inbox.wait_for_selector("[data-thread]")
    inbox.wait_for_timeout(800)
    subject = inbox.locator("#subject").inner_text()
    raw = make_message(
        message_id="grown@fresh.test",
        subject=f"Re: {subject}",
        headers=["In-Reply-To: <inbox29@m.test>"],
    )
    store(raw, mailbox=alice.mailbox, at=timezone.now())
    more = inbox.get_by_role("link", name="New message in this conversation")
    expect(more).to_be_visible(timeout=SLACK_MS)
    more.click()
    expect(inbox.locator("[data-message]")).to_have_count(2)


def test_when_the_session_ends_nothing_pops_up(inbox, alice):
    inbox.context.clear_cookies()
    arrive(alice)
    inbox.wait_for_timeout(1500)
    assert not inbox.locator("#sign-in[open]").count()
