"""Kept searches: saved, renamed, moved, forgotten; everybody has their own."""

import pytest

from mailcore.personal import saved_searches
from mailcore.personal.saved_searches import SAVED_MAX
from tests.support.people import make_alice, make_bob

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db):
    return make_alice().user


def _names(user):
    return [one.name for one in saved_searches.list_saved(user=user)]


def _save(user, *names):
    return [saved_searches.save(user=user, name=name, query="from:bob") for name in names]


def test_searches_are_listed_in_the_order_of_saving(alice):
    _save(alice, "Zebra", "Apple")
    assert _names(alice) == ["Zebra", "Apple"]


def test_a_name_that_is_known_gets_the_new_query(alice):
    _save(alice, "Bob")
    saved_searches.save(user=alice, name=" Bob ", query="to:bob")
    assert [(s.name, s.query) for s in saved_searches.list_saved(user=alice)] == [("Bob", "to:bob")]


@pytest.mark.parametrize(
    ("name", "query"), [("", "a"), ("a", " "), ("n" * 61, "a"), ("a", "q" * 1001)]
)
def test_what_is_empty_or_too_long_is_not_kept(alice, name, query):
    assert saved_searches.save(user=alice, name=name, query=query) is None
    assert _names(alice) == []


def test_no_more_are_kept_than_the_rail_can_show(alice):
    _save(alice, *(str(n) for n in range(SAVED_MAX)))
    assert _save(alice, "one more") == [None]


def test_a_search_moves_up_and_down_and_stops_at_the_ends(alice):
    first, _second, third = _save(alice, "a", "b", "c")
    saved_searches.shift(user=alice, search_id=third.id, by=-1)
    assert _names(alice) == ["a", "c", "b"]
    saved_searches.shift(user=alice, search_id=first.id, by=-1)
    assert _names(alice) == ["a", "c", "b"]


def test_a_search_is_renamed_and_forgotten(alice):
    one, two = _save(alice, "a", "b")
    assert saved_searches.rename(user=alice, search_id=one.id, name="A")
    assert not saved_searches.rename(user=alice, search_id=one.id, name=" ")
    assert saved_searches.delete(user=alice, search_id=two.id)
    assert _names(alice) == ["A"]


def test_nobody_changes_what_another_keeps(alice):
    (one,) = _save(alice, "a")
    bob = make_bob().user
    assert not saved_searches.rename(user=bob, search_id=one.id, name="b")
    assert not saved_searches.shift(user=bob, search_id=one.id, by=1)
    assert not saved_searches.delete(user=bob, search_id=one.id)
    assert (_names(alice), _names(bob)) == (["a"], [])
