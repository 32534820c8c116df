"""How many octets of messages a runner holds at once.

Who asked first is served first. A message larger than the bound is let in alone, so that none
waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Octets:
    """A bound on octets, for one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, count: int) -> None:
        """Wait until `count` octets fit; `give` them back afterwards."""
        if self.take_now(count):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(count)
            raise

    def take_now(self, count: int) -> bool:
        """Take `count` octets if they fit and nobody waits; tell whether that was so."""
        if self._waiting or not self._fits(count):
            return False
        self._taken += count
        return True

    def give(self, count: int) -> None:
        """Give octets back, and let in who waits."""
        self._taken -= count
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.done() and not self._fits(wanted):
                return
            self._waiting.popleft()
            if not turn.done():
                self._taken += wanted
                turn.set_result(None)

    def _fits(self, count: int) -> bool:
        return self._taken == 0 or self._taken + count <= self._most
