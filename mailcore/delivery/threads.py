"""Blocking calls for an event loop: a few threads of our own, and calls that share a statement.

While one call runs the next ones collect, so a busy loop makes few large calls and an idle one
waits for nothing. Knows no mail and no SQL; database connections belong to the threads.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
)

_T = TypeVar("_T")
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

THREADS = 4
_CLOSE_S = 10.0
_RESTED_S = 1.0


class Threads:
    """Runs functions away from the event loop, with a database connection each thread.

    On SQLite one at a time: it has one writer, and who finds it busy sleeps longer than it takes.
    """

    def __init__(self, *, count: int = THREADS) -> None:
        self._count = count
        is_single = connection.vendor == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if is_single else nullcontext()
        self._thread = threading.local()
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="delivery")

    async def run(self, function: Callable[..., _T], **arguments: Any) -> _T:
        """Return what `function` returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(self._guarded, function, arguments))

    def close(self) -> None:
        """Close the threads' database connections and end them. Blocks."""
        barrier = threading.Barrier(self._count)
        for _ in range(self._count):
            self._pool.submit(_close_connections, barrier)
        self._pool.shutdown()

    def _guarded(self, function: Callable[..., _T], arguments: dict[str, Any]) -> _T:
        began_at = time.monotonic()
        if began_at - getattr(self._thread, "ended_at", began_at) > _RESTED_S:
            close_old_connections()  # have it proved: it may have been lost meanwhile
        try:
            with self._turn:
                return function(**arguments)
        except Exception:
            close_old_connections()  # closes it if it does not work any more
            raise
        finally:
            self._thread.ended_at = time.monotonic()


def _close_connections(barrier: threading.Barrier) -> None:
    connections.close_all()
    barrier.wait(timeout=_CLOSE_S)


@dataclass(slots=True)
class _Call(Generic[_Item, _Answer]):
    items: Sequence[_Item]
    answer: asyncio.Future[list[_Answer]]


class Grouped(Generic[_Item, _Answer]):
    """Joins calls of one function that takes many items and returns an answer for each.

    `linger_s` says how long a group may wait for company, asked each time; `most` items end the
    wait. One call runs at a time. When a joint call fails, its parts are repeated one by one, so
    that a fault concerns only the caller whose items made it; a database that is away concerns all.
    """

    def __init__(
        self,
        function: Callable[[Sequence[_Item]], Sequence[_Answer]],
        *,
        threads: Threads,
        most: int = 100,
        linger_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._function = function
        self._threads = threads
        self._most = most
        self._linger_s = linger_s
        self._waiting: deque[_Call[_Item, _Answer]] = deque()
        self._waiting_count = 0
        self._is_full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def call(self, items: Sequence[_Item]) -> list[_Answer]:
        """Return the answers to `items`, in order. Raises what the function raises."""
        return await self.put(items)

    def put(self, items: Sequence[_Item]) -> asyncio.Future[list[_Answer]]:
        """Return the answers to be, for who does not wait for them."""
        answer: asyncio.Future[list[_Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(items, answer))
        self._waiting_count += len(items)
        if self._waiting_count >= self._most:
            self._is_full.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._linger()
                await self._answer(self._take())
        finally:
            self._task = None

    async def _linger(self) -> None:
        seconds = self._linger_s()
        if seconds > 0 and not self._is_full.is_set():
            try:
                await asyncio.wait_for(self._is_full.wait(), seconds)
            except TimeoutError:
                return

    def _take(self) -> list[_Call[_Item, _Answer]]:
        taken: list[_Call[_Item, _Answer]] = []
        count = 0
        while self._waiting and (not taken or count + len(self._waiting[0].items) <= self._most):
            taken.append(self._waiting.popleft())
            count += len(taken[-1].items)
        self._waiting_count -= count
        if self._waiting_count < self._most:
            self._is_full.clear()
        return taken

    async def _answer(self, calls: Sequence[_Call[_Item, _Answer]]) -> None:
        try:
            items = [item for call in calls for item in call.items]
            answers = list(await self._threads.run(self._function, items=items))
        except (OperationalError, InterfaceError) as error:
            _fail(calls, error)
            return
        except Exception as error:  # noqa: BLE001 - belongs to whoever called
            await self._blame(calls, error)
            return
        start = 0
        for call in calls:
            _settle(call, answers[start : start + len(call.items)])
            start += len(call.items)

    async def _blame(self, calls: Sequence[_Call[_Item, _Answer]], error: Exception) -> None:
        if len(calls) == 1:
            _fail(calls, error)
            return
        for call in calls:
            await self._answer([call])


def _fail(calls: Sequence[_Call[Any, Any]], error: Exception) -> None:
    for call in calls:
        if not call.answer.done():
            call.answer.set_exception(error)


def _settle(call: _Call[_Item, _Answer], answers: list[_Answer]) -> None:
    if not call.answer.done():
        call.answer.set_result(answers)
