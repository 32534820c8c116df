"""Signing in and out, for people and for scripts whose session ended."""

import threading
import time
from datetime import timedelta

import pytest
from django.test import Client

from mailcore.directory import users
from mailcore.models.identity import AuthThrottle
from tests.support.people import MADE_AT, PASSWORD
from tests.webmail.mail.pages import folder_url
from webmail.accounts import patience
from webmail.env import networks


@pytest.fixture(autouse=True)
def no_delay(settings):
    settings.AUTH_DELAY = timedelta(0)


def _sign_in(client, login, password=PASSWORD, extra=None, **more):
    form = {"login": login, "password": password, **more}
    return client.post("/login/", form, **(extra or {}))


def test_the_right_password_leads_to_the_mail(client, alice):
    response = _sign_in(client, "Alice@Crepes.test")
    assert (response.status_code, response["Location"]) == (302, "/mail/")
    assert client.get("/mail/").status_code == 302


def test_next_is_kept_when_it_is_ours(client, alice):
    assert _sign_in(client, alice.address, next=folder_url(alice))["Location"] == folder_url(alice)


def test_next_leads_nowhere_else(client, alice):
    assert _sign_in(client, alice.address, next="https://evil.example/")["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, alice):
    known = _sign_in(client, alice.address, "wrong")
    unknown = _sign_in(client, "nobody@crepes.test", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert "do not match" in known.content.decode()
    assert "do not match" in unknown.content.decode()


def test_it_is_said_for_how_long_an_answer_was_held_back(client, alice, settings):
    settings.AUTH_DELAY = timedelta(seconds=1)
    page = _sign_in(client, alice.address, "wrong").content.decode()
    assert "held back for 1 second, the next one longer" in page


def test_an_empty_form_is_shown_again(client, db):
    assert client.post("/login/", {}).status_code == 422


def test_the_session_changes_at_sign_in(client, alice):
    client.get("/login/")
    before = client.cookies.get("session")
    _sign_in(client, alice.address)
    assert client.cookies["session"].value != (before.value if before else "")


def test_who_is_signed_in_skips_the_form(web):
    assert web.get("/login/")["Location"] == "/mail/"


def test_a_script_gets_the_bare_form_and_then_a_new_token(client, alice):
    form = client.get("/login/", headers={"HX-Request": "true"}).content.decode()
    assert "<form" in form
    assert "<html" not in form
    data = {"login": alice.address, "password": PASSWORD}
    response = client.post("/login/", data, headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert response["X-User"] == str(alice.user.pk)
    assert response["X-Csrf-Token"]


def test_signing_out_is_a_post_and_ends_the_session(web, alice):
    assert web.get("/logout/").status_code == 405
    response = web.post("/logout/")
    assert response["Clear-Site-Data"] == '"cache"'
    assert web.get(folder_url(alice)).status_code == 302


def test_signing_in_and_out_want_a_csrf_token(alice):
    strict = Client(enforce_csrf_checks=True)
    assert _sign_in(strict, alice.address).status_code == 403
    strict.force_login(alice.user)
    assert strict.post("/logout/").status_code == 403


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_page_speaks_the_language_of_the_browser(client, db, language):
    page = client.get("/login/", headers={"Accept-Language": language}).content.decode()
    assert f'<html lang="{language}"' in page
    assert ("Contraseña" in page) is (language == "es")


def test_the_language_of_the_user_comes_with_signing_in(client, alice):
    alice.user.locale = "es"
    alice.user.save(update_fields=["locale"])
    assert _sign_in(client, alice.address).cookies["language"].value == "es"


def test_a_person_without_a_mailbox_is_told_so(client, alice):
    users.create_user(login="operator", password=PASSWORD, now=MADE_AT)
    _sign_in(client, "operator")
    assert "No mailbox yet" in client.get("/mail/").content.decode()


def test_the_answer_to_a_wrong_password_is_held_back(client, alice, settings):
    settings.AUTH_DELAY = timedelta(milliseconds=150)
    started = time.monotonic()
    _sign_in(client, alice.address, "wrong")
    assert time.monotonic() - started >= 0.15


def test_when_too_many_wait_the_next_is_told_at_once(client, alice, monkeypatch):
    monkeypatch.setattr(patience, "_places", threading.BoundedSemaphore(1))
    with patience._places:
        response = _sign_in(client, alice.address, "wrong")
    assert response.status_code == 503
    assert "Too many people" in response.content.decode()


def test_the_proxy_says_who_the_client_is_and_nobody_else(client, alice, settings):
    settings.TRUSTED_PROXIES = networks("10.0.0.0/8")
    settings.AUTH_FAILURES_PER_MINUTE = 1
    for _ in range(3):
        forged = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "8.8.8.8, 192.0.2.7"}
        _sign_in(client, "nobody@crepes.test", "wrong", extra=forged)
    keys = set(AuthThrottle.objects.values_list("key", flat=True))
    assert any("192.0.2.7" in key for key in keys)
    assert not any("8.8.8.8" in key for key in keys)


def test_a_stranger_cannot_say_that_the_page_came_by_https(client, db, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/login/", headers={"X-Forwarded-Proto": "https"})
    assert response.status_code == 301
