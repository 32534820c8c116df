"""Pages of the site: policies, errors, health, preferences, style guide."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from django.test import Client, RequestFactory

from mailcore.directory import users
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, thread_url
from webmail import pages

APP_POLICY = (
    "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'; "
    "worker-src 'self'"
)


def _policy_of(page: bytes) -> str:
    """Return the policy that names the import map which this page carries."""
    text = re.search(rb'<script type="importmap">(.*?)</script>', page, re.S)
    assert text is not None
    return APP_POLICY.format(b64encode(sha256(text[1]).digest()).decode())


def test_every_app_page_has_the_policy_that_names_its_import_map(web, alice):
    message = deliver(alice)[0]
    listed = web.get(folder_url(alice))
    policy = _policy_of(listed.content)
    assert listed["Content-Security-Policy"] == policy
    for url in (thread_url(alice, message), "/nothing/", "/logout/", "/mail/", "/healthz"):
        assert web.get(url)["Content-Security-Policy"] == policy


def test_app_pages_cannot_be_framed_or_cached_by_others(web, alice):
    response = web.get(folder_url(alice))
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Referrer-Policy"] == "same-origin"


def test_pages_have_no_inline_script_but_the_import_map(web, alice):
    page = web.get(folder_url(alice)).content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page)
    assert inline == [' type="importmap"']
    assert not re.search(r"\son[a-z]+=", page)


def test_health_and_readiness(client, db):
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_a_page_that_is_not_there_is_a_designed_404(client):
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_the_page_of_our_own_mistakes_needs_nothing():
    response = pages.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Our mistake" in response.content.decode()


@pytest.mark.parametrize(("name", "value"), [("theme", "dark"), ("language", "es")])
def test_a_preference_is_kept_in_a_cookie(client, name, value):
    response = client.post("/preferences/", {name: value, "next": "/login/"})
    assert (response.status_code, response["Location"]) == (303, "/login/")
    assert response.cookies[name].value == value


def test_a_preference_that_does_not_exist_is_ignored(client):
    response = client.post("/preferences/", {"theme": "pink", "language": "xx"})
    assert response.status_code == 303
    assert not response.cookies


def test_the_language_is_kept_with_the_person(client, alice):
    client.force_login(alice.user)
    client.post("/preferences/", {"language": "es"})
    kept = users.preferences(user_ids=[alice.user.pk])[alice.user.pk]
    assert kept.locale == "es"


def test_preferences_lead_nowhere_else(client):
    response = client.post("/preferences/", {"theme": "dark", "next": "//evil.example/"})
    assert response["Location"] == "/"
    assert client.get("/preferences/").status_code == 405


def test_preferences_want_a_csrf_token():
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/preferences/", {"theme": "dark"}).status_code == 403


def test_the_style_guide_is_for_developers(client, settings):
    settings.STYLEGUIDE = False
    assert client.get("/styleguide/").status_code == 404
    settings.STYLEGUIDE = True
    assert "Every component" in client.get("/styleguide/").content.decode()
