"""axe-core finds nothing on any page, in either theme, language and at two widths."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from mailcore.models.queue import QueuedRecipient
from tests.browser.conftest import sign_in
from tests.support.parcels import NOBODY, answer, send, sent_copy
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, message_url, thread_url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Frames are left out: axe cannot enter an opaque origin, and their content is the sender's.
OPTIONS = {"iframes": False, "resultTypes": ["violations"]}


def _violations(page) -> list[str]:
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['any'][:1]}"
        for one in found
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "es-ES"])
def test_no_page_has_a_violation(context, alice, settings, theme, language, width):
    settings.STYLEGUIDE = True
    settings.OUTBOUND_MODE = "direct"
    send(alice, "dora@outside.example", at=timezone.now())
    answer(NOBODY, at=timezone.now())
    ids = deliver(alice, 3, thread=True) + deliver(alice, 1, role="junk")
    page = context(
        locale=language,
        color_scheme=theme,
        reduced_motion="reduce",  # a colour in mid-fade is none of ours
        viewport={"width": width, "height": 800},
    ).new_page()
    found: list[str] = []
    for url in ("/login/", "/nothing/", "/styleguide/"):
        page.goto(url)
        found += _violations(page)
    sign_in(page, alice)
    found += _violations(page)
    for url in (
        folder_url(alice, "trash"),
        folder_url(alice, "junk"),
        thread_url(alice, ids[0]),
        reverse("mail:compose", args=[alice.box]),
        reverse("mail:compose", args=[alice.box]) + f"?reply_all={ids[0]}",
        message_url(alice, ids[0], "source"),
        message_url(alice, ids[0], "headers"),
        reverse("mail:outbox", args=[alice.box]),
        thread_url(alice, sent_copy(alice).public_id, role="sent"),
        reverse("mail:parcel", args=[alice.box, QueuedRecipient.objects.get().public_id]),
    ):
        page.goto(url)
        page.wait_for_load_state()
        found += _violations(page)
    assert not found, "\n".join(found)
