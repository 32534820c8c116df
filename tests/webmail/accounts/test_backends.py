"""The web signs people in through the directory."""

import pytest
from django.contrib.auth import authenticate, get_user

from tests.support import people
from tests.support.people import PASSWORD

pytestmark = pytest.mark.django_db


def test_login_and_password_sign_in():
    bob = people.make_bob()
    assert authenticate(None, login="Bob@hamburger.test", password=PASSWORD) == bob.user
    assert authenticate(None, username=bob.address, password=PASSWORD) == bob.user


@pytest.mark.parametrize(
    "given",
    [
        {"login": "bob@hamburger.test", "password": "wrong"},
        {"login": "nobody", "password": PASSWORD},
        {"login": "bob@hamburger.test"},
        {"password": PASSWORD},
    ],
)
def test_anything_else_does_not(given):
    people.make_bob()
    assert authenticate(None, **given) is None


def test_failures_are_counted_for_the_address_of_the_client(rf, settings):
    settings.AUTH_FAILURES_PER_DAY = 3
    other = people.make_alice()
    request = rf.post("/login/", REMOTE_ADDR="192.0.2.7")
    for number in range(3):
        assert authenticate(request, login=f"guess{number}", password="wrong") is None
    assert authenticate(request, login=other.address, password=PASSWORD) is None
    elsewhere = rf.post("/login/", REMOTE_ADDR="198.51.100.7")
    assert authenticate(elsewhere, login=other.address, password=PASSWORD) == other.user


def test_a_disabled_user_and_a_new_password_end_the_session(client):
    bob = people.make_bob()
    client.force_login(bob.user)
    assert get_user(client).is_authenticated
    bob.user.is_active = False
    bob.user.save()
    assert not get_user(client).is_authenticated
    bob.user.is_active = True
    bob.user.set_password("another")
    bob.user.save()
    assert not get_user(client).is_authenticated
