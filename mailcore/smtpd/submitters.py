"""The threads that submit: each message in a transaction of its own.

No shared commit as on port 25: a person waits for one message, and one that waits for a busy
mailbox must not hold up the next. SQLite has one writer, and so one thread.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from django.db import connection

from mailcore.delivery.inbound import Incoming, Outcome, PendingOutcome, Receipt
from mailcore.smtpd.backend import Backend
from mailcore.smtpd.workers import Questions

_THREADS = 4


class Submitters:
    """Gives messages to the backend one by one and brings the outcomes back."""

    def __init__(self, backend: Backend, *, loop: asyncio.AbstractEventLoop) -> None:
        self._backend = backend
        self._loop = loop
        threads = 1 if connection.vendor == "sqlite" else _THREADS
        self._questions = Questions(loop=loop, threads=threads)

    def start(self) -> None:
        """Do nothing: threads start with the first message."""

    def submit(self, item: Incoming) -> asyncio.Future[Outcome]:
        """Return the task that gives the outcome after COMMIT; cancelling it stops nothing."""
        return self._loop.create_task(self._submit(item))

    async def _submit(self, item: Incoming) -> Outcome:
        outcome: PendingOutcome
        try:
            [outcome] = await self._questions.ask(
                self._backend.receive_batch, items=[item], now=datetime.now(UTC)
            )
        except Exception as error:  # noqa: BLE001 - who waits must hear of it
            return error
        if isinstance(outcome, Receipt | Exception):
            return outcome
        return await asyncio.wrap_future(outcome)

    def stop(self) -> None:
        """Write what is waiting, then end the threads. Blocks."""
        self._questions.stop()
