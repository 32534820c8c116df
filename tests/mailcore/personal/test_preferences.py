"""personal.preferences: defaults, changes, and rows that another program wrote."""

import pytest

from mailcore.models.personal import UserSettings
from mailcore.personal import preferences
from mailcore.personal.preferences import Preferences
from tests.support.people import make_alice, make_bob

pytestmark = pytest.mark.django_db


def test_who_chose_nothing_has_the_defaults_for_one_query(django_assert_num_queries):
    user = make_alice().user
    with django_assert_num_queries(1):
        found = preferences.of_user(user)
    assert found == Preferences()


def test_a_choice_is_kept_beside_earlier_ones_and_raises_the_version():
    alice, bob = make_alice().user, make_bob().user
    preferences.save(alice, density="compact")
    saved = preferences.save(alice, keys=False)
    assert (
        saved == preferences.of_user(alice) == Preferences(density="compact", keys=False, version=2)
    )
    assert preferences.of_user(bob) == Preferences()


@pytest.mark.parametrize(
    "change",
    [{"density": "huge"}, {"keys": "yes"}, {"version": 7}, {"colour": "red"}, {"hours": 24}],
)
def test_what_there_is_not_is_refused_and_nothing_is_kept(change):
    user = make_alice().user
    with pytest.raises(ValueError, match="cannot be"):
        preferences.save(user, conversations=False, **change)
    assert preferences.of_user(user) == Preferences()


@pytest.mark.parametrize("values", [None, [], "x", {"density": ["compact"]}, {"keys": 3, "new": 1}])
def test_a_row_that_cannot_be_read_counts_as_the_defaults(values):
    user = make_alice().user
    UserSettings.objects.create(user=user, values=values if values is not None else {}, version=5)
    assert preferences.of_user(user) == Preferences(version=5)
