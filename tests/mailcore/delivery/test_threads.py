"""Calls that share a statement: joined while one runs, and a fault stays with who made it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from django.db import OperationalError

from mailcore.delivery.threads import Grouped, Threads

_T = TypeVar("_T")


def run(work: Callable[[Threads], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine function with threads that are closed afterwards."""

    async def with_threads() -> _T:
        threads = Threads(count=2)
        try:
            return await work(threads)
        finally:
            threads.close()

    return asyncio.run(with_threads())


class Doubling:
    """Doubles numbers, each call noted; waits at `gate`; cannot do 13."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: type[Exception] = ValueError

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        assert self.gate.wait(10)
        if 13 in items:
            raise self.error("13")
        return [2 * item for item in items]


def test_what_comes_while_a_call_runs_makes_the_next_one():
    doubling = Doubling()

    async def work(threads: Threads) -> list[list[int]]:
        grouped = Grouped(doubling, threads=threads)
        doubling.gate.clear()
        first = asyncio.create_task(grouped.call([1]))
        while not doubling.calls:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(grouped.call([n, n + 1])) for n in (10, 20)]
        await asyncio.sleep(0)
        doubling.gate.set()
        return list(await asyncio.gather(first, *others))

    assert run(work) == [[2], [20, 22], [40, 42]]
    assert doubling.calls == [[1], [10, 11, 20, 21]]


def test_a_group_has_a_size_and_a_larger_call_goes_alone():
    doubling = Doubling()

    async def work(threads: Threads) -> None:
        grouped = Grouped(doubling, threads=threads, most=3)
        await asyncio.gather(*(grouped.call(list(range(n))) for n in (1, 2, 5, 1)))

    run(work)
    assert [len(call) for call in doubling.calls] == [3, 5, 1]


def test_a_group_waits_for_company_only_as_long_as_it_is_told():
    doubling = Doubling()

    async def work(threads: Threads) -> None:
        grouped = Grouped(doubling, threads=threads, most=2, linger_s=lambda: 60.0)
        first = asyncio.create_task(grouped.call([1]))
        await asyncio.sleep(0.01)
        assert doubling.calls == []
        await grouped.call([2])  # which fills it
        await first

    run(work)
    assert doubling.calls == [[1, 2]]


def test_a_fault_concerns_only_the_call_that_made_it():
    doubling = Doubling()

    async def work(threads: Threads) -> list[list[int] | BaseException]:
        grouped = Grouped(doubling, threads=threads)
        calls = (grouped.call([n]) for n in (1, 13, 3))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    one, fault, three = run(work)
    assert (one, three) == ([2], [6])
    assert isinstance(fault, ValueError)


def test_a_database_that_is_away_is_asked_once_for_all():
    doubling = Doubling()
    doubling.error = OperationalError

    async def work(threads: Threads) -> list[list[int] | BaseException]:
        grouped = Grouped(doubling, threads=threads)
        calls = (grouped.call([n]) for n in (1, 13, 3))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    assert [type(answer) for answer in run(work)] == [OperationalError] * 3
    assert doubling.calls == [[1, 13, 3]]


def test_an_exception_of_a_thread_reaches_who_asked():
    async def work(threads: Threads) -> None:
        await threads.run(int, x="no number")

    with pytest.raises(TypeError):
        run(work)
