"""The pages of a person's own choices: shown, kept, refused, and nobody else's business."""

import re

import pytest
from django.urls import reverse

from mailcore.models.identity import User
from mailcore.models.personal import UserSettings
from mailcore.personal import preferences

PAGES = ["general", "appearance", "reading", "keyboard", "notifications"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_form_with_its_name_as_heading(web, name):
    text = web.get(reverse(f"settings:{name}")).content.decode()
    main = text[text.index("<main") : text.index("</main>")]
    assert main.count('method="post"') == 1
    assert '<button class="button button--primary">' in main
    assert "style=" not in text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_with_few_queries(web, name, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        assert web.get(reverse(f"settings:{name}")).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_strangers_sign_in_first(client, db, name):
    answer = client.get(reverse(f"settings:{name}"))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


def test_name_language_and_zone_are_kept_with_the_person_and_a_toast_says_so(web, alice):
    data = {"display_name": "Alicia <b>", "language": "es", "timezone": "America/Bogota"}
    answer = web.post(reverse("settings:general"), data, follow=True)
    user = User.objects.get(pk=alice.user.pk)
    assert (user.display_name, user.locale, user.timezone) == (
        "Alicia <b>",
        "es",
        "America/Bogota",
    )
    text = answer.content.decode()
    assert '<html lang="es"' in text
    assert "data-toast" in text
    assert "Alicia &lt;b&gt;" in text


@pytest.mark.parametrize(
    "change", [{"timezone": "Mars/Base"}, {"language": "tlh"}, {"display_name": "x" * 201}]
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_is_kept(web, alice, change):
    data = {"display_name": "A", "language": "en", "timezone": "", **change}
    answer = web.post(reverse("settings:general"), data)
    assert answer.status_code == 422
    field = next(iter(change))
    text = answer.content.decode()
    assert f'id="id_{field}_error"' in text
    assert f'<a href="#id_{field}">' in text
    assert User.objects.get(pk=alice.user.pk).display_name == alice.user.display_name


def test_choices_are_kept_and_shown_again(web, alice):
    data = {"theme": "dark", "density": "compact", "reading_pane": "off"}
    answer = web.post(reverse("settings:appearance"), data, follow=True)
    kept = preferences.of_user(alice.user)
    assert (kept.density, kept.reading_pane) == ("compact", "off")
    text = answer.content.decode()
    assert 'data-theme="dark"' in text
    assert re.search('value="compact"[^>]* checked', text)


def test_an_unticked_box_is_a_no(web, alice):
    web.post(reverse("settings:reading"), {"mark_read": "never", "after_action": "next"})
    web.post(reverse("settings:keyboard"), {})
    kept = preferences.of_user(alice.user)
    assert (kept.conversations, kept.show_snippet, kept.keys) == (False, False, False)
    assert (kept.mark_read, kept.after_action) == ("never", "next")


def test_a_choice_that_there_is_not_is_refused(web):
    answer = web.post(
        reverse("settings:reading"), {"mark_read": "' OR 1=1", "after_action": "list"}
    )
    assert answer.status_code == 422
    assert not UserSettings.objects.exists()


def test_settings_hang_in_the_account_menu(web, alice):
    inbox = reverse("mail:folder", args=[alice.box, alice.folder().public_id])
    assert f'href="{reverse("settings:home")}"' in web.get(inbox).content.decode()
