"""Leases of claimed batches: renewed while in flight, and what must not happen without one (G4).

A lease lasts 45 s and is renewed every 10 s. Where a renewal finds the row no longer ours, or
none succeeded for too long, the final dot must not be sent: another runner may be sending the
same message.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from mailcore.delivery.threads import Threads
from mailcore.queue.claim import Batch

log = logging.getLogger("mailcore.delivery")

RENEW_S = 10.0
RETRY_S = 2.0
# Ten seconds less than the lease: a dot and its reply need some time as well.
SAFE_S = 35.0


class Renew(Protocol):
    """`queue.claim.renew`: lengthens leases and returns those that are still ours."""

    def __call__(self, *, tokens: Collection[UUID], now: datetime) -> set[UUID]: ...


@dataclass(slots=True, eq=False)
class Claimed:
    """A batch that is ours, and how far it has come. `safe_until` is monotonic, in seconds."""

    batch: Batch
    safe_until: float
    is_lost: bool = False
    has_sent_dot: bool = False
    abort: Callable[[], Any] | None = None

    def may_send_dot(self, *, at: float) -> bool:
        """Tell whether the lease surely is still ours."""
        return not self.is_lost and at < self.safe_until


class Leases:
    """Every lease of this process."""

    def __init__(self, *, threads: Threads, renew: Renew, now: Callable[[], datetime]) -> None:
        self._threads = threads
        self._renew = renew
        self._now = now
        self._held: dict[UUID, Claimed] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, batch: Batch, *, asked_at: float) -> Claimed:
        """Keep the lease of a batch whose claim was asked for at this monotonic time."""
        claimed = self._held[batch.token] = Claimed(batch, safe_until=asked_at + SAFE_S)
        return claimed

    def drop(self, claimed: Iterable[Claimed]) -> None:
        """Let leases run out: their outcome is stored, or they were given back."""
        for one in claimed:
            self._held.pop(one.batch.token, None)

    async def keep(self, *, every_s: float = RENEW_S) -> None:
        """Renew everything that is held, for ever."""
        pause_s = every_s
        while True:
            await asyncio.sleep(pause_s)
            pause_s = every_s if await self.renew_all() else RETRY_S

    async def renew_all(self) -> bool:
        """Renew once; tell whether the database answered."""
        held = list(self._held.values())
        if not held:
            return True
        asked_at = time.monotonic()
        try:
            ours = await self._threads.run(
                self._renew, tokens=[one.batch.token for one in held], now=self._now()
            )
        except (DatabaseError, InterfaceError, OSError):
            log.exception("delivery.renewal_failed")
            return False
        for one in held:
            if one.batch.token in ours:
                one.safe_until = asked_at + SAFE_S
            else:
                self._lose(one)
        return True

    def _lose(self, claimed: Claimed) -> None:
        # Stored meanwhile: then the row is nobody's, and nothing is lost.
        if claimed.is_lost or claimed.batch.token not in self._held:
            return
        claimed.is_lost = True
        log.warning(
            "delivery.lease_lost", extra={"fields": {"trace_id": claimed.batch.trace_id.hex}}
        )
        if claimed.abort is not None and not claimed.has_sent_dot:
            claimed.abort()
