"""Hosts that turned us away: left alone for five minutes by every message of this process.

A refused connection or a 421 says something about the host, so that it shall not cost each
message a try of its own. Kept in memory: a restart asks once more, which harms nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from mailcore.delivery.routes import Target
from mailcore.smtp.reply import Reply

MARKED_S = 300.0
_MOST = 10_000


class MarkedHosts:
    """Addresses with the reply that had them marked. `clock` is monotonic, in seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: dict[tuple[str, int], tuple[float, Reply]] = {}

    def mark(self, target: Target, reply: Reply) -> None:
        """Leave the address alone from now on; `reply` is what its mail is told meanwhile."""
        if len(self._marks) >= _MOST:
            self._marks.pop(next(iter(self._marks)))
        self._marks[target.ip, target.port] = (self._clock() + MARKED_S, reply)

    def clear(self, target: Target) -> None:
        """Forget the mark of an address that took mail."""
        self._marks.pop((target.ip, target.port), None)

    def reply_of(self, target: Target) -> Reply | None:
        """Return why the address is left alone, None when it is not."""
        ends, reply = self._marks.get((target.ip, target.port), (0.0, None))
        if reply is not None and ends <= self._clock():
            self.clear(target)
            return None
        return reply
