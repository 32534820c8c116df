"""Destinations: connections grow by one and halve, failures count, holds end with a success."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailcore.queue.destinations import Standing, read_destinations, touch_destination
from tests.support.queueing import NOW

pytestmark = pytest.mark.django_db


def _touch(is_success: bool, **values) -> Standing:
    return touch_destination(kind="domain", name="outside.example", is_success=is_success, **values)


def test_unknown_destination_starts_with_two_connections():
    found = read_destinations(kind="domain", names=["outside.example"])
    assert found == {"outside.example": Standing("outside.example", 0, None, 2)}


def test_concurrency_grows_by_one_up_to_twenty():
    assert [_touch(True).concurrency for _ in range(3)] == [3, 4, 5]
    for _ in range(20):
        last = _touch(True)
    assert last.concurrency == 20


def test_concurrency_halves_down_to_two():
    for _ in range(20):
        _touch(True)
    assert [_touch(False).concurrency for _ in range(5)] == [10, 5, 2, 2, 2]


def test_hold_and_failures_end_with_a_success():
    until = NOW + timedelta(minutes=5)
    _touch(False)
    assert _touch(False, hold_until=until) == Standing("outside.example", 2, until, 2)
    assert read_destinations(kind="domain", names=["outside.example"]) == {
        "outside.example": Standing("outside.example", 2, until, 2)
    }
    assert _touch(True) == Standing("outside.example", 0, None, 3)


def test_host_and_domain_of_one_name_are_two():
    _touch(False)
    assert read_destinations(kind="host", names=["outside.example"])["outside.example"] == Standing(
        "outside.example"
    )
