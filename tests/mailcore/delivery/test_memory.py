"""Octets in flight are bounded, in the order of asking."""

from __future__ import annotations

import asyncio

from mailcore.delivery.memory import Octets


def test_who_does_not_fit_waits_and_nobody_overtakes():
    entered: list[str] = []

    async def enter(octets: Octets, name: str, count: int) -> None:
        await octets.take(count)
        entered.append(name)

    async def work() -> None:
        octets = Octets(100)
        await enter(octets, "first", 60)
        large = asyncio.create_task(enter(octets, "large", 80))
        await asyncio.sleep(0)
        small = asyncio.create_task(enter(octets, "small", 10))
        await asyncio.sleep(0)
        assert entered == ["first"]
        octets.give(60)
        await asyncio.gather(large, small)

    asyncio.run(work())
    assert entered == ["first", "large", "small"]


def test_what_is_larger_than_the_bound_is_let_in_alone():
    async def work() -> None:
        octets = Octets(100)
        await octets.take(5000)
        other = asyncio.create_task(octets.take(1))
        await asyncio.sleep(0)
        assert not other.done()
        octets.give(5000)
        await other

    asyncio.run(work())


def test_who_gives_up_waiting_takes_nothing():
    async def work() -> None:
        octets = Octets(100)
        await octets.take(100)
        leaving = asyncio.create_task(octets.take(50))
        staying = asyncio.create_task(octets.take(100))
        await asyncio.sleep(0)
        leaving.cancel()
        octets.give(100)
        await staying
        assert leaving.cancelled()
        octets.give(100)
        await octets.take(100)

    asyncio.run(work())


def test_taking_now_neither_waits_nor_overtakes():
    async def work() -> None:
        octets = Octets(100)
        assert octets.take_now(60)
        assert not octets.take_now(60)
        waiting = asyncio.create_task(octets.take(80))
        await asyncio.sleep(0)
        assert not octets.take_now(10)
        octets.give(60)
        await waiting
        assert octets.take_now(20)

    asyncio.run(work())
