"""The delivery loop: claims what is due, hands it to the lane of its destination, keeps the leases.

One asyncio loop per worker process (architecture, section 5). The table is the truth: a wake-up
only shortens the wait, and whatever dies here is due again when its lease ends. Knows no SMTP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from mailcore import conf
from mailcore.delivery import routes
from mailcore.delivery.hosts import MarkedHosts
from mailcore.delivery.lanes import Lane, Shared
from mailcore.delivery.leases import RENEW_S, Claimed, Leases
from mailcore.delivery.outbound import OpenClient, Outbound
from mailcore.delivery.outcomes import LINGER_S, Outcomes
from mailcore.delivery.preparing import prepare
from mailcore.delivery.routes import Route
from mailcore.delivery.threads import Grouped, Threads
from mailcore.dns.resolver import Resolver
from mailcore.queue import claim, control, destinations
from mailcore.queue.destinations import Standing
from mailcore.queue.outcome import Report

log = logging.getLogger("mailcore.delivery")

POLL_S = 1.0
RECOVERY_S = 2.0
FINISH_S = 25.0  # `serve` waits 35 s for a part
_CLAIM_BATCHES = 200
_CLAIM_PER_DOMAIN = 100
_HELD_BATCHES = 600
_WAITING_PER_DOMAIN = 100  # from so many on, a domain's rows stay for other runners
_SHALLOW = 5  # batches in flight; up to that an outcome waits for no company
_ABORT_S = 5.0
_STAYING = frozenset({"local", "captured"})


class Release(Protocol):
    """`delivery.release.release`: dates and stores a message that was put off, if it still waits.

    The leases of a message that it changed end: what was claimed before is stale.
    """

    def __call__(self, *, message_id: int, now: datetime) -> object: ...


@dataclass(frozen=True, slots=True)
class Ends:
    """When a run ends: told so, after `work_s` seconds, or with nothing due and in flight."""

    stop: Callable[[], bool] = lambda: False
    work_s: float | None = None
    when_idle: bool = False


class Runner:
    """Everything one process does about outgoing mail. Make it inside a running event loop."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        open_client: OpenClient,
        report: Report,
        release: Release,
        threads: Threads,
        hosts: MarkedHosts | None = None,
        now: Callable[[], datetime] = timezone.now,
        renew_s: float = RENEW_S,
    ) -> None:
        self._threads = threads
        self._release = release
        self._now = now
        self._renew_s = renew_s
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._lanes: dict[Route, Lane] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._waiting: Counter[str] = Counter()
        self._awaited: set[str] = set()  # domains that had their share: to be asked for later
        self._local: set[asyncio.Task[None]] = set()
        self._leases = Leases(threads=threads, renew=claim.renew, now=now)
        self._outcomes = Outcomes(threads=threads, report=report, now=now, linger_s=self._linger_s)
        self._shared = Shared(
            outbound=Outbound(
                open_client=open_client,
                outcomes=self._outcomes,
                hosts=hosts or MarkedHosts(),
                helo=conf.hostname(),
            ),
            outcomes=self._outcomes,
            prepared=Grouped(partial(prepare, now=now), threads=threads),
            standings=Grouped(_standings, threads=threads),
            touch=partial(threads.run, destinations.touch_destination),
            resolver=resolver,
            on_begun=self._on_begun,
            on_done=self._on_done,
        )

    def wake(self) -> None:
        """Look at the table now. From the event loop only."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing new, and let `run` end. From the event loop only."""
        self._is_stopping = True
        self._wake.set()

    async def run(self, ends: Ends, *, poll_s: float = POLL_S, finish_s: float = FINISH_S) -> None:
        """Deliver until `ends` says so, then finish what is in flight within `finish_s` seconds.

        Who is told to stop, also then, takes at most 25 s more.
        """
        keeping = asyncio.create_task(self._leases.keep(every_s=self._renew_s))
        ends_at = None if ends.work_s is None else time.monotonic() + ends.work_s
        try:
            while not self._must_end(ends, ends_at):
                claimed = await self._take()
                if ends.when_idle and not claimed and not len(self._leases):
                    break
                if claimed <= self._awaited or not self._has_room():
                    await self._pause(poll_s)
        finally:
            await self._finish(ends, finish_s)
            keeping.cancel()

    def _must_end(self, ends: Ends, ends_at: float | None) -> bool:
        is_over = ends_at is not None and time.monotonic() >= ends_at
        return is_over or self._is_told_to_stop(ends)

    def _is_told_to_stop(self, ends: Ends) -> bool:
        return self._is_stopping or ends.stop()

    # --- claiming ---

    def _has_room(self) -> bool:
        return len(self._leases) <= _HELD_BATCHES - _CLAIM_BATCHES

    async def _take(self) -> set[str]:
        """Claim what is due and send it on its way; return of which domains there was any."""
        if not self._has_room():
            return set()
        self._wake.clear()
        self._routes.clear()
        crowded = [d for d, count in self._waiting.items() if count >= _WAITING_PER_DOMAIN]
        self._awaited = set(crowded)
        asked_at = time.monotonic()
        try:
            batches = await self._threads.run(
                claim.claim,
                now=self._now(),
                limit=_CLAIM_BATCHES,
                per_domain=_CLAIM_PER_DOMAIN,
                avoid=crowded,
            )
        except (DatabaseError, InterfaceError):
            log.exception("delivery.claim_failed")
            await asyncio.sleep(RECOVERY_S)
            return set()
        counts = Counter(batch.domain for batch in batches)
        self._awaited |= {d for d, count in counts.items() if count >= _CLAIM_PER_DOMAIN}
        for batch in batches:
            self._admit(self._leases.add(batch, asked_at=asked_at))
        return {*counts}

    def _admit(self, claimed: Claimed) -> None:
        batch = claimed.batch
        if batch.not_before is not None or batch.route in _STAYING:
            task = asyncio.create_task(self._let_out(claimed))
            self._local.add(task)
            task.add_done_callback(self._local.discard)
        else:
            self._dispatch(claimed)

    def _dispatch(self, claimed: Claimed) -> None:
        batch = claimed.batch
        route = self._route(batch.domain, batch.route)
        lane = self._lanes.get(route)
        if lane is None:
            lane = Lane(route, shared=self._shared, on_empty=self._on_empty)
            self._lanes[route] = lane
        self._waiting[batch.domain] += 1
        lane.put(claimed)

    def _route(self, domain: str, route: str) -> Route:
        """Return what `routes` says, asked once for all that was claimed together."""
        found = self._routes.get((domain, route))
        if found is None:
            found = self._routes[domain, route] = routes.choose(domain=domain, route=route)
        return found

    async def _let_out(self, claimed: Claimed) -> None:
        """Do what a message needs that was put off, that stays here, or that is to be captured."""
        batch = claimed.batch
        try:
            await self._threads.run(self._release, message_id=batch.message_id, now=self._now())
            is_ours = await self._threads.run(claim.renew, tokens=[batch.token], now=self._now())
            if is_ours and batch.route not in _STAYING:
                self._dispatch(claimed)
                return
            if is_ours and batch.route == "captured":
                await self._threads.run(control.capture, batch=batch, now=self._now())
        except Exception:  # the top of this adapter: the lease runs out, and it is due again
            log.exception(
                "delivery.not_released", extra={"fields": {"trace_id": batch.trace_id.hex}}
            )
        self._on_done(claimed)
        self._wake.set()

    async def _pause(self, poll_s: float) -> None:
        """Wait for a reason to look again, at most `poll_s`."""
        try:
            async with asyncio.timeout(poll_s):
                await self._wake.wait()
        except TimeoutError:
            return

    # --- what lanes tell ---

    def _linger_s(self) -> float:
        return LINGER_S if len(self._leases) > _SHALLOW else 0.0

    def _on_begun(self, claimed: Claimed) -> None:
        domain = claimed.batch.domain
        self._waiting[domain] -= 1
        if self._waiting[domain] <= 0:
            del self._waiting[domain]
        if domain in self._awaited and self._waiting[domain] < _WAITING_PER_DOMAIN // 2:
            self._wake.set()

    def _on_done(self, claimed: Claimed) -> None:
        self._leases.drop([claimed])
        if len(self._leases) == _HELD_BATCHES // 2 or not len(self._leases):
            self._wake.set()

    def _on_empty(self, lane: Lane) -> None:
        if self._lanes.get(lane.route) is lane:
            del self._lanes[lane.route]

    # --- the end ---

    async def _give_back(self, claimed: Sequence[Claimed]) -> None:
        tokens = [one.batch.token for one in claimed]
        await self._threads.run(claim.give_back, tokens=tokens, now=self._now())

    async def _finish(self, ends: Ends, finish_s: float) -> None:
        """Give back what was not begun, and let the rest end."""
        lanes = list(self._lanes.values())
        unbegun = [claimed for lane in lanes for claimed in lane.take_back()]
        self._leases.drop(unbegun)
        try:
            if unbegun:
                await self._give_back(unbegun)
        except (DatabaseError, InterfaceError):
            log.exception("delivery.not_given_back")  # their leases run out
        if not await self._finished(lanes, ends, finish_s):
            log.warning("delivery.aborted", extra={"fields": {"batches": len(self._leases)}})
            self._outcomes.give_up()
            for lane in lanes:
                lane.abort()
            await self._closed(lanes, _ABORT_S)

    async def _finished(self, lanes: Sequence[Lane], ends: Ends, finish_s: float) -> bool:
        """Wait until all is done; False when the time is over."""
        ends_at = time.monotonic() + finish_s
        is_hurried = False
        while (left_s := ends_at - time.monotonic()) > 0:
            if await self._closed(lanes, min(left_s, POLL_S)):
                return True
            if not is_hurried and self._is_told_to_stop(ends):
                is_hurried = True
                ends_at = min(ends_at, time.monotonic() + FINISH_S)
        return False

    async def _closed(self, lanes: Sequence[Lane], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                if self._local:
                    await asyncio.wait(self._local)
                await asyncio.gather(*(lane.closed() for lane in lanes))
                await self._outcomes.settled()
        except TimeoutError:
            return False
        return True


def _standings(items: Sequence[tuple[str, str]]) -> list[Standing]:
    found: dict[tuple[str, str], Standing] = {}
    for kind in {kind for kind, _ in items}:
        names = [name for one, name in items if one == kind]
        standings = destinations.read_destinations(kind=kind, names=names)
        found |= {(kind, name): standing for name, standing in standings.items()}
    return [found[item] for item in items]
