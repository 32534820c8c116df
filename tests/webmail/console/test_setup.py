"""The first operator, made by the link of the log: once, and only while there is none."""

import pytest
from django.test import Client
from django.utils import timezone

from mailcore.directory import setup
from mailcore.models.identity import User
from mailcore.trace import audit
from tests.support.people import make_operator
from webmail.console import welcome

PASSWORD = "a long enough phrase"
FORM = {"login": "admin", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def url(db) -> str:
    return f"/setup/{setup.make_token(now=timezone.now())}/"


def test_the_link_makes_the_operator_and_signs_them_in(client, url):
    page = client.get(url)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    response = client.post(url, FORM)
    assert (response.status_code, response["Location"]) == (303, "/console/")
    assert client.get("/console/").status_code == 200
    assert User.objects.get().is_operator
    (deed,) = audit.deeds().deeds
    assert (deed.actor, deed.action) == ("admin", "operator.first")


def test_the_link_works_once(client, url):
    client.post(url, FORM)
    assert Client().get(url).status_code == 404
    assert Client().post(url, {**FORM, "login": "second"}).status_code == 404
    assert User.objects.count() == 1


def test_with_an_operator_there_is_no_setup(client, url):
    make_operator()
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"login": ""}, "login"),
        ({"login": "a\tb"}, "login"),
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "another long phrase"}, "again"),
    ],
)
def test_a_wrong_form_is_said_beside_the_field_and_spends_nothing(client, url, changed, field):
    response = client.post(url, {**FORM, **changed})
    assert response.status_code == 422
    page = response.content.decode()
    assert f'id="id_{field}_error"' in page
    assert PASSWORD not in page
    assert client.post(url, FORM).status_code == 303


@pytest.mark.parametrize("token", ["x", "x" * 200, "%00", "%ff", "é"])
def test_a_made_up_link_is_404(client, db, token):
    assert client.get(f"/setup/{token}/").status_code == 404


def test_the_log_shows_a_link_while_nobody_is_an_operator(db, caplog):
    assert welcome.log_link()
    (record,) = caplog.records
    link = record.fields["url"]
    assert Client().get(link.removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert not welcome.log_link(), "one link for all processes of a start"


def test_the_log_shows_nothing_when_there_is_an_operator(db, caplog):
    make_operator()
    assert not welcome.log_link()
    assert caplog.records == []
