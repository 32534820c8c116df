"""All mail of one destination: what waits, what is being prepared, and the connections for it.

Preparing (hosts, octets, attempt rows) runs ahead of the connections, so that many messages share
a statement and no connection waits for the database. How many connections there are grows with
every success and halves with every failure, 2 to 20.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from django.db import DatabaseError, InterfaceError, OperationalError

from mailcore.delivery import routes
from mailcore.delivery.leases import Claimed
from mailcore.delivery.memory import Octets
from mailcore.delivery.outbound import FAULT, Connection, Job, Outbound
from mailcore.delivery.outcomes import Outcomes
from mailcore.delivery.preparing import Prepared, Wanted
from mailcore.delivery.routes import Route, Target
from mailcore.delivery.threads import Grouped
from mailcore.dns.mx import NoHost
from mailcore.dns.resolver import Resolver
from mailcore.queue.destinations import CONCURRENCY_MAX, CONCURRENCY_MIN, Standing
from mailcore.queue.outcome import Ending
from mailcore.smtp.status import Deferred, Failed

log = logging.getLogger("mailcore.delivery")

IDLE_S = 2.0
TARGETS_S = 60.0
_AHEAD = 4
CONNECTIONS = 200  # of all destinations; one beyond it for a destination that has none
_SMALL_BYTES = 256 * 2**10
_SMALL_MOST_BYTES = 48 * 2**20
_LARGE_MOST_BYTES = 80 * 2**20


class Touch(Protocol):
    """`queue.destinations.touch_destination` in a thread."""

    def __call__(
        self, *, kind: str, name: str, is_success: bool
    ) -> Coroutine[Any, Any, Standing]: ...


@dataclass(slots=True)
class Shared:
    """What the lanes of one runner share. `on_begun` and `on_done` are called in the loop."""

    outbound: Outbound
    outcomes: Outcomes
    prepared: Grouped[Wanted, Prepared]
    standings: Grouped[tuple[str, str], Standing]
    touch: Touch
    resolver: Resolver
    on_begun: Callable[[Claimed], None]
    on_done: Callable[[Claimed], None]
    connection_count: int = 0
    small: Octets = field(default_factory=lambda: Octets(_SMALL_MOST_BYTES))
    large: Octets = field(default_factory=lambda: Octets(_LARGE_MOST_BYTES))

    def octets(self, size: int) -> Octets:
        """Return the bound that a message counts against: large ones do not block small ones."""
        return self.small if size <= _SMALL_BYTES else self.large


class Lane:
    """One destination. Everything happens in the event loop; nothing blocks it."""

    def __init__(self, route: Route, *, shared: Shared, on_empty: Callable[[Lane], None]) -> None:
        self.route = route
        self._shared = shared
        self._on_empty = on_empty
        self._standing: Standing | None = None
        self._concurrency = CONCURRENCY_MIN
        self._backlog: deque[Claimed] = deque()
        self._ready: asyncio.Queue[Job | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._active: set[Claimed] = set()
        self._preparing_count = 0
        self._worker_count = 0
        self._idle_count = 0
        self._is_touching = False
        self._is_closing = False
        self._finding: asyncio.Task[tuple[Target, ...]] | None = None
        self._found_at = 0.0

    def put(self, claimed: Claimed) -> None:
        """Take a batch in. What comes in the same turn of the loop is prepared together."""
        self._backlog.append(claimed)
        if len(self._backlog) == 1:
            asyncio.get_running_loop().call_soon(self._fill)

    def take_back(self) -> list[Claimed]:
        """Return what was not begun, and let idle connections go."""
        self._is_closing = True
        taken = list(self._backlog)
        self._backlog.clear()
        for _ in range(self._idle_count):
            self._ready.put_nowait(None)
        return taken

    def abort(self) -> None:
        """Break every connection; what they carried is deferred."""
        for claimed in self._active:
            claimed.is_lost = True
            if claimed.abort is not None:
                claimed.abort()

    async def closed(self) -> None:
        """Wait until all tasks have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _fill(self) -> None:
        """Prepare as many batches as keep the connections busy while the next are prepared.

        Not one at a time: what is prepared together shares a task and a statement.
        """
        most = _AHEAD * self._concurrency
        ahead = self._preparing_count + self._ready.qsize()
        if self._backlog and ahead <= most // 4:
            count = min(most - ahead, len(self._backlog))
            group = [self._backlog.popleft() for _ in range(count)]
            self._preparing_count += count
            self._active.update(group)
            for claimed in group:
                self._shared.on_begun(claimed)
            self._spawn(self._prepare(group))
        if not (self._backlog or self._active or self._worker_count):
            self._on_empty(self)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- preparing ---

    async def _prepare(self, group: Sequence[Claimed]) -> None:
        """Make jobs of batches; each of them is ready, ended or let go when this returns."""
        left = list(group)
        try:
            targets = await self._targets()
            await self._read_standing()
            while left:
                taken = await self._take_octets(left)
                for job in await self._jobs(taken, targets):
                    self._ready.put_nowait(job)
                    self._staff()
        except NoHost as error:
            result = Deferred(error.reply) if error.is_temporary else Failed(error.reply)
            for claimed in left:
                everyone = claimed.batch.recipients
                self._store(claimed, [Ending(claimed.batch, one, None, result) for one in everyone])
        except Exception:  # the top of this adapter
            log.exception("delivery.not_prepared", extra=_fields(*left))
            self._let_lapse(left)
        self._preparing_count -= len(left)
        self._fill()

    async def _read_standing(self) -> None:
        if self._standing is None:
            key = (self.route.kind, self.route.name)
            (self._standing,) = await self._shared.standings.call([key])
            self._concurrency = max(self._concurrency, self._standing.concurrency)

    async def _take_octets(self, left: list[Claimed]) -> list[Claimed]:
        """Take out of `left` what there is memory for, at least one.

        Waits only with empty hands: who holds octets must get on, or nobody ever gives any.
        """
        taken = [one for one in left if self._octets(one).take_now(one.batch.size)]
        if not taken:
            await self._octets(left[0]).take(left[0].batch.size)
            taken = left[:1]
        chosen = set(taken)
        left[:] = [one for one in left if one not in chosen]
        return taken

    async def _jobs(self, taken: Sequence[Claimed], targets: Sequence[Target]) -> list[Job]:
        """Return jobs with octets and attempts; what cannot be prepared is let go."""
        target = self._shared.outbound.first(targets)
        try:
            prepared = await self._prepared(taken, target)
        except Exception as error:
            is_shared = isinstance(error, OperationalError | InterfaceError)
            if len(taken) > 1 and not is_shared:  # a fault of one shall not be that of all
                singly = [await self._jobs([claimed], targets) for claimed in taken]
                return [job for jobs in singly for job in jobs]
            log.exception("delivery.not_prepared", extra=_fields(*taken))
            self._preparing_count -= len(taken)
            for claimed in taken:
                self._octets(claimed).give(claimed.batch.size)
            self._let_lapse(taken)
            return []
        self._preparing_count -= len(taken)
        return [
            Job(
                claimed,
                one.content or b"",
                self.route,
                # Without octets it is ours to repair: all its recipients are deferred.
                () if one.content is None else targets,
                list(claimed.batch.recipients),
                begun=target,
                attempt_ids=one.attempt_ids,
            )
            for claimed, one in zip(taken, prepared, strict=True)
        ]

    async def _prepared(
        self, taken: Sequence[Claimed], target: Target | None
    ) -> Sequence[Prepared]:
        wanted = [Wanted(claimed.batch, target) for claimed in taken]
        return await self._shared.prepared.call(wanted)

    def _let_lapse(self, claimed: Sequence[Claimed]) -> None:
        """Let leases run out: the batches are due again."""
        for one in claimed:
            self._done(one)

    async def _targets(self) -> tuple[Target, ...]:
        """Return the addresses of the destination; one question at a time, kept for a minute."""
        if self._finding is None or time.monotonic() - self._found_at > TARGETS_S:
            finding = routes.find_targets(self.route, resolver=self._shared.resolver)
            self._finding = asyncio.create_task(finding)
            self._found_at = time.monotonic()
        return await asyncio.shield(self._finding)

    # --- sending ---

    def _staff(self) -> None:
        """Open one more connection if nobody is free and one more is allowed."""
        is_crowded = self._worker_count > 0 and self._shared.connection_count >= CONNECTIONS
        if self._idle_count >= self._ready.qsize() or is_crowded:
            return
        if self._worker_count < self._concurrency:
            self._worker_count += 1
            self._shared.connection_count += 1
            self._spawn(self._work())

    async def _work(self) -> None:
        connection: Connection | None = None
        try:
            while (job := await self._next()) is not None:
                connection = await self._carry(job, connection)
        finally:
            self._worker_count -= 1
            self._shared.connection_count -= 1
            self._staff()  # what came while we were leaving
            await self._shared.outbound.close(connection)
            self._fill()

    async def _next(self) -> Job | None:
        """Return the next job; None after a while without one, or when we are too many."""
        if self._worker_count > self._concurrency:
            return None
        if not self._ready.empty():
            return self._ready.get_nowait()
        if self._is_closing and not self._preparing_count:
            return None
        self._idle_count += 1
        try:
            async with asyncio.timeout(IDLE_S):
                return await self._ready.get()
        except TimeoutError:
            return None
        finally:
            self._idle_count -= 1

    async def _carry(self, job: Job, connection: Connection | None) -> Connection | None:
        """Send one job and let go of everything it held; its outcome is stored beside the next."""
        claimed = job.claimed
        await self._shared.outcomes.room()
        if claimed.is_lost:  # nothing was said yet: whoever has the lease begins anew
            self._let_go(job)
            self._done(claimed)
            self._fill()
            return connection
        try:
            connection = await self._shared.outbound.send(job, connection)
        except Exception:  # the top of this adapter: nothing may end a worker
            log.exception("delivery.fault", extra=_fields(claimed))
            if connection is not None:
                connection.client.abort()
            connection = None
            _end_by_fault(job)
        self._let_go(job)
        self._judge(job)
        self._store(claimed, job.endings)
        self._fill()
        return connection

    def _let_go(self, job: Job) -> None:
        job.content = b""
        self._octets(job.claimed).give(job.claimed.batch.size)

    def _octets(self, claimed: Claimed) -> Octets:
        return self._shared.octets(claimed.batch.size)

    def _store(self, claimed: Claimed, endings: Sequence[Ending]) -> None:
        self._shared.outcomes.finish(endings, on_stored=partial(self._stored, claimed))

    def _stored(self, claimed: Claimed) -> None:
        self._done(claimed)
        self._fill()

    def _done(self, claimed: Claimed) -> None:
        self._active.discard(claimed)
        self._shared.on_done(claimed)

    # --- how many connections ---

    def _judge(self, job: Job) -> None:
        """Count a success or a failure of the host, where that changes anything."""
        if not job.tried:
            return
        if not job.has_reached_host:
            self._finding = None
            self._concurrency = max(self._concurrency // 2, CONCURRENCY_MIN)
        elif self._concurrency < CONCURRENCY_MAX and (self._backlog or self._preparing_count):
            # Here at once, in the table soon: one statement at a time is enough for that.
            self._concurrency += 1
        elif self._standing is None or not self._standing.failures:
            return
        if not self._is_touching:
            self._is_touching = True
            self._spawn(self._touch(is_success=job.has_reached_host))

    async def _touch(self, *, is_success: bool) -> None:
        try:
            self._standing = await self._shared.touch(
                kind=self.route.kind, name=self.route.name, is_success=is_success
            )
        except (DatabaseError, InterfaceError):
            log.exception("delivery.destination_not_counted")
        finally:
            self._is_touching = False


def _fields(*claimed: Claimed) -> dict[str, object]:
    return {"fields": {"trace_id": " ".join(one.batch.trace_id.hex for one in claimed)}}


def _end_by_fault(job: Job) -> None:
    told = {ending.recipient.id for ending in job.endings}
    job.endings += [
        Ending(job.claimed.batch, one, None, Deferred(FAULT))
        for one in job.claimed.batch.recipients
        if one.id not in told
    ]
