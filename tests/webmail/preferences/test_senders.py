"""The page of blocked and trusted senders."""

import pytest
from django.urls import reverse

from mailcore.personal import senders
from tests.support.deliveries import make_message
from tests.support.mail_builders import store

PAGE = "/settings/senders/"


def test_an_address_is_blocked_and_taken_off_again(web, alice):
    answer = web.post(
        PAGE, {"list": "blocked", "blocked-address": "EVE@Other.example"}, follow=True
    )
    assert "eve@other.example was added" in answer.content.decode()
    store(make_message(sender="eve@other.example"), mailbox=alice.mailbox)
    assert (alice.folder("junk").total_count, alice.folder().total_count) == (1, 0)
    web.post(reverse("settings:remove_sender"), {"list": "blocked", "address": "eve@other.example"})
    assert senders.list_blocked(alice.user) == []


def test_each_list_has_its_field(web):
    text = web.get(PAGE).content.decode()
    assert text.count('name="blocked-address"') == text.count('name="trusted-address"') == 1


def test_the_two_lists_are_apart(web, alice):
    web.post(PAGE, {"list": "trusted", "trusted-address": "news@shop.example"})
    assert senders.list_trusted(alice.user) == ["news@shop.example"]
    assert senders.list_blocked(alice.user) == []


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"list": "blocked", "blocked-address": "nobody"}, 422),
        ({"list": "trusted", "trusted-address": "@example.org"}, 422),
        ({"list": "blocked", "blocked-address": "<script>@x"}, 422),
        ({"list": "blocked"}, 422),
        ({"list": "friends", "friends-address": "a@b.example"}, 400),
        ({}, 400),
    ],
)
def test_what_is_no_sender_is_refused(web, alice, data, status):
    answer = web.post(PAGE, data)
    assert answer.status_code == status
    assert "<script>@x" not in answer.content.decode()
    assert senders.list_blocked(alice.user) == senders.list_trusted(alice.user) == []


def test_nobody_changes_the_list_of_somebody_else(web, bob):
    senders.block(bob.user, "eve@other.example")
    web.post(reverse("settings:remove_sender"), {"list": "blocked", "address": "eve@other.example"})
    assert senders.list_blocked(bob.user) == ["eve@other.example"]
    assert "eve@other.example" not in web.get(PAGE).content.decode()


def test_the_page_costs_the_same_for_one_sender_and_for_many(web, alice, django_assert_num_queries):
    for number in range(40):
        senders.block(alice.user, f"x{number}@other.example")
    with django_assert_num_queries(4):  # session, person, two lists
        web.get(PAGE)
