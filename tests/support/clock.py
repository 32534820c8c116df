"""A clock that a test turns by hand. Services take `now` as an argument; this gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """Stands still until `advance` is called."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return self._now

    def advance(self, **units: float) -> datetime:
        """Move on by `timedelta(**units)`; return the new present."""
        self._now += timedelta(**units)
        return self._now
