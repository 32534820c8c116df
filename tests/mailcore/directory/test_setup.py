"""The one-time link: only without an operator, once, for a day, and only one makes an operator."""

from datetime import timedelta

import pytest

from mailcore.directory import setup
from mailcore.directory.errors import NotFound, NotUsable
from mailcore.models.identity import SetupToken, User
from tests.support.people import MADE_AT as NOW
from tests.support.people import make_operator

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough phrase"


def _use(token: str, login: str = "admin", *, now=NOW) -> User:
    return setup.use(token=token, login=login, password=PASSWORD, now=now)


def test_the_token_makes_one_operator_and_is_spent():
    token = setup.make_token(now=NOW)
    assert setup.is_valid(token, now=NOW)
    user = _use(token)
    assert user.is_operator
    assert user.check_password(PASSWORD)
    assert not setup.is_valid(token, now=NOW)
    with pytest.raises(NotFound):
        _use(token, "second")
    assert User.objects.count() == 1


def test_the_token_itself_is_not_kept():
    token = setup.make_token(now=NOW)
    assert token.encode() not in bytes(SetupToken.objects.get().hash)
    assert len(bytes(SetupToken.objects.get().hash)) == 32


def test_there_is_none_when_somebody_is_an_operator():
    make_operator()
    assert setup.make_token(now=NOW) == ""


def test_an_operator_made_otherwise_ends_it():
    token = setup.make_token(now=NOW)
    make_operator()
    assert not setup.is_valid(token, now=NOW)
    with pytest.raises(NotFound):
        _use(token)


def test_it_lives_for_a_day():
    token = setup.make_token(now=NOW)
    later = NOW + timedelta(days=1)
    assert setup.is_valid(token, now=later - timedelta(seconds=1))
    assert not setup.is_valid(token, now=later)
    with pytest.raises(NotFound):
        _use(token, now=later)


def test_expired_ones_are_removed():
    setup.make_token(now=NOW)
    setup.make_token(now=NOW + timedelta(days=2))
    assert SetupToken.objects.count() == 1


def test_processes_that_start_together_make_one():
    soon = NOW + timedelta(seconds=30)
    assert setup.make_token(now=NOW)
    assert setup.make_token(now=soon, unless_within=timedelta(minutes=1)) == ""
    assert setup.make_token(now=soon)


def test_a_login_that_cannot_be_leaves_the_token_valid():
    token = setup.make_token(now=NOW)
    with pytest.raises(NotUsable):
        _use(token, "a\nb")
    assert setup.is_valid(token, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "\ud800", "\0", "é" * 50])
def test_a_made_up_token_is_nothing(token):
    setup.make_token(now=NOW)
    assert not setup.is_valid(token, now=NOW)


def test_the_link_is_on_this_site(settings):
    settings.PUBLIC_URL = "https://mail.example"
    assert setup.link("abc") == "https://mail.example/setup/abc/"
