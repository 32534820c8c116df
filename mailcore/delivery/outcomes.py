"""What the event loop writes about its attempts, many at a time: begun before, ended after (G4).

An outcome is stored at once when little is going on, and within 20 ms otherwise; what a crash in
between may repeat is what a peer had accepted in that time. While the database does not take
outcomes, no further final dot may be sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import DatabaseError, InterfaceError, OperationalError

from mailcore.delivery.threads import Grouped, Threads
from mailcore.queue import control, outcome
from mailcore.queue.outcome import Ended, Ending, Report, Start
from mailcore.smtp.reply import Reply
from mailcore.smtp.status import Deferred, Delivered

log = logging.getLogger("mailcore.delivery")

LINGER_S = 0.02
UNSAVED = 200  # batches; more than that and sending waits for the database
_RETRY_S = 1.0
_LATE_S = 5.0
_NOT_STORED = Reply(451, "4.3.0", "The outcome could not be stored")


class Outcomes:
    """The one place where a runner writes to the queue. `linger_s` says how long to wait."""

    def __init__(
        self,
        *,
        threads: Threads,
        report: Report,
        now: Callable[[], datetime],
        linger_s: Callable[[], float],
    ) -> None:
        self._report = report
        self._now = now
        self._threads = threads
        self._starts: Grouped[Start, int] = Grouped(self._begin, threads=threads)
        self._endings: Grouped[Ending, None] = Grouped(
            self._finish, threads=threads, linger_s=linger_s
        )
        self._unsaved_count = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_settled = asyncio.Event()
        self._is_settled.set()
        self._failing_since: float | None = None
        self._is_closing = False
        self._repeating: set[asyncio.Task[None]] = set()

    async def begin(self, starts: Sequence[Start]) -> list[int]:
        """Write attempts before connecting; return their ids. Raises DatabaseError."""
        return await self._starts.call(starts)

    async def go_on(self, endings: Sequence[Ending]) -> None:
        """Close attempts after which the next host is tried. Raises DatabaseError."""
        await self._threads.run(outcome.go_on, endings=endings, now=self._now())

    async def room(self) -> None:
        """Wait while too many outcomes are not stored yet."""
        await self._has_room.wait()

    async def settled(self) -> None:
        """Wait until every outcome is stored or given up."""
        await self._is_settled.wait()

    def are_stored(self) -> bool:
        """Tell whether the database takes outcomes: without that no dot may be sent."""
        return self._failing_since is None or time.monotonic() - self._failing_since < _LATE_S

    def give_up(self) -> None:
        """Try no outcome again from now on: the process ends."""
        self._is_closing = True

    def finish(self, endings: Sequence[Ending], *, on_stored: Callable[[], None]) -> None:
        """Write how attempts ended, beside the caller; while the database is away, again and again.

        Whether a row is still ours is decided where it is written, by its lease token. A task for
        each message would cost more than its outcome, so `on_stored` is called by the loop.
        """
        self._unsaved_count += 1
        self._is_settled.clear()
        if self._unsaved_count >= UNSAVED:
            self._has_room.clear()
        self._endings.put(endings).add_done_callback(partial(self._note, endings, on_stored))

    def _note(
        self,
        endings: Sequence[Ending],
        on_stored: Callable[[], None],
        written: asyncio.Future[list[None]],
    ) -> None:
        error = None if written.cancelled() else written.exception()
        if error is None:
            self._failing_since = None
            self._leave(on_stored)
            return
        task = asyncio.create_task(self._repeat(endings, error, on_stored))
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    def _leave(self, on_stored: Callable[[], None]) -> None:
        self._unsaved_count -= 1
        if self._unsaved_count < UNSAVED:
            self._has_room.set()
        if not self._unsaved_count:
            self._is_settled.set()
        on_stored()

    async def _repeat(
        self,
        endings: Sequence[Ending],
        error: BaseException,
        on_stored: Callable[[], None],
    ) -> None:
        try:
            while await self._must_repeat(endings, error):
                await asyncio.sleep(_RETRY_S)
                try:
                    await self._endings.call(endings)
                except Exception as again:  # noqa: BLE001 - judged in the next round
                    error = again
                else:
                    self._failing_since = None
                    return
        finally:
            self._leave(on_stored)

    async def _must_repeat(self, endings: Sequence[Ending], error: BaseException) -> bool:
        """Tell whether another try may store what was not; write what can be when none may."""
        if isinstance(error, OperationalError | InterfaceError):
            log.error("delivery.outcome_waits", exc_info=error)
            self._failing_since = self._failing_since or time.monotonic()
            return not self._is_closing
        # Ours: a peer's words that no column takes, a DSN that cannot be written.
        log.error("delivery.outcome_failed", exc_info=error)
        await self._finish_plainly(endings)
        return False

    async def _finish_plainly(self, endings: Sequence[Ending]) -> None:
        """Write what can be written: that mail went out, or that there will be another try."""
        for ending in endings:
            was_sent = isinstance(ending.result, Delivered)
            plain = replace(
                ending, result=Delivered(_SENT) if was_sent else Deferred(_NOT_STORED), dialogue=""
            )
            try:
                await self._threads.run(
                    outcome.finish, endings=[plain], now=self._now(), report=_no_report
                )
            except (DatabaseError, InterfaceError):
                log.exception("delivery.outcome_lost")
                await self._hold(plain)

    async def _hold(self, ending: Ending) -> None:
        """Keep mail back whose outcome cannot be written: else it would go out with each lease."""
        try:
            await self._threads.run(
                control.hold_leased, batch=ending.batch, now=self._now(), by=_HELD_BY
            )
        except (DatabaseError, InterfaceError):
            log.exception("delivery.not_held")

    def _begin(self, items: Sequence[Start]) -> list[int]:
        return outcome.begin(items, now=self._now())

    def _finish(self, items: Sequence[Ending]) -> list[None]:
        outcome.finish(items, now=self._now(), report=self._report)
        return [None] * len(items)


_HELD_BY = "the runner: the outcome could not be stored"
_SENT = Reply(250, "2.0.0", "Accepted; the words of the host could not be stored")


def _no_report(ended: Sequence[Ended], *, now: datetime) -> Mapping[int, str]:
    return {}
