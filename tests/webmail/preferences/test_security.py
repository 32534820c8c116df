"""Changing one's password and seeing and ending one's sessions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from mailcore.directory import sign_ins
from mailcore.models.identity import AuthThrottle, SignIn, User
from tests.support.people import PASSWORD

NEW = "seven quiet boxes"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.fixture(autouse=True)
def no_delay(settings):
    settings.AUTH_DELAY = timedelta(0)


def _browser(person, agent=FIREFOX, ip="192.0.2.77") -> Client:
    client = Client(REMOTE_ADDR=ip, headers={"User-Agent": agent})
    client.post("/login/", {"login": person.address, "password": PASSWORD})
    return client


def _change(client, **more):
    data = {"password": PASSWORD, "new": NEW, "again": NEW, **more}
    return client.post(reverse("settings:security"), data)


def _is_in(client) -> bool:
    return bool(client.get(reverse("settings:security")).status_code == 200)


def test_a_new_password_works_and_ends_all_other_sessions(alice):
    here, there = _browser(alice), _browser(alice, EDGE)
    assert _change(here).status_code == 303
    assert (_is_in(here), _is_in(there)) == (True, False)
    assert User.objects.get(pk=alice.user.pk).check_password(NEW)
    (row,) = SignIn.objects.all()
    assert row.session_key == here.session.session_key


def test_a_wrong_present_password_changes_nothing_and_is_counted(alice):
    client = _browser(alice)
    AuthThrottle.objects.all().delete()
    answer = _change(client, password="wrong")
    assert answer.status_code == 422
    assert 'id="id_password_error"' in answer.content.decode()
    assert AuthThrottle.objects.exists()
    assert User.objects.get(pk=alice.user.pk).check_password(PASSWORD)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"new": "short", "again": "short"}, "new"),
        ({"new": "password123", "again": "password123"}, "new"),
        ({"again": "something else"}, "again"),
        ({"new": ""}, "new"),
    ],
)
def test_a_password_that_will_not_do_is_refused_before_any_is_tried(alice, data, field):
    client = _browser(alice)
    AuthThrottle.objects.all().delete()
    answer = _change(client, **data)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not AuthThrottle.objects.exists()


def test_the_list_names_browser_system_and_network_and_nothing_finer(alice):
    client = _browser(alice)
    _browser(alice, EDGE, ip="2001:db8:1:2:3::4")
    text = client.get(reverse("settings:security")).content.decode()
    for shown in ("Firefox, Linux", "Edge, Windows", "192.0.2.0/24", "2001:db8:1::/48"):
        assert shown in text
    key = client.session.session_key or "?"
    for kept_back in ("192.0.2.77", "2001:db8:1:2", "Gecko", key):
        assert kept_back not in text
    assert text.count('class="badge"') == 1


def test_one_session_is_ended_from_another(alice):
    here, there = _browser(alice), _browser(alice, EDGE)
    row = SignIn.objects.get(session_key=there.session.session_key)
    here.post(reverse("settings:end_session", args=[row.public_id]))
    assert (_is_in(here), _is_in(there)) == (True, False)


def test_all_others_are_ended_at_once(alice, bob):
    here, others = _browser(alice), [_browser(alice), _browser(alice, EDGE)]
    bobs = _browser(bob)
    here.post(reverse("settings:end_other_sessions"))
    assert [_is_in(one) for one in (here, *others, bobs)] == [True, False, False, True]


def test_nobody_ends_a_session_of_somebody_else(alice, bob):
    alices, bobs = _browser(alice), _browser(bob)
    row = SignIn.objects.get(session_key=alices.session.session_key)
    assert bobs.post(reverse("settings:end_session", args=[row.public_id])).status_code == 404
    assert _is_in(alices)


def test_ending_this_session_signs_out(alice):
    client = _browser(alice)
    row = SignIn.objects.get()
    answer = client.post(reverse("settings:end_session", args=[row.public_id]))
    assert answer.headers["Location"] == "/login/"
    assert not _is_in(client)


def test_signing_out_and_expiry_take_the_row_away(alice):
    _browser(alice).post("/logout/")
    assert not SignIn.objects.exists()
    ended = _browser(alice)
    ended.session.delete()
    assert sign_ins.sweep() == 1


def test_a_session_in_use_costs_no_query_more_than_every_ten_minutes(
    alice, django_assert_num_queries
):
    client = _browser(alice)
    client.get(reverse("healthz"))
    client.get(reverse("settings:keyboard"))
    with django_assert_num_queries(3):  # session, person, preferences as they are now
        client.get(reverse("settings:keyboard"))


@pytest.mark.parametrize(
    ("agent", "name"),
    [("", ""), ("curl/8", ""), ("<b>Firefox/1", "Firefox"), ("x" * 5000 + "Android", "Android")],
)
def test_of_a_browser_only_its_family_is_kept(agent, name):
    assert sign_ins.family(agent) == name
