"""The threads behind the event loop: one writer that shares commits, and a few for questions.

While the writer commits one batch, the next collects: no timer, so that one lone message never
waits for company. Knows nothing of SMTP; what a message is, is the backend's business.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from django.db import close_old_connections, connections

from mailcore.delivery.inbound import Incoming, Outcome, PendingOutcome
from mailcore.smtpd.backend import RelayBackend

log = logging.getLogger("mailcore.smtpd")
_T = TypeVar("_T")

BATCH_MESSAGES = 100
BATCH_OCTETS = 64 * 2**20
_QUESTION_THREADS = 4

_Waiting = tuple[Incoming, "asyncio.Future[Outcome]"]
_Answer = tuple["asyncio.Future[Outcome]", Outcome]


class Collector:
    """Hands messages to the one writer thread in batches and brings the outcomes back."""

    def __init__(self, backend: RelayBackend, *, loop: asyncio.AbstractEventLoop) -> None:
        self._backend = backend
        self._loop = loop
        self._waiting: deque[_Waiting] = deque()
        self._filled = threading.Semaphore(0)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="smtpd-writer", daemon=True)

    def start(self) -> None:
        """Start the writer thread. May be called once."""
        self._thread.start()

    def submit(self, item: Incoming) -> asyncio.Future[Outcome]:
        """Queue a message; the future gives its outcome after COMMIT. Event loop only.

        Cancelling the future does not stop the commit.
        """
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._backend.begin(item)
        self._waiting.append((item, future))
        self._filled.release()
        return future

    def stop(self) -> None:
        """Write what is waiting, then end the thread. Blocks."""
        self._is_stopping = True
        self._filled.release()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._filled.acquire()
            if batch := self._take():
                self._write(batch)
            elif self._is_stopping:
                break
        connections.close_all()

    def _take(self) -> list[_Waiting]:
        """Take what has collected, up to the bounds. One release stands for one message."""
        batch: list[_Waiting] = []
        octets = 0
        while self._waiting and len(batch) < BATCH_MESSAGES:
            octets += self._waiting[0][0].content.size
            if batch and (octets > BATCH_OCTETS or not self._filled.acquire(blocking=False)):
                break
            batch.append(self._waiting.popleft())
        return batch

    def _write(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[PendingOutcome]
        try:
            outcomes = self._backend.receive_batch(
                [item for item, _ in batch], now=datetime.now(UTC)
            )
            if len(outcomes) != len(batch):
                raise AssertionError("one outcome for each message")
        except Exception as error:  # the top of the writer: who waits must hear of it
            log.error("smtpd.batch_failed", exc_info=error, extra={"fields": {"size": len(batch)}})
            outcomes = [error] * len(batch)
        ready: list[_Answer] = []
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Future):
                outcome.add_done_callback(partial(self._answer_later, future))
            else:
                ready.append((future, outcome))
        self._call(ready)
        if any(isinstance(outcome, Exception) for _, outcome in ready):
            close_old_connections()

    def _answer_later(self, future: asyncio.Future[Outcome], done: Future[Outcome]) -> None:
        error = done.exception()
        outcome = error if isinstance(error, Exception) else done.result()
        self._call([(future, outcome)])

    def _call(self, answers: Sequence[_Answer]) -> None:
        if answers and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: Sequence[_Answer]) -> None:
    for future, outcome in answers:
        if not future.done():
            future.set_result(outcome)


class Questions:
    """A few threads for checks that need the database."""

    def __init__(
        self, *, loop: asyncio.AbstractEventLoop, threads: int = _QUESTION_THREADS
    ) -> None:
        self._loop = loop
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="smtpd-question")

    async def ask(self, function: Callable[..., _T], **arguments: Any) -> _T:
        """Return what `function` returns, or raise what it raises, from a thread."""
        return await self._loop.run_in_executor(self._pool, partial(_guarded, function, arguments))

    def stop(self) -> None:
        """Close the threads' connections and end them. Blocks."""
        barrier = threading.Barrier(self._threads)
        for _ in range(self._threads):
            self._pool.submit(_close_connections, barrier)
        self._pool.shutdown()


def _guarded(function: Callable[..., _T], arguments: dict[str, Any]) -> _T:
    try:
        return function(**arguments)
    finally:
        # Closes the connection only after an error or when it is too old.
        close_old_connections()


def _close_connections(barrier: threading.Barrier) -> None:
    connections.close_all()
    barrier.wait(timeout=10)
