"""Trace events written behind: a bounded buffer that a thread empties at most a second later.

For refusals and connections only. A flood must not become a flood of transactions, so what does
not fit is counted and dropped. Events of stored mail go through `trace.record` instead.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import timedelta

from django.db import Error, connection

from mailcore.trace.events import Entry, record

log = logging.getLogger("mailcore.trace")

CAPACITY = 10_000
INTERVAL = timedelta(seconds=1)
_BATCH = 1000


class Behind:
    """A buffer and the thread that empties it. `put` may be called from anywhere."""

    def __init__(self, *, capacity: int = CAPACITY, interval: timedelta = INTERVAL) -> None:
        self._capacity = capacity
        self._interval_s = interval.total_seconds()
        self._entries: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._stopping = threading.Event()
        self._dropped_count = 0
        self._thread = threading.Thread(target=self._run, name="trace-behind", daemon=True)

    @property
    def dropped_count(self) -> int:
        """How many events did not fit so far."""
        return self._dropped_count

    def start(self) -> None:
        """Start the thread. May be called once."""
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Take an event; never blocks on the database. Drops and counts it when full."""
        with self._lock:
            if len(self._entries) >= self._capacity:
                self._dropped_count += 1
                return
            self._entries.append(entry)
        self._filled.set()

    def stop(self, *, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Write what is left and end the thread, waiting at most `timeout`."""
        self._stopping.set()
        self._filled.set()
        self._thread.join(timeout.total_seconds())

    def flush(self) -> bool:
        """Write what is there now, on the caller's connection; return whether all was written.

        What the database would not take stays for the next time.
        """
        while batch := self._take():
            try:
                record(batch)
            except Error:
                log.exception("trace.not_written", extra={"fields": {"count": len(batch)}})
                self._put_back(batch)
                return False
        return True

    def _take(self) -> list[Entry]:
        with self._lock:
            count = min(_BATCH, len(self._entries))
            return [self._entries.popleft() for _ in range(count)]

    def _put_back(self, batch: list[Entry]) -> None:
        with self._lock:
            self._entries.extendleft(reversed(batch))

    def _run(self) -> None:
        reported_count = 0
        while not self._stopping.is_set():
            self._filled.wait()
            self._stopping.wait(self._interval_s)
            self._filled.clear()
            if not self.flush():
                connection.close()  # the next round dials again
                self._filled.set()
            if self._dropped_count > reported_count:
                reported_count = self._dropped_count
                log.warning("trace.dropped", extra={"fields": {"total": reported_count}})
        connection.close()
