"""Times as the reader's clock shows them, everywhere at once, in their own pages only."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import translation

from mailcore.personal import preferences
from tests.support.deliveries import make_message
from tests.support.mail_builders import derive_all, store
from tests.webmail.mail.pages import folder_url, thread_url
from webmail import clock
from webmail.mail.templatetags import show

AT = datetime(2024, 11, 3, 14, 5, tzinfo=UTC)
GENERAL = "/settings/general/"


@pytest.mark.parametrize(
    ("hours", "language", "shown"),
    [
        ("", "en", "Sun 3 Nov 2024, 14:05"),
        ("24", "en", "Sun 3 Nov 2024, 14:05"),
        ("12", "en", "Sun 3 Nov 2024, 2:05 PM"),
        ("12", "es", "Dom 3 nov 2024, 2:05 PM"),
    ],
)
def test_a_full_date_has_the_readers_clock(alice, hours, language, shown):
    preferences.save(alice.user, hours=hours)
    with translation.override(language), clock.read_by(alice.user):
        assert show.when_exactly(AT).lower() == shown.lower()
    assert clock.pattern() == clock.FULL_DAY


def test_choosing_it_changes_every_page_of_this_person_alone(web, reader, alice):
    public_id = store(make_message(subject="Plan"), mailbox=alice.mailbox, at=AT)[0]
    derive_all()
    pages = (folder_url(alice), thread_url(alice, public_id))
    assert all("14:05" in web.get(page).content.decode() for page in pages)
    saved = web.post(GENERAL, {"language": "en", "hours": "12"}, follow=True)
    assert 'value="12" class="radio__input" id="id_hours_1" checked' in saved.content.decode()
    assert all("2:05 PM" in web.get(page).content.decode() for page in pages)
    assert all("2:05 PM" not in reader.get(page).content.decode() for page in pages)


def test_an_unchanged_list_is_sent_again_after_the_clock_changed(web, alice):
    store(make_message(subject="Plan"), mailbox=alice.mailbox, at=AT)
    web.get(folder_url(alice))  # makes the token of forms
    tag = web.get(folder_url(alice))["ETag"]
    assert web.get(folder_url(alice), headers={"If-None-Match": tag}).status_code == 304
    web.post(GENERAL, {"language": "en", "hours": "12"})
    web.get(folder_url(alice))  # has the toast
    assert web.get(folder_url(alice), headers={"If-None-Match": tag}).status_code == 200


def test_what_is_no_clock_is_refused_and_none_keeps_the_choice(web, alice):
    preferences.save(alice.user, hours="12")
    assert web.post(GENERAL, {"language": "en", "hours": "13"}).status_code == 422
    assert web.post(GENERAL, {"language": "en"}).status_code == 303
    assert preferences.of_user(alice.user).hours == "12"


def test_the_choice_costs_no_query_more_than_the_others(web, alice, django_assert_num_queries):
    with clock.read_by(alice.user), django_assert_num_queries(1):
        assert clock.pattern() == clock.choices_of(alice.user).hours or clock.FULL_DAY
        assert clock.pattern() == clock.FULL_DAY


def test_send_later_shows_the_clock(web, alice):
    preferences.save(alice.user, hours="12")
    page = web.get(reverse("mail:compose", args=[alice.box]), follow=True).content.decode()
    assert "8:00 AM" in page
    assert "08:00<" not in page
