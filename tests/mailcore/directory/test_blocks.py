"""Blocked networks and accounts: the same doors that sign-in finds closed, and opening them."""

from datetime import timedelta

import pytest

from mailcore.directory import blocks, throttle
from mailcore.models.identity import AuthThrottle
from tests.support.people import MADE_AT as NOW
from tests.support.people import make_alice

pytestmark = pytest.mark.django_db
LOGIN = "alice@hamburger.test"


def _fail(times: int, *, login: str = LOGIN, ip: str = "192.0.2.7", now=NOW) -> throttle.Attempt:
    tried = throttle.attempt(login=login, peer_ip=ip, now=now)
    for _ in range(times):
        throttle.record_failure(tried)
    return tried


def _locked(tried: throttle.Attempt, *, now=NOW) -> bool:
    return throttle.standing(tried, now=now).is_locked


def test_nothing_is_blocked_before_the_limit():
    _fail(9)
    assert blocks.blocked(now=NOW) == []


def test_account_and_network_are_named_with_their_end():
    make_alice()
    _fail(10)
    found = {block.name: block for block in blocks.blocked(now=NOW)}
    assert set(found) == {LOGIN, "192.0.2.7/32"}
    assert found["192.0.2.7/32"].is_network
    assert found[LOGIN].until == NOW + timedelta(minutes=1)
    assert found[LOGIN].failure_count == 10


def test_a_day_counts_longer_than_a_minute():
    make_alice()
    for minute in range(6):
        _fail(9, now=NOW + timedelta(minutes=minute))
    later = NOW + timedelta(hours=3)
    found = {block.name: block for block in blocks.blocked(now=later)}
    assert found[LOGIN].until == NOW.replace(hour=0) + timedelta(days=1)


def test_a_wider_network_closes_later():
    for host in range(3):
        _fail(10, login=f"nobody{host}", ip=f"192.0.2.{host}")
    names = {block.name for block in blocks.blocked(now=NOW) if block.is_network}
    assert "192.0.2.0/24" in names
    assert "192.0.0.0/16" not in names


def test_a_login_that_nobody_has_stays_unnamed():
    _fail(10, login="a password typed into the wrong field", ip="")
    (block,) = blocks.blocked(now=NOW)
    assert (block.name, block.is_network) == ("", False)
    assert "password" not in block.key


@pytest.mark.parametrize("name", [LOGIN, "192.0.2.7/32"])
def test_unblocking_opens_one_door_and_no_other(name):
    make_alice()
    tried = _fail(10)
    assert _locked(tried)
    for block in blocks.blocked(now=NOW):
        if block.name == name:
            assert blocks.unblock(key=block.key) == name
    assert name not in {block.name for block in blocks.blocked(now=NOW)}
    assert len(blocks.blocked(now=NOW)) == 1


def test_both_doors_open_let_the_person_in():
    make_alice()
    tried = _fail(10)
    for block in blocks.blocked(now=NOW):
        blocks.unblock(key=block.key)
    assert not _locked(tried)


@pytest.mark.parametrize("key", ["", "net:", "known:x:y", "m:net:192.0.2.7/32", "net:\0", "x"])
def test_what_is_no_block_is_not_removed(key):
    _fail(10)
    count = AuthThrottle.objects.count()
    assert blocks.unblock(key=key) == ""
    assert AuthThrottle.objects.count() == count
