"""The cache keeps an answer as long as its TTL says, and never more entries than it may."""

from __future__ import annotations

import pytest

from mailcore.dns.cache import TtlCache


class Seconds:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(seconds: Seconds) -> TtlCache[str]:
    return TtlCache(size=3, clock=seconds)


def test_an_entry_lives_for_its_ttl_and_no_longer(cache: TtlCache[str], seconds: Seconds):
    cache.put("a", "first", ttl_s=60)
    seconds.now += 59.9
    assert cache.get("a") == "first"
    seconds.now += 0.1
    assert cache.get("a") is None
    assert len(cache) == 0


def test_nothing_is_kept_with_ttl_zero(cache: TtlCache[str]):
    cache.put("a", "old", ttl_s=60)
    cache.put("a", "new", ttl_s=0)
    assert cache.get("a") is None


def test_the_least_recently_used_entry_makes_room(cache: TtlCache[str]):
    for key in "abc":
        cache.put(key, key, ttl_s=60)
    assert cache.get("a") == "a"
    cache.put("d", "d", ttl_s=60)
    assert [key for key in "abcd" if cache.get(key)] == ["a", "c", "d"]
    assert len(cache) == 3


def test_a_newer_answer_replaces_the_older(cache: TtlCache[str], seconds: Seconds):
    cache.put("a", "old", ttl_s=10)
    cache.put("a", "new", ttl_s=60)
    seconds.now += 30
    assert cache.get("a") == "new"
